#include "measurement.hpp"
#include "options.hpp"

#include <exec/sys/cpu_count.hpp>

#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <variant>

namespace granularity {
namespace {

double milliseconds(std::chrono::nanoseconds time) {
    return static_cast<double>(time.count()) / 1e6;
}

int complain(const char* problem, exit_code code) {
    std::fprintf(stderr, "granularity: %s\n", problem);
    return code;
}

void print(const options& wanted, std::chrono::nanoseconds length, const measurement& found) {
    const double overhead = static_cast<double>((found.elapsed - found.ideal).count()) / 1e3 * wanted.threads /
                            static_cast<double>(found.tasks);
    std::printf("%g,%.3f,%u,%.3f,%.4f,%zu,%s,%s\n", milliseconds(length), milliseconds(found.elapsed), wanted.threads,
                milliseconds(found.ideal), overhead, found.tasks, name_of(wanted.mode), name_of(wanted.pool));
    if (std::fflush(stdout) != 0) throw std::runtime_error("the output could not be written");
}

int run(options wanted) {
    if (wanted.threads == 0) wanted.threads = coex::default_thread_count();
    std::puts("task_ms,elapsed_ms,threads,ideal_ms,overhead_us_per_task,tasks,mode,pool");
    for (const auto length : wanted.task_lengths) print(wanted, length, measure(wanted, length));
    return exit_success;
}

}  // namespace
}  // namespace granularity

int main(int argument_count, char** arguments) {
    using namespace granularity;
    try {
        const std::variant<options, exit_code> parsed = parse_options(argument_count, arguments);
        if (const exit_code* code = std::get_if<exit_code>(&parsed)) return *code;
        return run(std::get<options>(parsed));
    } catch (const std::bad_alloc&) {
        return complain("out of memory; fewer tasks (--most-tasks) need less", exit_failure);
    } catch (const std::invalid_argument& error) {
        // How the library refuses COEX_... environment variables that it cannot understand.
        return complain(error.what(), exit_usage);
    } catch (const std::exception& error) {
        return complain(error.what(), exit_failure);
    }
}
