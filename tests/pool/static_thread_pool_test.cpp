#include <exec/pool/static_thread_pool.hpp>

#include <exec/coro/block_on.hpp>
#include <exec/pool/broadcast.hpp>
#include <exec/sys/cpu_count.hpp>

#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;

TEST(static_thread_pool, runs_every_accepted_task_before_the_destructor_returns) {
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 2}};
        for (int i = 0; i < 10'000; ++i) pool.post([&ran] { ran.fetch_add(1); });
    }
    EXPECT_EQ(ran.load(), 10'000);
}

TEST(static_thread_pool, runs_tasks_that_tasks_post_while_it_is_destroyed) {
    std::atomic<int> ran{0};
    std::function<void(static_thread_pool&, int)> chain = [&](static_thread_pool& pool, int left) {
        ran.fetch_add(1);
        if (left > 0) pool.post([&chain, &pool, left] { chain(pool, left - 1); });
    };
    {
        static_thread_pool pool{{.threads = 2}};
        for (int i = 0; i < 10; ++i) pool.post([&chain, &pool] { chain(pool, 1'000); });
    }
    EXPECT_EQ(ran.load(), 10 * 1'001);
}

TEST(static_thread_pool, one_worker_runs_posts_from_outside_in_order) {
    std::binary_semaphore gate{0};
    std::vector<int> order;
    static_thread_pool pool{{.threads = 1}};
    pool.post([&gate] { gate.acquire(); });
    for (int i = 0; i < 100; ++i) pool.post([&order, i] { order.push_back(i); });
    gate.release();
    pool.submit([] {}).get();
    std::vector<int> expected(100);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(order, expected);
}

TEST(static_thread_pool, one_worker_runs_posts_from_inside_newest_first) {
    std::vector<int> order;
    std::atomic<int> left{5};
    static_thread_pool pool{{.threads = 1}};
    pool.post([&] {
        for (int i = 0; i < 5; ++i) {
            pool.post([&order, &left, i] {
                order.push_back(i);
                left.fetch_sub(1);
            });
        }
    });
    while (left.load() != 0) std::this_thread::yield();
    EXPECT_EQ(order, (std::vector<int>{4, 3, 2, 1, 0}));
}

TEST(static_thread_pool, posts_from_many_threads_all_run) {
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 3}};
        std::vector<std::thread> posters;
        for (int i = 0; i < 4; ++i) {
            posters.emplace_back([&] {
                for (int k = 0; k < 5'000; ++k) pool.post([&ran] { ran.fetch_add(1); });
            });
        }
        for (std::thread& each : posters) each.join();
    }
    EXPECT_EQ(ran.load(), 20'000);
}

TEST(static_thread_pool, wake_is_not_lost_when_posts_meet_falling_asleep) {
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 5'000; ++i) {
        std::atomic<bool> ran{false};
        pool.post([&ran] {
            ran.store(true);
            ran.notify_one();
        });
        ran.wait(false);
    }
}

// The bound that worker.cpp states: 16 items, when nothing waits before the post.
TEST(static_thread_pool, an_outside_post_waits_behind_a_bounded_number_of_self_posting_tasks) {
    std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 1});
    std::atomic<bool> stop{false};
    std::atomic<bool> hold{false};
    std::atomic<int> steps{0};
    std::function<void()> chain = [&] {
        while (hold.load()) std::this_thread::yield();
        steps.fetch_add(1);
        if (!stop.load()) pool->post([&chain] { chain(); });
    };
    pool->post([&chain] { chain(); });
    for (int i = 0; i < 200; ++i) {
        // The one worker is held in a step until both posts are made; so the steps between them are those of the bound.
        std::atomic<int> before{0};
        hold.store(true);
        pool->post([&] { before.store(steps.load()); });
        auto after = pool->submit([&steps] { return steps.load(); });
        hold.store(false);
        EXPECT_LE(after.get() - before.load(), 16);
    }
    stop.store(true);
    pool.reset();  // the last step refers to the chain
}

