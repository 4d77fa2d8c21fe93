#include <exec/pool/pool_observer.hpp>

#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using coex::observed_pool;
using coex::static_thread_pool;

/// What an observer was told, in one order.
class protocol final : public coex::pool_observer {
public:
    enum class kind {
        pool_started,
        pool_draining,
        pool_stopped,
        worker_started,
        worker_stopped,
        parked,
        woken,
        notified,
        posted,
        stolen,
        started,
        ended
    };
    struct entry {
        kind what;
        std::uint64_t pool;
        std::size_t worker;
        std::size_t victim;
        std::uintptr_t task;
        std::thread::id thread;
    };

    void pool_started(const observed_pool& pool) noexcept override {
        note(kind::pool_started, pool);
        const std::lock_guard lock(mutex_);
        pools_[pool.number] = pool.name + " with " + std::to_string(pool.threads);
    }
    void pool_draining(const observed_pool& pool) noexcept override { note(kind::pool_draining, pool); }
    void pool_stopped(const observed_pool& pool) noexcept override { note(kind::pool_stopped, pool); }
    void worker_started(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::worker_started, pool, worker);
    }
    void worker_stopped(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::worker_stopped, pool, worker);
    }
    void worker_parked(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::parked, pool, worker);
    }
    void worker_woken(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::woken, pool, worker);
    }
    void worker_notified(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::notified, pool, worker);
    }
    void task_posted(const observed_pool& pool, std::uintptr_t task, coex::priority) noexcept override {
        note(kind::posted, pool, 0, task);
    }
    void task_stolen(const observed_pool& pool, std::size_t worker, std::size_t victim,
                     std::uintptr_t task) noexcept override {
        note(kind::stolen, pool, worker, task, victim);
    }
    void task_started(const observed_pool& pool, std::size_t worker, std::uintptr_t task) noexcept override {
        note(kind::started, pool, worker, task);
    }
    void task_ended(const observed_pool& pool, std::size_t worker, std::uintptr_t task) noexcept override {
        note(kind::ended, pool, worker, task);
    }

    [[nodiscard]] std::vector<entry> entries() const {
        const std::lock_guard lock(mutex_);
        return entries_;
    }
    [[nodiscard]] std::map<std::uint64_t, std::string> pools() const {
        const std::lock_guard lock(mutex_);
        return pools_;
    }
    [[nodiscard]] std::size_t count(kind what) const {
        const std::vector<entry> all = entries();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [what](const entry& each) { return each.what == what; }));
    }

private:
    void note(kind what, const observed_pool& pool, std::size_t worker = 0, std::uintptr_t task = 0,
              std::size_t victim = 0) noexcept {
        const std::lock_guard lock(mutex_);
        entries_.push_back({what, pool.number, worker, victim, task, std::this_thread::get_id()});
    }

    mutable std::mutex mutex_;
    std::vector<entry> entries_;
    std::map<std::uint64_t, std::string> pools_;
};
using kind = protocol::kind;

/// Fails unless each task was posted or stolen, then started, then ended, on one worker.
void expect_whole_lives(const std::vector<protocol::entry>& entries) {
    std::map<std::uintptr_t, int> waiting;
    std::map<std::size_t, std::vector<std::uintptr_t>> running;  // of each worker, innermost last
    for (const protocol::entry& each : entries) {
        if (each.what == kind::posted) ++waiting[each.task];
        // What was posted and then stolen is still the same task; a forked one begins here.
        if (each.what == kind::stolen && waiting[each.task] == 0) ++waiting[each.task];
        if (each.what == kind::started) {
            ASSERT_GT(waiting[each.task], 0) << "started before it was posted";
            --waiting[each.task];
            running[each.worker].push_back(each.task);
        }
        if (each.what == kind::ended) {
            ASSERT_FALSE(running[each.worker].empty());
            ASSERT_EQ(running[each.worker].back(), each.task);
            running[each.worker].pop_back();
        }
    }
    for (const auto& [task, count] : waiting) ASSERT_EQ(count, 0) << "posted and never started";
    for (const auto& [worker, tasks] : running) ASSERT_TRUE(tasks.empty()) << "started and never ended";
}

