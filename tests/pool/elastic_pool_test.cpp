#include <exec/base/config.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/broadcast.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/pool_observer.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include "support/elastic.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::pool_options;
using coex::static_thread_pool;
using namespace std::chrono_literals;

constexpr int rounds = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 20 : 100;

TEST(elastic_pool, grows_while_tasks_wait_and_every_worker_is_blocked) {
    std::latch meet(4);
    static_thread_pool pool{{.threads = 1, .max_threads = 4}};
    std::vector<coex::submission<void>> handles;
    for (int i = 0; i < 4; ++i) handles.push_back(pool.submit([&meet] { meet.arrive_and_wait(); }));
    for (auto& each : handles) each.get();  // only four threads at once can get past it
    EXPECT_EQ(pool.stats().threads, 4U);
    EXPECT_EQ(pool.thread_count(), 1U);
}

TEST(elastic_pool, grows_for_what_blocked_tasks_have_posted_into_their_own_queues) {
    std::latch meet(4);
    static_thread_pool pool{{.threads = 2, .max_threads = 4}};
    for (int i = 0; i < 2; ++i) {
        pool.post([&] {
            pool.post([&meet] { meet.arrive_and_wait(); });
            meet.arrive_and_wait();
        });
    }
    meet.wait();
}

TEST(elastic_pool, never_grows_beyond_its_maximum) {
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    {
        static_thread_pool pool{{.threads = 1, .max_threads = 3}};
        for (int i = 0; i < 50; ++i) {
            pool.post([&] {
                const int now = inside.fetch_add(1) + 1;
                for (int seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
                }
                std::this_thread::sleep_for(2ms);
                inside.fetch_sub(1);
            });
        }
    }
    EXPECT_LE(most.load(), 3);
}

TEST(elastic_pool, does_not_grow_while_no_task_waits) {
    std::latch hold(1);
    static_thread_pool pool{{.threads = 1, .max_threads = 64}};
    // From its sleep the worker takes the task for certain; before, it may not have begun yet.
    while (pool.stats().parked == 0) std::this_thread::yield();
    auto blocked = pool.submit([&hold] { hold.wait(); });
    while (pool.stats().running == 0) std::this_thread::yield();
    std::this_thread::sleep_for(10ms);
    EXPECT_EQ(pool.stats().threads, 1U);
    hold.count_down();
    blocked.get();
    EXPECT_EQ(pool.stats().threads, 1U);
}

TEST(elastic_pool, shrinks_after_keep_alive_and_grows_again_with_the_same_indices) {
    std::mutex mutex;
    std::multiset<unsigned> started;
    std::multiset<unsigned> stopped;
    std::set<unsigned> used;
    const auto note = [&mutex](auto& where) {
        return [&mutex, &where](unsigned index) {
            const std::lock_guard lock(mutex);
            where.insert(index);
        };
    };
    {
        static_thread_pool pool{{.name = "swells",
                                 .threads = 1,
                                 .max_threads = 3,
                                 .keep_alive = 5ms,
                                 .on_thread_start = note(started),
                                 .on_thread_stop = note(stopped)}};
        for (int i = 0; i < 5; ++i) {
            std::barrier meet(3);
            std::vector<coex::submission<void>> handles;
            for (int k = 0; k < 3; ++k) {
                handles.push_back(pool.submit([&] {
                    note(used)(*pool.this_thread_index());
                    meet.arrive_and_wait();
                }));
            }
            for (auto& each : handles) each.get();
            while (pool.stats().threads != 1) std::this_thread::yield();
        }
    }
    EXPECT_EQ(used, (std::set<unsigned>{0, 1, 2}));
    EXPECT_EQ(started, stopped);
    EXPECT_EQ(started.count(0), 1U);
    EXPECT_EQ(started.count(1), 5U);
    EXPECT_EQ(started.count(2), 5U);
    coex_test::wait_for_no_thread_named("swells");
}

TEST(elastic_pool, leaves_no_task_behind_when_workers_leave_all_the_time) {
    std::atomic<int> ran{0};
    int posted = 0;
    {
        static_thread_pool pool{{.threads = 1, .max_threads = 4, .keep_alive = 0ms}};
        for (int i = 0; i < rounds; ++i) {
            for (int k = 0; k < 8; ++k, ++posted) {
                pool.post([&ran, k] {
                    if (k % 4 == 0) std::this_thread::sleep_for(1ms);
                    ran.fetch_add(1);
                });
            }
            if (i % 3 == 0) pool.submit([] {}).get();
        }
    }
    EXPECT_EQ(ran.load(), posted);
}

TEST(elastic_pool, wakes_at_every_timer_while_its_workers_come_and_go) {
    std::atomic<int> ended{0};
    static_thread_pool pool{{.threads = 1, .max_threads = 3, .keep_alive = 1ms}};
    std::vector<coex::submission<void>> handles;
    for (int i = 0; i < 20 * rounds; ++i) {
        handles.push_back(pool.submit([&ended, i]() -> coex::task<> {
            co_await coex::sleep_for(std::chrono::microseconds(300 * (i % 7)));
            std::this_thread::sleep_for(std::chrono::microseconds(i % 5 == 0 ? 1500 : 0));
            ended.fetch_add(1);
        }));
    }
    for (auto& each : handles) each.get();
    EXPECT_EQ(ended.load(), 20 * rounds);
}

