#include "options.hpp"

#include <exec/pool/default_pool.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/version.hpp>

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdint>
#include <iostream>
#include <limits>
#include <map>
#include <string>

namespace granularity {
namespace {

using std::chrono::nanoseconds;

constexpr const char* description =
    R"(Divides a fixed amount of work into tasks of different lengths, runs them on a pool, and prints what the pool adds:
one line of CSV for each length.)";

constexpr const char* footer =
    R"(LENGTH is a positive number with a unit: 100ns, 2.5us, 10ms, 1s; a number alone counts milliseconds.

Modes:
  sleep      each task sleeps on its worker: the simulation that comes with wadingpool
  spin       each task computes for that long
  coroutine  each task is a coroutine that waits for that long and holds no worker

Columns:
  task_ms               length of a task
  elapsed_ms            from the first task posted (or the last one: --clock after) to the last result
  threads               workers of the pool
  ideal_ms              sleep: ceil(tasks / threads) * length; coroutine: length, as all wait at the same time;
                        spin: measured, the same work divided evenly among so many plain threads
  overhead_us_per_task  (elapsed - ideal) * threads / tasks
  tasks, mode, pool     what was run
Of several repetitions the one with the median of elapsed / ideal is printed.

Exit codes: 0, 1 when it failed (no threads, no memory), 2 for bad usage.)";

const char* const unit_help = "a positive length such as 100ns, 2.5us, 10ms, 1s (a number alone counts milliseconds)";

nanoseconds parse_length(const std::string& text) {
    const CLI::ValidationError malformed("length", '"' + text + "\" is not " + unit_help);
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped_at, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc()) throw malformed;
    static const std::map<std::string, double> units{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"", 1e6}, {"s", 1e9}};
    const auto unit = units.find(std::string(stopped_at, end));
    if (unit == units.end()) throw malformed;
    const double length = number * unit->second;
    constexpr double longest = 3600e9;
    if (!(length >= 1 && length <= longest)) throw malformed;
    return nanoseconds(static_cast<std::int64_t>(length));
}

constexpr unsigned most_threads = 4096;

const std::map<std::string, work_mode> modes{
    {"sleep", work_mode::sleep}, {"spin", work_mode::spin}, {"coroutine", work_mode::coroutine}};
const std::map<std::string, pool_kind> pools{{"coex", pool_kind::coex}, {"mutex", pool_kind::mutex_queue}};
const std::map<std::string, result_kind> kinds{{"channel", result_kind::channel}, {"count", result_kind::count}};
const std::map<std::string, clock_start> starts{{"before", clock_start::before_submission},
                                                {"after", clock_start::after_submission}};

template <class Enum>
void add_choice(CLI::App& app, const char* name, const std::map<std::string, Enum>& names, Enum& target,
                const char* help) {
    const auto choose = [&names, &target](const std::string& text) { target = names.at(text); };
    std::vector<std::string> known;
    for (const auto& [each, value] : names) known.push_back(each);
    app.add_option_function<std::string>(name, choose, help)->check(CLI::IsMember(known))->type_name("");
}

void declare(CLI::App& app, options& result) {
    const auto add_length = [&result](const std::vector<std::string>& texts) {
        for (const std::string& each : texts) result.task_lengths.push_back(parse_length(each));
    };
    app.add_option_function<std::vector<std::string>>(
           "lengths", add_length, "Lengths of the tasks (default: those of wadingpool's simulation)")
        ->type_name("LENGTH");
    const auto set_compute = [&result](const std::string& text) { result.compute = parse_length(text); };
    app.add_option_function<std::string>("-c,--compute", set_compute,
                                         "The work that is divided into tasks (default 50s, as wadingpool)")
        ->type_name("LENGTH");
    app.add_option("--most-tasks", result.most_tasks, "Never more tasks than this, so less work for short ones")
        ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}))
        ->type_name("N");
    app.add_option("-t,--threads", result.threads, "Workers (default: as many as CPUs may be used)")
        ->check(CLI::Range(1U, most_threads))
        ->type_name("N");
    app.add_option("-r,--repetitions", result.repetitions, "How often each length is measured (default 1)")
        ->check(CLI::Range(1U, 1'000U))
        ->type_name("N");
    add_choice(app, "-m,--mode", modes, result.mode, "sleep (default), spin or coroutine");
    add_choice(app, "-p,--pool", pools, result.pool, "coex (default), or mutex: one queue, one mutex, as wadingpool's");
    add_choice(app, "--results", kinds, result.results,
               "channel: each task sends its result (default); count: it only counts itself");
    add_choice(app, "--clock", starts, result.start,
               "Start the clock before the tasks are posted (default), or after, as wadingpool's simulation");
    app.set_version_flag("-V,--version", "granularity " COEX_VERSION);
}

exit_code complain(const std::string& problem) {
    std::cerr << "granularity: " << problem << "; see granularity --help\n";
    return exit_usage;
}

std::vector<nanoseconds> lengths_of_wadingpool() {
    std::vector<nanoseconds> all;
    for (const int each : {2, 5, 10, 20, 50, 100, 250, 500, 1000}) all.push_back(std::chrono::milliseconds(each));
    return all;
}

}  // namespace

std::variant<options, exit_code> parse_options(int argument_count, char** arguments) {
    CLI::App app(description, "granularity");
    app.footer(footer);
    app.get_formatter()->column_width(30);
    options result;
    result.compute = std::chrono::seconds(50);
    result.most_tasks = std::numeric_limits<std::size_t>::max();
    result.repetitions = 1;
    declare(app, result);
    try {
        app.parse(argument_count, arguments);
    } catch (const CLI::Success& success) {
        app.exit(success);
        return exit_success;
    } catch (const CLI::ParseError& error) {
        return complain(error.what());
    }
    if (result.task_lengths.empty()) result.task_lengths = lengths_of_wadingpool();
    if (result.mode == work_mode::coroutine && result.pool == pool_kind::mutex_queue)
        return complain("--mode coroutine needs --pool coex: the other pool knows no coroutines");
    for (const nanoseconds each : result.task_lengths) {
        if (each > result.compute) return complain("a task is longer than all the work of --compute");
    }
    return result;
}

const char* name_of(work_mode mode) noexcept {
    switch (mode) {
        case work_mode::sleep:
            return "sleep";
        case work_mode::spin:
            return "spin";
        case work_mode::coroutine:
            break;
    }
    return "coroutine";
}

const char* name_of(pool_kind pool) noexcept {
    return pool == pool_kind::coex ? "coex" : "mutex";
}

}  // namespace granularity