TEST(pool_observer, every_task_is_posted_then_started_then_ended) {
    protocol seen;
    constexpr std::size_t count = 300;
    {
        static_thread_pool pool{{.threads = 2, .observer = &seen}};
        for (std::size_t i = 0; i < count; ++i) pool.post([&pool] { pool.post([] {}); });
        pool.post_batch(std::vector<std::function<void()>>(count, [] {}));
        ASSERT_EQ(pool.submit([] { return 7; }).get(), 7);
        ASSERT_EQ(pool.install([] { return 8; }), 8);
    }
    EXPECT_EQ(seen.count(kind::posted), 3 * count + 2);
    EXPECT_EQ(seen.count(kind::started), 3 * count + 2);
    expect_whole_lives(seen.entries());
}

TEST(pool_observer, a_pool_begins_with_its_start_and_ends_with_its_stop) {
    protocol seen;
    {
        const static_thread_pool pool{{.name = "watched", .threads = 2, .observer = &seen}};
    }
    const std::vector<protocol::entry> all = seen.entries();
    ASSERT_GE(all.size(), 3U);
    EXPECT_EQ(all.front().what, kind::pool_started);
    EXPECT_EQ(all.back().what, kind::pool_stopped);
    EXPECT_EQ(seen.count(kind::pool_draining), 1U);
    EXPECT_EQ(seen.pools().at(all.front().pool), "watched with 2");
}

TEST(pool_observer, a_worker_is_told_on_its_own_thread_from_start_to_stop) {
    protocol seen;
    std::array<std::atomic<std::thread::id>, 2> threads{};
    {
        static_thread_pool pool{{.threads = 2,
                                 .on_thread_start = [&](unsigned i) { threads[i].store(std::this_thread::get_id()); },
                                 .observer = &seen}};
        for (int i = 0; i < 100; ++i) pool.post([] {});
    }
    const std::set<kind> by_the_worker{kind::worker_started, kind::worker_stopped, kind::parked, kind::woken,
                                       kind::stolen,         kind::started,        kind::ended};
    for (std::size_t worker = 0; worker < 2; ++worker) {
        std::vector<kind> own;
        for (const protocol::entry& each : seen.entries()) {
            if (by_the_worker.count(each.what) == 0 || each.worker != worker) continue;
            EXPECT_EQ(each.thread, threads[worker].load());
            own.push_back(each.what);
        }
        ASSERT_GE(own.size(), 2U);
        EXPECT_EQ(own.front(), kind::worker_started);
        EXPECT_EQ(own.back(), kind::worker_stopped);
    }
}

TEST(pool_observer, each_parked_is_followed_by_woken_on_the_same_worker) {
    protocol seen;
    {
        static_thread_pool pool{{.threads = 2, .observer = &seen}};
        for (int i = 0; i < 50; ++i) {
            const std::uint64_t before = pool.stats().parked;
            pool.submit([] {}).get();
            while (pool.stats().parked == before) std::this_thread::yield();
        }
    }
    std::array<bool, 2> asleep{};
    for (const protocol::entry& each : seen.entries()) {
        if (each.what == kind::parked) {
            EXPECT_FALSE(asleep[each.worker]);
            asleep[each.worker] = true;
        } else if (each.what == kind::woken) {
            EXPECT_TRUE(asleep[each.worker]);
            asleep[each.worker] = false;
        } else if (each.what == kind::started) {
            EXPECT_FALSE(asleep[each.worker]) << "runs a task in its sleep";
        }
    }
    EXPECT_FALSE(asleep[0] || asleep[1]);
    EXPECT_GE(seen.count(kind::parked), 50U);
    EXPECT_GE(seen.count(kind::notified), 1U);
}

TEST(pool_observer, a_stolen_task_names_thief_and_victim) {
    protocol seen;
    std::size_t poster = 0;
    std::size_t thief = 0;
    {
        static_thread_pool pool{{.threads = 2, .observer = &seen}};
        pool.submit([&] {
                poster = pool.this_thread_index().value();
                std::latch taken(1);
                pool.post([&] {
                    thief = pool.this_thread_index().value();
                    taken.count_down();
                });
                taken.wait();
            })
            .get();
    }
    ASSERT_NE(poster, thief);
    const std::vector<protocol::entry> all = seen.entries();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const protocol::entry& each) {
        return each.what == kind::stolen && each.worker == thief && each.victim == poster;
    }));
    expect_whole_lives(all);
}

