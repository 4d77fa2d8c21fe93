#include "pool/checked_options.hpp"

#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <exec/base/exceptions.hpp>
#include <exec/sys/cpu_count.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

namespace coex::inline v0::detail {
namespace {

constexpr unsigned most_threads = 65535;
constexpr unsigned most_cpus = 65536;

[[noreturn]] void refuse(const pool_options& options, const std::string& why) {
    detail::throw_exception(std::invalid_argument("static_thread_pool '" + options.name + "': " + why));
}

void resolve_threads(pool_options& options) {
    if (options.threads == 0) {
        options.threads = default_thread_count();
        if (options.max_threads != 0) options.threads = std::min(options.threads, options.max_threads);
    }
    if (options.max_threads == 0) options.max_threads = options.threads;
    if (options.max_threads < options.threads) {
        refuse(options, "max_threads = " + std::to_string(options.max_threads) +
                            " is less than threads = " + std::to_string(options.threads) +
                            "; give at least as many, or 0 for a pool that does not grow");
    }
    if (options.max_threads > most_threads) {
        refuse(options, (options.threads > most_threads ? "threads = " + std::to_string(options.threads)
                                                        : "max_threads = " + std::to_string(options.max_threads)) +
                            " is too many: at most " + std::to_string(most_threads));
    }
    if (options.keep_alive < std::chrono::milliseconds::zero()) {
        refuse(options, "keep_alive = " + std::to_string(options.keep_alive.count()) + " ms is less than nothing");
    }
}

}  // namespace

pool_options checked(pool_options options) {
    resolve_threads(options);
    if (options.spawn_thread && !options.cpus.empty()) {
        detail::throw_exception(
            std::invalid_argument("static_thread_pool '" + options.name +
                                  "': cpus together with spawn_thread: whoever starts the threads must pin them"));
    }
    if (const worker* const here = worker::current(); options.use_current_thread && here != nullptr) {
        detail::throw_exception(std::invalid_argument(
            "static_thread_pool '" + options.name + "': use_current_thread: the current thread is worker " +
            std::to_string(here->index()) + " of the pool '" + here->pool().options().name + "' already"));
    }
    for (const unsigned cpu : options.cpus) {
        if (cpu < most_cpus) continue;
        detail::throw_exception(std::invalid_argument("static_thread_pool '" + options.name + "': cpus contains " +
                                                      std::to_string(cpu) + ": CPU numbers end at " +
                                                      std::to_string(most_cpus - 1)));
    }
    return options;
}

}  // namespace coex::inline v0::detail
