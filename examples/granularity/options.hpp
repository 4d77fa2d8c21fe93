#pragma once

#include <chrono>
#include <cstddef>
#include <variant>
#include <vector>

namespace granularity {

enum class work_mode : unsigned char { sleep, spin, coroutine };
enum class pool_kind : unsigned char { coex, mutex_queue };
enum class result_kind : unsigned char { channel, count };
enum class clock_start : unsigned char { before_submission, after_submission };

struct options {
    std::vector<std::chrono::nanoseconds> task_lengths;
    std::chrono::nanoseconds compute{};
    std::size_t most_tasks = 0;
    unsigned threads = 0;
    unsigned repetitions = 0;
    work_mode mode{};
    pool_kind pool{};
    result_kind results{};
    clock_start start{};
};

enum exit_code : int { exit_success = 0, exit_failure = 1, exit_usage = 2 };

/// What was asked for, or with what to exit: after --help, or after a complaint on stderr.
[[nodiscard]] std::variant<options, exit_code> parse_options(int argument_count, char** arguments);

[[nodiscard]] const char* name_of(work_mode mode) noexcept;
[[nodiscard]] const char* name_of(pool_kind pool) noexcept;

}  // namespace granularity