TEST(pool_observer, a_forked_function_is_told_of_only_when_it_was_taken) {
    protocol seen;
    {
        static_thread_pool pool{{.threads = 1, .observer = &seen}};
        pool.install([] { coex::fork_join([] {}, [] {}, [] {}); });
    }
    EXPECT_EQ(seen.count(kind::started), 1U) << "what nobody took is part of its caller's task";
    protocol taken;
    {
        static_thread_pool pool{{.threads = 2, .observer = &taken}};
        pool.install([] {
            std::latch both(2);
            coex::fork_join([&] { both.arrive_and_wait(); }, [&] { both.arrive_and_wait(); });
        });
    }
    EXPECT_GE(taken.count(kind::stolen), 1U) << "the task itself may be stolen, too";
    EXPECT_EQ(taken.count(kind::started), 2U);
    expect_whole_lives(taken.entries());
}

TEST(pool_observer, tasks_that_a_waiting_worker_runs_lie_inside_the_task_that_waits) {
    protocol seen;
    {
        static_thread_pool pool{{.threads = 1, .observer = &seen}};
        pool.submit([&] { pool.submit([&] { pool.submit([] {}).get(); }).get(); }).get();
    }
    std::vector<kind> order;
    for (const protocol::entry& each : seen.entries()) {
        if (each.what == kind::started || each.what == kind::ended) order.push_back(each.what);
    }
    EXPECT_EQ(order,
              (std::vector<kind>{kind::started, kind::started, kind::started, kind::ended, kind::ended, kind::ended}));
}

coex::task<int> hop(static_thread_pool& there, static_thread_pool& back, int times) {
    for (int i = 0; i < times; ++i) {
        co_await there.schedule();
        co_await back.schedule();
    }
    co_return times;
}

TEST(pool_observer, every_resumption_of_a_coroutine_is_a_task_of_the_pool_that_it_is_on) {
    protocol seen;
    {
        static_thread_pool a{{.threads = 1, .observer = &seen}};
        static_thread_pool b{{.threads = 1, .observer = &seen}};
        ASSERT_EQ(coex::block_on(hop(a, b, 100)), 100);
    }
    std::map<std::uint64_t, int> started;
    for (const protocol::entry& each : seen.entries()) {
        if (each.what == kind::started) ++started[each.pool];
    }
    ASSERT_EQ(started.size(), 2U);
    EXPECT_EQ(started.begin()->second, 100);
    EXPECT_EQ(started.rbegin()->second, 100);
}

coex::task<int> leaf(int value) {
    co_return value;
}
coex::task<int> sum_of_two(static_thread_pool& pool) {
    co_await pool.schedule();
    const auto [a, b] = co_await coex::when_all(leaf(1), leaf(2));
    co_return a + b;
}

TEST(pool_observer, children_of_when_all_are_left_for_others_in_an_observed_pool_too) {
    protocol seen;
    {
        static_thread_pool pool{{.threads = 1, .observer = &seen}};
        ASSERT_EQ(coex::block_on(sum_of_two(pool)), 3);
    }
    EXPECT_EQ(seen.count(kind::posted), 1U) << "only the parent arrived";
}

TEST(pool_observer, a_pool_that_could_not_be_started_is_stopped) {
    protocol seen;
    EXPECT_THROW(static_thread_pool({.threads = 2, .cpus = {65'000}, .observer = &seen}), std::system_error);
    EXPECT_EQ(seen.count(kind::pool_started), 1U);
    EXPECT_EQ(seen.count(kind::pool_stopped), 1U);
    EXPECT_EQ(seen.count(kind::worker_started), seen.count(kind::worker_stopped));
}

TEST(pool_observer, an_observer_that_overrides_nothing_is_told_nothing) {
    struct nothing final : coex::pool_observer {
    } observer;
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 2, .observer = &observer}};
        for (int i = 0; i < 100; ++i) pool.post([&] { ran.fetch_add(1); });
    }
    EXPECT_EQ(ran.load(), 100);
}

TEST(pool_observer, stampede_of_posters_workers_and_forks_is_told_whole) {
    protocol seen;
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 3, .observer = &seen}};
        std::vector<std::thread> posters;
        for (int t = 0; t < 3; ++t) {
            posters.emplace_back([&] {
                for (int i = 0; i < 300; ++i) {
                    pool.post([&] {
                        coex::fork_join([&] { ran.fetch_add(1); }, [&] { ran.fetch_add(1); });
                        pool.post([&] { ran.fetch_add(1); });
                    });
                }
            });
        }
        for (std::thread& each : posters) each.join();
    }
    EXPECT_EQ(ran.load(), 3 * 300 * 3);
    EXPECT_EQ(seen.count(kind::posted), 3U * 300 * 2);
}

}  // namespace
