// Races that were found once, each as the promise it broke.

#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;
using coex::task;

void spin(unsigned rounds) {
    for (unsigned i = 0; i < rounds; ++i) asm volatile("");
}

// One task waits for another; both were posted from outside, and there is a worker for each. A worker that moved both
// to its own queue, unseen by one that was falling asleep, left the second to itself.
TEST(pool_races, work_on_the_move_from_the_injector_is_seen_by_a_worker_that_falls_asleep) {
    static_thread_pool pool{{.threads = 2}};
    std::mt19937 random(20'261'123);
    for (int round = 0; round < 1'000; ++round) {
        std::atomic<bool> second_ran{false};
        std::atomic<int> left{3};
        const unsigned length = static_cast<unsigned>(random() % 4'000);
        pool.post([&left, length] {
            spin(length);
            left.fetch_sub(1);
        });
        spin(static_cast<unsigned>(random() % 3'000));
        pool.post([&] {
            while (!second_ran.load()) std::this_thread::yield();  // for ever, when the wake-up was lost
            left.fetch_sub(1);
        });
        pool.post([&] {
            second_ran.store(true);
            left.fetch_sub(1);
        });
        while (left.load() != 0) std::this_thread::yield();
    }
}

TEST(pool_races, a_pool_does_not_end_while_one_of_its_tasks_begins_to_wait_for_another_pool) {
    static_thread_pool other{{.name = "other", .threads = 1}};
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        std::atomic<int> got{0};
        std::atomic<bool> begun{false};
        const unsigned before = static_cast<unsigned>(random() % 3'000);
        {
            static_thread_pool pool{{.threads = 2}};
            pool.post([&] {
                begun.store(true);
                spin(before);
                auto slow = other.submit([] {
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                    return 42;
                });
                got.store(slow.get());
            });
            while (!begun.load()) std::this_thread::yield();
        }
        ASSERT_EQ(got.load(), 42);
    }
}

TEST(pool_races, stop_may_be_requested_while_the_owner_waits_in_get) {
    static_thread_pool pool{{.threads = 1}};
    for (int round = 0; round < 100; ++round) {
        std::atomic<bool> begun{false};  // one that is stopped before it begins never does
        auto handle = pool.submit([&begun](coex::inplace_stop_token token) {
            begun.store(true);
            while (!token.stop_requested()) std::this_thread::yield();
            return true;
        });
        std::thread stopper([&] {
            while (!begun.load()) std::this_thread::yield();
            EXPECT_TRUE(handle.request_stop());
        });
        EXPECT_TRUE(handle.get());
        stopper.join();
    }
}

TEST(pool_races, a_handler_may_wait_for_a_function_of_another_pool) {
    std::atomic<int> sum{0};
    static_thread_pool other{{.name = "other", .threads = 1}};
    const auto ask = [&](unsigned) { sum.fetch_add(other.submit([] { return 21; }).get()); };
    {
        static_thread_pool pool{{.threads = 1, .on_thread_start = ask, .on_thread_stop = ask}};
    }
    EXPECT_EQ(sum.load(), 42);
}

task<void> yields(static_thread_pool& pool, const std::atomic<bool>& stop, std::atomic<int>& yielded) {
    while (!stop.load()) {
        co_await pool.schedule();
        yielded.fetch_add(1);
    }
}

// More coroutines than the ready queue holds keep it full for ever.
TEST(pool_races, an_outside_post_runs_however_full_the_ready_queue_is) {
    std::atomic<bool> stop{false};
    std::atomic<int> yielded{0};
    static_thread_pool pool{{.threads = 1}};
    std::thread waiting([&] {
        std::vector<task<void>> all;
        for (int i = 0; i < 400; ++i) all.push_back(yields(pool, stop, yielded));
        coex::block_on(coex::when_all(std::move(all)));
    });
    while (yielded.load() < 10'000) std::this_thread::yield();
    for (int i = 0; i < 10; ++i) pool.submit([] {}).get();
    stop.store(true);
    waiting.join();
}

TEST(pool_races, an_impossible_cpu_number_is_refused) {
    EXPECT_THROW(static_thread_pool({.threads = 1, .cpus = {4'294'967'295U}}), std::invalid_argument);
}

}  // namespace