// Once, a task was run on the way out, waited there, and then counted as searching for ever: nobody was woken any more.
TEST(elastic_pool, a_task_that_waits_after_its_worker_has_left_does_not_keep_the_others_asleep) {
    std::optional<coex::submission<void>> posted_at_the_end;
    std::atomic<bool> is_held{false};
    std::atomic<bool> has_posted{false};
    std::latch release(1);
    std::atomic<static_thread_pool*> made{nullptr};
    static_thread_pool elsewhere{{.threads = 1}};
    const auto parked = [&] { return made.load()->stats().parked; };
    const auto on_stop = [&](unsigned index) {
        if (index == 0 || !is_held.load() || has_posted.exchange(true)) return;
        posted_at_the_end = made.load()->submit([&] {
            elsewhere.install([&, before = parked()] {
                while (parked() == before) std::this_thread::yield();
            });
        });
    };
    static_thread_pool pool{{.threads = 1, .max_threads = 2, .keep_alive = 0ms, .on_thread_stop = on_stop}};
    made.store(&pool);
    auto blocked = coex_test::hold_first_worker(pool, release);
    is_held.store(true);
    pool.submit([] {}).get();  // by another worker, which then leaves
    while (!has_posted.load()) std::this_thread::yield();
    while (pool.stats().threads != 1) std::this_thread::yield();
    posted_at_the_end->get();
    while (pool.stats().threads != 1) std::this_thread::yield();
    const auto before = parked();
    release.count_down();
    blocked.get();
    while (parked() == before) std::this_thread::yield();
    for (int i = 0; i < 3; ++i) pool.submit([] {}).get();
}

