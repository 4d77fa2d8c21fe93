#include "options.hpp"

#include <exec/version.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

namespace find_duplicates {
namespace {

constexpr const char* description =
    R"(Finds files with equal content below the given directories. Each storage device is read by its own pool of
threads, at the depth and in the order that suit it; the content is compared by its 128-bit XXH3 hash.)";

constexpr const char* footer =
    R"(SIZE is a whole number of bytes, or has a unit: 64K, 10M, 2GiB, 1TB (1K = 1KB = 1KiB = 1024 bytes).
GLOB is matched against the name of a file or directory, or, when it has a '/', against its path. * matches / too.

Text report: the files of a group are indented by two spaces. A path with control characters or bytes that are not
UTF-8 is written in the shell's form $'...'; all others are written as they are.
JSON: bytes of a name that are not UTF-8 become U+FFFD in "files" and "errors"; the group then has a key "raw",
which gives the exact bytes, in base64, by the file's index in "files".

Exit codes:
  0    the search is complete, whether or not it found duplicates
  1    some files or directories could not be read, each is named on stderr; all else was searched and is reported
  2    bad usage: an unknown option, a directory that does not exist, a malformed environment variable
  3    the search failed: no memory, no threads, the report could not be written
  130  interrupted by Ctrl-C (143 by SIGTERM, 129 by SIGHUP); no report is printed then

Environment:
  COEX_NUM_THREADS=N            threads that hash, where --threads does not say it
  COEX_IO=io_uring|fallback     how files are read
  COEX_DEVICES=NAME:KEY=VALUE   corrects what was found out about a device or class: see --explain)";

/// CLI11's own AsSizeValue takes "-1" for a very large number.
std::uint64_t parse_size(const std::string& text) {
    const CLI::ValidationError malformed("size", '"' + text + "\" is not a size such as 4096, 64K, 10M or 2GiB");
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped_at, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc()) throw malformed;
    std::string unit(stopped_at, end);
    std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::toupper(c); });
    if (unit.empty() || unit == "B") return number;
    constexpr std::string_view letters = "KMGTPE";
    const std::size_t power = letters.find(unit[0]);
    const std::string_view rest = std::string_view(unit).substr(1);
    if (power == std::string_view::npos || (rest != "" && rest != "B" && rest != "IB")) throw malformed;
    const unsigned shift = 10 * (static_cast<unsigned>(power) + 1);
    if (number > UINT64_MAX >> shift)
        throw CLI::ValidationError("size", '"' + text + "\" is more than 64 bits can hold");
    return number << shift;
}

struct switches {
    bool follow_links = false;
    bool hard_links = false;
    bool one_file_system = false;
    bool empty = false;
    bool json = false;
    bool print0 = false;
    bool quiet = false;
    bool progress = false;
    bool explain = false;
};

void declare_search_options(CLI::App& app, options& result, switches& flags) {
    app.add_option("directories", result.roots, "Directories (or files) to search")->type_name("PATH");
    const auto set_min = [&result](const std::string& text) { result.min_size = parse_size(text); };
    const auto set_max = [&result](const std::string& text) { result.max_size = parse_size(text); };
    app.add_option_function<std::string>("--min-size", set_min, "Leave smaller files out (default 1: no empty files)")
        ->type_name("SIZE");
    app.add_option_function<std::string>("--max-size", set_max, "Leave larger files out")->type_name("SIZE");
    app.add_flag("--empty", flags.empty, "Report empty files too; the same as --min-size 0")->excludes("--min-size");
    app.add_option("--exclude", result.exclude, "Leave out what matches; may be repeated")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    app.add_flag("-L,--follow-links", flags.follow_links,
                 "Follow symbolic links (those given as arguments are always followed)");
    app.add_flag("-x,--one-file-system", flags.one_file_system, "Don't enter other file systems");
    app.add_flag("-H,--hard-links", flags.hard_links,
                 "List the further names (hard links) of each duplicate; they always count as one file");
}

void declare_other_options(CLI::App& app, options& result, switches& flags) {
    app.add_flag("-j,--json", flags.json, "Print the report as JSON");
    app.add_flag("-0,--print0", flags.print0, "Print only paths, each ended by NUL, groups separated by one more NUL")
        ->excludes("--json")
        ->excludes("--hard-links");
    app.add_flag("-q,--quiet", flags.quiet, "No progress bar; errors are still printed");
    app.add_flag("--progress", flags.progress, "Show the progress bar even if stderr is not a terminal")
        ->excludes("--quiet");
    app.add_option("-t,--threads", result.threads, "Threads that hash (default: as many as CPUs may be used)")
        ->check(CLI::Range(1U, 4096U))
        ->type_name("N");
    app.add_flag("--explain", flags.explain,
                 "Print the storage devices, what was found out about them and where the directories lie; then exit");
    app.set_version_flag("-V,--version", "find_duplicates " COEX_VERSION);
}

void apply(const switches& flags, options& result) {
    if (flags.explain) result.task = task_kind::explain;
    if (flags.empty) result.min_size = 0;
    if (flags.follow_links) result.symbolic_links = link_policy::follow;
    if (flags.hard_links) result.hard_links = hard_link_policy::list;
    if (flags.one_file_system) result.mounts = mount_policy::stay;
    if (flags.json) result.format = output_format::json;
    if (flags.print0) result.format = output_format::print0;
    if (flags.progress) result.progress = progress_mode::always;
    if (flags.quiet) result.progress = progress_mode::never;
}

exit_code complain(const std::string& problem) {
    std::cerr << "find_duplicates: " << problem << "; see find_duplicates --help\n";
    return exit_usage;
}

}  // namespace

std::variant<options, exit_code> parse_options(int argument_count, char** arguments) {
    CLI::App app(description, "find_duplicates");
    app.footer(footer);
    app.get_formatter()->column_width(32);
    options result;
    switches flags;
    declare_search_options(app, result, flags);
    declare_other_options(app, result, flags);
    try {
        app.parse(argument_count, arguments);
    } catch (const CLI::Success& success) {
        app.exit(success);
        return exit_success;
    } catch (const CLI::ParseError& error) {
        return complain(error.what());
    }
    apply(flags, result);
    if (result.roots.empty() && result.task == task_kind::search) return complain("no directory given");
    if (result.min_size > result.max_size) {
        return complain("--min-size " + std::to_string(result.min_size) + " is larger than --max-size " +
                        std::to_string(result.max_size) + ", so no file fits");
    }
    return result;
}

}  // namespace find_duplicates
