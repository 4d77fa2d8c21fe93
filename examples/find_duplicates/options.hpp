#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace find_duplicates {

enum class output_format { text, json, print0 };
enum class progress_mode { on_terminal, always, never };
enum class link_policy { skip, follow };
enum class hard_link_policy { count_once, list };
enum class mount_policy { cross, stay };
enum class task_kind { search, explain };

/// What the user asked for.
struct options {
    task_kind task = task_kind::search;
    std::vector<std::string> roots;
    std::vector<std::string> exclude;  // glob patterns
    std::uint64_t min_size = 1;        // bytes
    std::uint64_t max_size = UINT64_MAX;
    unsigned threads = 0;  // of the CPU pool; 0: automatic
    link_policy symbolic_links = link_policy::skip;
    hard_link_policy hard_links = hard_link_policy::count_once;
    mount_policy mounts = mount_policy::cross;
    output_format format = output_format::text;
    progress_mode progress = progress_mode::on_terminal;
};

/// The exit codes, as `--help` documents them.
enum exit_code : int {
    exit_success = 0,
    exit_incomplete = 1,    // the results are printed, but something could not be read
    exit_usage = 2,         // bad option, environment variable or missing directory; nothing was searched
    exit_failure = 3,       // the search could not be carried out
    exit_signal_base = 128  // plus the signal's number: 130 for Ctrl-C
};

/// Reads the command line. Prints help, version or a complaint itself; then the exit code is what it returns.
[[nodiscard]] std::variant<options, exit_code> parse_options(int argument_count, char** arguments);

}  // namespace find_duplicates
