#include <exec/pool/static_thread_pool.hpp>

#include "pool/pool_access.hpp"
#include "pool/pool_core.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Each test blocks for ever when a wake-up is lost: work is there, and a worker sleeps that could do it.

namespace {

using coex::static_thread_pool;

/// Passes a random, short while, so that the rounds of a test meet at different points.
void dither(std::minstd_rand& random, unsigned most) {
    for (unsigned left = static_cast<unsigned>(random()) % most; left > 0; --left) {
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
}

TEST(pool_wake, wake_is_not_lost_when_two_posts_from_outside_need_each_other) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 3'000; ++i) {
        const auto meeting = std::make_shared<std::latch>(3);  // outlives whoever leaves it last
        pool.post([] {});  // keeps one worker busy, or not any more, when the next two come
        dither(random, 3'000);
        pool.post([meeting] { meeting->arrive_and_wait(); });
        pool.post([meeting] { meeting->arrive_and_wait(); });
        meeting->arrive_and_wait();
    }
}

TEST(pool_wake, wake_is_not_lost_when_a_task_needs_the_one_it_posts) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 3'000; ++i) {
        dither(random, 20'000);
        pool.submit([&pool] {
                std::latch meeting(2);
                auto other = pool.submit([&meeting] { meeting.arrive_and_wait(); });
                meeting.arrive_and_wait();
                other.get();
            })
            .get();
    }
}

TEST(pool_wake, wake_is_not_lost_along_a_chain_that_needs_every_worker) {
    constexpr int workers = 4;
    static_thread_pool pool{{.threads = workers}};
    for (int i = 0; i < 500; ++i) {
        const auto meeting = std::make_shared<std::latch>(workers + 1);
        pool.post([&pool, meeting] {
            for (int k = 1; k < workers; ++k) pool.post([meeting] { meeting->arrive_and_wait(); });
            meeting->arrive_and_wait();
        });
        meeting->arrive_and_wait();
    }
}

coex::task<void> meet(static_thread_pool& pool, std::latch& meeting) {
    co_await pool.schedule();
    meeting.arrive_and_wait();
}

TEST(pool_wake, wake_is_not_lost_when_coroutines_arrive_from_two_threads) {
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 1'000; ++i) {
        std::latch meeting(2);
        std::thread other([&] { coex::block_on(meet(pool, meeting)); });
        coex::block_on(meet(pool, meeting));
        other.join();
    }
}

TEST(pool_wake, wake_is_not_lost_when_a_waiting_worker_is_needed_for_other_work) {
    static_thread_pool slow{{.threads = 1}};
    static_thread_pool pool{{.threads = 1}};
    for (int i = 0; i < 1'000; ++i) {
        std::atomic<bool> go{false};
        // The one worker waits for `slow`, which waits for what only that worker can do meanwhile.
        auto waiting = pool.submit([&] {
            return slow
                .submit([&go] {
                    go.wait(false);
                    return 7;
                })
                .get();
        });
        pool.post([&go] {
            go.store(true);
            go.notify_one();
        });
        ASSERT_EQ(waiting.get(), 7);
    }
}

struct opening_timer final : coex::timer_node {
    explicit opening_timer(std::shared_ptr<std::latch> opened) noexcept
        : timer_node(&opening_timer::on_expired), latch(std::move(opened)) {}
    static void on_expired(timer_node* self) noexcept {
        const std::shared_ptr<std::latch> kept = static_cast<opening_timer*>(self)->latch;
        kept->count_down();
    }
    const std::shared_ptr<std::latch> latch;
};

// The worker that is told of the deadline may find an item that comes at this moment: then another must keep the time.
TEST(pool_wake, a_timer_is_kept_by_a_sleeper_when_the_one_that_was_told_of_it_finds_work) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    static_thread_pool pool{{.threads = 3}};
    coex::timer_service& timers = coex::detail::pool_access::core(pool).timers();
    for (int i = 0; i < 1'000; ++i) {
        const auto over = std::make_shared<std::latch>(1);
        opening_timer timer(over);
        std::atomic<bool> armed{false};
        dither(random, 1'000'000);  // long enough for all to fall asleep
        auto arming = pool.submit([&] {
            timer.deadline = timers.now() + std::chrono::microseconds(500);
            const bool accepted = timers.arm(timer);
            armed.store(true);
            over->wait();
            return accepted;
        });
        while (!armed.load()) std::this_thread::yield();
        dither(random, 300'000);
        auto busy = pool.submit([&] { over->wait(); });
        ASSERT_TRUE(arming.get());
        busy.get();
    }
}

TEST(pool_wake, stampede_of_submitters_all_get_their_answers) {
    std::vector<std::thread> threads;
    std::atomic<long> sum{0};
    static_thread_pool pool{{.threads = 2}};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 1'500; ++i) {
                sum.fetch_add(pool.submit([&pool, i] { return pool.submit([i] { return i; }).get(); }).get());
            }
        });
    }
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(sum.load(), 4L * 1'500 * 1'499 / 2);
}

}  // namespace