TEST(static_thread_pool, the_oldest_own_task_is_not_starved_by_a_self_posting_one) {
    std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 1});
    std::atomic<bool> old_one_ran{false};
    std::atomic<int> steps{0};
    std::function<void()> chain = [&] {
        steps.fetch_add(1);
        if (!old_one_ran.load()) pool->post([&chain] { chain(); });
    };
    pool->submit([&] {
            pool->post([&] { old_one_ran.store(true); });  // below the chain in the worker's deque
            pool->post([&chain] { chain(); });
        })
        .get();
    while (!old_one_ran.load()) std::this_thread::yield();
    pool.reset();  // the last step refers to the chain
    EXPECT_LE(steps.load(), 64 + 2);
}

TEST(static_thread_pool, an_index_is_known_on_its_own_workers_only) {
    static_thread_pool pool{{.threads = 2}};
    static_thread_pool other{{.threads = 1}};
    EXPECT_FALSE(pool.this_thread_index().has_value());
    const auto seen = pool.submit([&] { return std::pair(pool.this_thread_index(), other.this_thread_index()); }).get();
    ASSERT_TRUE(seen.first.has_value());
    EXPECT_LT(*seen.first, 2U);
    EXPECT_FALSE(seen.second.has_value());
}

TEST(static_thread_pool, workers_carry_the_pools_name_and_their_index) {
    static_thread_pool pool{{.name = "a-rather-long-name", .threads = 3}};
    pool.broadcast([] {});  // all have begun, and bear their names
    std::set<std::string> names;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        if (name.starts_with("a-rather-long")) names.insert(name);
    }
    EXPECT_EQ(names, (std::set<std::string>{"a-rather-long/0", "a-rather-long/1", "a-rather-long/2"}));
}

TEST(static_thread_pool, without_options_has_as_many_workers_as_the_process_may_use) {
    static_thread_pool pool;
    EXPECT_EQ(pool.thread_count(), coex::default_thread_count());
    EXPECT_EQ(pool.submit([] { return 22; }).get(), 22);
}

TEST(static_thread_pool, the_number_that_is_given_beats_the_variable_which_each_pool_without_one_reads_anew) {
    ::setenv("COEX_NUM_THREADS", "3", 1);
    EXPECT_EQ(static_thread_pool().thread_count(), 3U);
    EXPECT_EQ(static_thread_pool({.threads = 2}).thread_count(), 2U);
    ::setenv("COEX_NUM_THREADS", "4", 1);
    EXPECT_EQ(static_thread_pool().thread_count(), 4U);
    ::setenv("COEX_NUM_THREADS", "many", 1);
    EXPECT_EQ(static_thread_pool({.threads = 2}).thread_count(), 2U) << "not looked at";
    EXPECT_THROW(static_thread_pool(), std::invalid_argument);
    ::unsetenv("COEX_NUM_THREADS");
}

TEST(static_thread_pool, start_and_stop_handlers_run_once_on_each_worker_with_its_index) {
    std::mutex mutex;
    std::multiset<unsigned> started;
    std::multiset<unsigned> stopped;
    {
        static_thread_pool pool{{.threads = 3,
                                 .on_thread_start =
                                     [&](unsigned index) {
                                         const std::lock_guard lock(mutex);
                                         started.insert(index);
                                     },
                                 .on_thread_stop =
                                     [&](unsigned index) {
                                         const std::lock_guard lock(mutex);
                                         stopped.insert(index);
                                     }}};
    }
    EXPECT_EQ(started, (std::multiset<unsigned>{0, 1, 2}));
    EXPECT_EQ(stopped, (std::multiset<unsigned>{0, 1, 2}));
}

TEST(static_thread_pool, an_exception_of_a_posted_task_goes_to_the_handler_and_the_worker_lives_on) {
    std::atomic<int> handled{0};
    static_thread_pool pool{{.threads = 1, .on_exception = [&](std::exception_ptr error) {
                                 try {
                                     std::rethrow_exception(error);
                                 } catch (const std::runtime_error& caught) {
                                     if (std::string(caught.what()) == "boom") handled.fetch_add(1);
                                 }
                             }}};
    pool.post([] { throw std::runtime_error("boom"); });
    pool.post([] { throw std::runtime_error("boom"); });
    pool.submit([] {}).get();
    EXPECT_EQ(handled.load(), 2);
}

