#include "measurement.hpp"

#include "mutex_pool.hpp"
#include "spinning.hpp"

#include <exec/exec.hpp>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace granularity {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

struct done {};  // what a task sends: that it has ended

/// What a task does for its length.
class work {
public:
    work(work_mode mode, nanoseconds length)
        : length_(length), steps_(mode == work_mode::spin ? steps_of(length) : 0) {}

    void operator()() const {
        if (steps_ != 0) {
            spin(steps_);
        } else {
            std::this_thread::sleep_for(length_);
        }
    }
    [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

private:
    nanoseconds length_;
    std::uint64_t steps_;
};

template <class Pool>
nanoseconds time_with_channel(Pool& pool, const options& wanted, const work& each, std::size_t tasks) {
    coex::channel<done> results;
    const auto first = clock::now();
    for (std::size_t i = 0; i < tasks; ++i) {
        pool.post([each, tx = results.sender()] {
            each();
            tx.send(done());
        });
    }
    const auto begin = wanted.start == clock_start::before_submission ? first : clock::now();
    for ([[maybe_unused]] const done& result : results) {
    }
    return clock::now() - begin;
}

template <class Pool>
nanoseconds time_with_count(Pool& pool, const options& wanted, const work& each, std::size_t tasks) {
    coex::manual_reset_event all_done;
    std::atomic<std::size_t> remaining{tasks};
    const auto first = clock::now();
    for (std::size_t i = 0; i < tasks; ++i) {
        pool.post([each, &remaining, &all_done] {
            each();
            if (remaining.fetch_sub(1) == 1) all_done.set();
        });
    }
    const auto begin = wanted.start == clock_start::before_submission ? first : clock::now();
    all_done.wait();
    return clock::now() - begin;
}

template <class Pool>
nanoseconds time_on(Pool& pool, const options& wanted, const work& each, std::size_t tasks) {
    return wanted.results == result_kind::channel ? time_with_channel(pool, wanted, each, tasks)
                                                  : time_with_count(pool, wanted, each, tasks);
}

coex::task<> wait_for(nanoseconds length) {
    co_await coex::sleep_for(length);
}

coex::task<> wait_for_all(coex::static_thread_pool& pool, nanoseconds length, std::size_t tasks) {
    std::vector<coex::task<>> all;
    all.reserve(tasks);
    for (std::size_t i = 0; i < tasks; ++i) all.push_back(wait_for(length));
    co_await pool.schedule();
    co_await coex::when_all(std::move(all));
}

measurement measure_coroutines(const options& wanted, nanoseconds length, std::size_t tasks) {
    coex::pool_options options;
    options.name = "work";
    options.threads = wanted.threads;
    coex::static_thread_pool pool(std::move(options));
    const auto begin = clock::now();
    coex::block_on(wait_for_all(pool, length, tasks));
    return {tasks, clock::now() - begin, length};
}

measurement measure_once(const options& wanted, nanoseconds length, std::size_t tasks) {
    if (wanted.mode == work_mode::coroutine) return measure_coroutines(wanted, length, tasks);
    const work each(wanted.mode, length);
    const auto rounds = static_cast<std::int64_t>((tasks + wanted.threads - 1) / wanted.threads);
    const nanoseconds ideal =
        wanted.mode == work_mode::spin ? time_on_threads(tasks, each.steps(), wanted.threads) : rounds * length;
    if (wanted.pool == pool_kind::mutex_queue) {
        mutex_pool pool(wanted.threads);
        return {tasks, time_on(pool, wanted, each, tasks), ideal};
    }
    coex::pool_options options;
    options.name = "work";
    options.threads = wanted.threads;
    coex::static_thread_pool pool(std::move(options));
    return {tasks, time_on(pool, wanted, each, tasks), ideal};
}

}  // namespace

measurement measure(const options& wanted, nanoseconds length) {
    const std::size_t tasks = std::min(static_cast<std::size_t>(wanted.compute / length), wanted.most_tasks);
    std::vector<measurement> all;
    for (unsigned i = 0; i < wanted.repetitions; ++i) all.push_back(measure_once(wanted, length, tasks));
    const auto median = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), median, all.end(),
                     [](const measurement& a, const measurement& b) { return a.loss() < b.loss(); });
    return *median;
}

}  // namespace granularity