int fib(int n) {
    if (n < 2) return n;
    const auto [a, b] = coex::fork_join([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
    return a + b;
}

TEST(elastic_pool, forks_are_taken_by_those_that_it_grew_by) {
    static_thread_pool pool{{.threads = 1, .max_threads = 3, .keep_alive = 1ms}};
    for (int i = 0; i < 5; ++i) {
        std::latch meet(2);
        auto blocked = pool.submit([&meet] { meet.arrive_and_wait(); });
        EXPECT_EQ(pool.install([] { return fib(18); }), 2584);
        meet.arrive_and_wait();
        blocked.get();
        // Both sides must run at the same time: the forked one on a worker by which the pool grows.
        std::barrier both(2);
        pool.install(
            [&both] { coex::fork_join([&both] { both.arrive_and_wait(); }, [&both] { both.arrive_and_wait(); }); });
    }
}

TEST(elastic_pool, is_destroyed_at_any_moment_and_runs_all_that_it_accepted) {
    for (int i = 0; i < rounds; ++i) {
        std::atomic<int> ran{0};
        {
            static_thread_pool pool{{.threads = 1, .max_threads = 4, .keep_alive = std::chrono::milliseconds(i % 3)}};
            for (int k = 0; k < i % 12; ++k) {
                pool.post([&ran, &pool] {
                    std::this_thread::sleep_for(500us);
                    pool.post([&ran] { ran.fetch_add(1); });
                });
            }
            if (i % 4 == 0) std::this_thread::sleep_for(2ms);
        }
        ASSERT_EQ(ran.load(), i % 12);
    }
}

TEST(elastic_pool, tasks_that_wait_for_later_ones_end_also_while_the_pool_is_destroyed) {
    std::binary_semaphore go{0};
    {
        static_thread_pool pool{{.threads = 1, .max_threads = 2}};
        pool.post([&go] { go.acquire(); });
        pool.post([&go] { go.release(); });
    }
}

TEST(elastic_pool, also_grows_by_threads_of_the_users) {
    std::atomic<int> spawned{0};
    static_thread_pool pool{
        {.threads = 1, .max_threads = 3, .keep_alive = 1ms, .spawn_thread = [&](coex::thread_body body) {
             spawned.fetch_add(1);
             std::thread([body = std::move(body)]() mutable { body.run(); }).detach();
         }}};
    for (int i = 0; i < 3; ++i) {
        std::barrier meet(3);
        std::vector<coex::submission<void>> handles;
        for (int k = 0; k < 3; ++k) handles.push_back(pool.submit([&meet] { meet.arrive_and_wait(); }));
        for (auto& each : handles) each.get();
        while (pool.stats().threads != 1) std::this_thread::yield();
    }
    EXPECT_EQ(spawned.load(), 7);
}

TEST(elastic_pool, goes_on_when_no_thread_is_to_be_had) {
    std::atomic<int> told{0};
    std::atomic<int> refuse{2};
    std::latch meet(2);
    static_thread_pool pool{{.threads = 1,
                             .max_threads = 2,
                             .on_exception = [&told](std::exception_ptr) { told.fetch_add(1); },
                             .spawn_thread =
                                 [&](coex::thread_body body) {
                                     if (body.index() == 1 && refuse.fetch_sub(1) > 0) throw std::runtime_error("none");
                                     std::thread([body = std::move(body)]() mutable { body.run(); }).detach();
                                 }}};
    auto one = pool.submit([&meet] { meet.arrive_and_wait(); });
    auto two = pool.submit([&meet] { meet.arrive_and_wait(); });
    one.get();
    two.get();
    EXPECT_EQ(told.load(), 2) << "it has tried again";
}

TEST(elastic_pool, options_that_make_no_sense_are_refused) {
    EXPECT_THROW(static_thread_pool({.threads = 4, .max_threads = 2}), std::invalid_argument);
    EXPECT_THROW(static_thread_pool({.threads = 1, .max_threads = 100'000}), std::invalid_argument);
    EXPECT_THROW(static_thread_pool({.threads = 1, .max_threads = 2, .keep_alive = -1ms}), std::invalid_argument);
    EXPECT_EQ(static_thread_pool({.max_threads = 1}).thread_count(), 1U) << "the automatic number is no more than that";
    EXPECT_EQ(static_thread_pool({.threads = 2, .max_threads = 2}).stats().threads, 2U);
    static_thread_pool forever{{.threads = 1, .max_threads = 2, .keep_alive = std::chrono::milliseconds::max()}};
    std::latch meet(2);
    auto one = forever.submit([&meet] { meet.arrive_and_wait(); });
    forever.submit([&meet] { meet.arrive_and_wait(); }).get();
    one.get();
}

TEST(elastic_pool, the_thread_that_makes_it_may_be_its_first_worker) {
    std::atomic<bool> ran{false};
    static_thread_pool pool{{.threads = 1, .max_threads = 2, .use_current_thread = true}};
    // This thread does not work for the pool meanwhile: so it grows.
    pool.post([&ran] { ran.store(true); });
    while (!ran.load()) std::this_thread::yield();
}

TEST(elastic_pool, a_broadcast_reaches_the_workers_that_it_always_has) {
    std::latch meet(3);
    static_thread_pool pool{{.threads = 1, .max_threads = 3}};
    std::vector<coex::submission<void>> handles;
    for (int i = 0; i < 3; ++i) handles.push_back(pool.submit([&meet] { meet.arrive_and_wait(); }));
    for (auto& each : handles) each.get();
    const auto indices = pool.broadcast([](coex::broadcast_context context) { return context.index(); });
    EXPECT_EQ(indices, std::vector<unsigned>{0});
}

TEST(elastic_pool, those_that_it_grows_by_take_tasks_of_all_priorities) {
    // Levels in use before it grows, and only after.
    for (const bool before : {true, false}) {
        std::latch meet(3);
        std::atomic<int> ran{0};
        static_thread_pool pool{{.threads = 1, .max_threads = 2}};
        const auto count = [&ran] { ran.fetch_add(1); };
        if (before) pool.submit(coex::priority::high, [] {}).get();
        pool.post([&meet] { meet.arrive_and_wait(); });
        pool.post([&meet] { meet.arrive_and_wait(); });
        meet.arrive_and_wait();
        std::latch hold(1);
        auto blocked = pool.submit([&hold] { hold.wait(); });
        for (int i = 0; i < 100; ++i) {
            pool.post(coex::priority::low, count);
            pool.post(coex::priority::high, count);
            pool.post(count);
        }
        while (ran.load() != 300) std::this_thread::yield();
        hold.count_down();
        blocked.get();
    }
}

class head_count final : public coex::pool_observer {
public:
    void worker_started(const coex::observed_pool&, std::size_t worker) noexcept override { note(worker, 1); }
    void worker_stopped(const coex::observed_pool&, std::size_t worker) noexcept override { note(worker, -1); }
    [[nodiscard]] int of(std::size_t worker) {
        const std::lock_guard lock(mutex_);
        return present_[worker];
    }
    [[nodiscard]] std::size_t seen() {
        const std::lock_guard lock(mutex_);
        return present_.size();
    }

private:
    void note(std::size_t worker, int change) {
        const std::lock_guard lock(mutex_);
        present_[worker] += change;
    }

    std::mutex mutex_;
    std::map<std::size_t, int> present_;
};

TEST(elastic_pool, its_observer_is_told_who_comes_and_goes) {
    head_count heads;
    {
        std::latch meet(3);
        static_thread_pool pool{
            {.threads = 1, .max_threads = 3, .keep_alive = std::chrono::milliseconds(1), .observer = &heads}};
        std::vector<coex::submission<void>> handles;
        for (int i = 0; i < 3; ++i) handles.push_back(pool.submit([&meet] { meet.arrive_and_wait(); }));
        for (auto& each : handles) each.get();
        while (pool.stats().threads != 1) std::this_thread::yield();
        EXPECT_EQ(heads.of(0), 1);
    }
    EXPECT_EQ(heads.seen(), 3U);
    for (const std::size_t worker : {0U, 1U, 2U}) EXPECT_EQ(heads.of(worker), 0);
}

}  // namespace