TEST(static_thread_pool, equal_pools_have_equal_schedulers) {
    static_thread_pool one{{.threads = 1}};
    static_thread_pool two{{.threads = 1}};
    EXPECT_EQ(one.get_scheduler(), one.get_scheduler());
    EXPECT_NE(one.get_scheduler(), two.get_scheduler());
    static_assert(coex::scheduler<static_thread_pool::scheduler>);
    static_assert(coex::sender<decltype(one.schedule())>);
}

TEST(static_thread_pool, stats_count_what_ran) {
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 100; ++i) pool.submit([] {}).get();
    while (pool.stats().running != 0) std::this_thread::yield();
    EXPECT_EQ(pool.stats().threads, 2U);
    EXPECT_GE(pool.stats().executed, 99U) << "the last one is counted after its end";
    EXPECT_EQ(pool.stats().queued, 0U);
}

TEST(static_thread_pool, options_that_cannot_be_met_are_refused_and_leave_no_thread_behind) {
    EXPECT_THROW(static_thread_pool({.name = "refused", .threads = 100'000}), std::invalid_argument);
    EXPECT_THROW(static_thread_pool({.name = "refused", .threads = 2, .stack_bytes = 1}), std::system_error);
    try {
        static_thread_pool pool({.name = "refused", .threads = 2, .cpus = {0, 9'999}});
        FAIL() << "there is no CPU 9999";
    } catch (const std::system_error& error) {
        EXPECT_NE(std::string(error.what()).find("9999"), std::string::npos) << error.what();
    }
    coex_test::wait_for_no_thread_named("refused");
}

TEST(static_thread_pool, pools_are_created_and_destroyed_a_thousand_times) {
    std::atomic<int> ran{0};
    for (int i = 0; i < 1'000; ++i) {
        static_thread_pool pool{{.threads = 1U + static_cast<unsigned>(i % 3)}};
        if (i % 2 == 0) pool.post([&ran] { ran.fetch_add(1); });
    }
    EXPECT_EQ(ran.load(), 500);
}

TEST(static_thread_pool, a_task_may_be_posted_from_the_destructor_of_another) {
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 1}};
        struct posts_at_end {
            static_thread_pool* pool;
            std::atomic<int>* ran;
            ~posts_at_end() {
                pool->post([ran = ran] { ran->fetch_add(1); });
            }
        };
        for (int i = 0; i < 100; ++i) {
            auto last = std::make_shared<posts_at_end>(&pool, &ran);
            pool.post([last = std::move(last)] {});
        }
    }
    EXPECT_EQ(ran.load(), 100);
}

TEST(static_thread_pool, an_idle_pool_does_not_keep_waking) {
    static_thread_pool pool{{.threads = 4}};
    pool.submit([] {}).get();
    const auto parked = [&pool] { return pool.stats().parked; };
    // Wait until nobody falls asleep any more; a worker that woke by itself would fall asleep again, and be counted.
    for (std::uint64_t seen = parked();;) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (parked() == seen) break;
        seen = parked();
    }
    const std::uint64_t asleep = parked();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_EQ(parked(), asleep);
}

using static_thread_pool_death = ::testing::Test;

TEST(static_thread_pool_death, an_exception_without_handler_terminates) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            static_thread_pool pool{{.threads = 1}};
            pool.post([] { throw std::runtime_error("nobody handles this"); });
        },
        "nobody handles this");
}

TEST(static_thread_pool_death, destroying_a_pool_on_its_own_worker_aborts_with_a_message) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            auto pool = std::make_unique<static_thread_pool>(coex::pool_options{.threads = 1});
            static_thread_pool& same = *pool;
            std::binary_semaphore never{0};
            same.post([&pool] { pool.reset(); });
            never.acquire();
        },
        "destroyed on one of its own workers");
}

}  // namespace
