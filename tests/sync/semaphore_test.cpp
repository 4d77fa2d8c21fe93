#include <exec/sync/semaphore.hpp>

#include "sync/support.hpp"

#include <exec/algo/then.hpp>
#include <exec/coro/sync_wait.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace coex_test;
using coex::block_on;
using coex::inplace_stop_source;
using coex::semaphore;
using coex::static_thread_pool;
using coex::task;

TEST(semaphore, gives_out_as_many_permits_as_there_are) {
    semaphore permits(2);
    EXPECT_EQ(permits.available(), 2U);
    EXPECT_TRUE(permits.try_acquire());
    EXPECT_TRUE(permits.wait_acquire());
    EXPECT_FALSE(permits.try_acquire());
    permits.release(3);
    EXPECT_EQ(permits.available(), 3U);
    permits.release(0);
    block_on([](semaphore& what) -> task<> { co_await what.acquire(); }(permits));
    EXPECT_EQ(permits.available(), 2U);
}

TEST(semaphore, is_a_sender_too) {
    semaphore permits(1);
    auto result = coex::sync_wait(permits.acquire() | coex::then([] { return 5; }));
    EXPECT_EQ(std::get<0>(*result), 5);
    EXPECT_EQ(permits.available(), 0U);
}

TEST(semaphore, serves_in_the_order_of_arrival_and_lets_nobody_overtake) {
    static_thread_pool pool{{.threads = 1}};
    semaphore permits(0);
    std::atomic<int> begun{0};
    std::vector<int> order;
    std::vector<task<>> tasks;
    for (int i = 0; i < 6; ++i) {
        tasks.push_back([](semaphore& what, std::atomic<int>& arrived, std::vector<int>& book, int number) -> task<> {
            arrived.fetch_add(1);
            co_await what.acquire();
            book.push_back(number);
        }(permits, begun, order, i));
    }
    background all(pool, std::move(tasks));
    wait_until(begun, 6);
    pool.submit([&permits] {
            permits.release(4);
            EXPECT_FALSE(permits.try_acquire()) << "all four are given away already";
            permits.release(3);
            EXPECT_TRUE(permits.try_acquire()) << "one was left";
        })
        .get();
    all.join();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(permits.available(), 0U);
}

TEST(semaphore, a_stopped_wait_takes_no_permit) {
    semaphore permits(0);
    inplace_stop_source source;
    std::atomic<bool> got{true};
    std::thread waiter([&] { got.store(permits.wait_acquire(source.get_token())); });
    source.request_stop();
    waiter.join();
    EXPECT_FALSE(got.load());
    permits.release();
    EXPECT_EQ(permits.available(), 1U);
}

TEST(semaphore, a_worker_that_waits_runs_other_work_of_its_pool) {
    static_thread_pool pool{{.threads = 1}};
    EXPECT_TRUE(pool.install([&pool] {
        semaphore permits(0);
        pool.post([&permits] { permits.release(); });
        return permits.wait_acquire();
    }));
}

TEST(semaphore, more_permits_than_it_can_count_abort_with_a_message) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(semaphore(static_cast<std::size_t>(-1)), "more permits than semaphore::max");
    semaphore full(semaphore::max);
    EXPECT_DEATH(full.release(), "released more often than it can count");
}

class limited {
public:
    explicit limited(int most) : most_(most) {}
    void enter() {
        const int inside = inside_.fetch_add(1) + 1;
        if (inside > most_) broken_.store(true);
    }
    void leave() {
        inside_.fetch_sub(1);
        passed_.fetch_add(1);
    }
    [[nodiscard]] bool broken() const { return broken_.load(); }
    [[nodiscard]] int passed() const { return passed_.load(); }

private:
    const int most_;
    std::atomic<int> inside_{0};
    std::atomic<int> passed_{0};
    std::atomic<bool> broken_{false};
};

task<> go_through(static_thread_pool& pool, semaphore& permits, limited& room, int times) {
    for (int i = 0; i < times; ++i) {
        co_await permits.acquire();
        room.enter();
        co_await pool.schedule();
        room.leave();
        permits.release();
    }
}

// Tasks of which half are stopped some time, threads, and a thread that tries.
TEST(semaphore, no_loss_no_duplicate_of_permits_in_a_stampede) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < 20; ++round) {
        semaphore permits(3);
        limited room(3);
        inplace_stop_source source;
        std::vector<task<>> steady;
        std::vector<task<>> stopped;
        for (int i = 0; i < 10; ++i) steady.push_back(go_through(pool, permits, room, 50));
        // A task that unwinds with a permit in its hands would lose it: these hold none when they can be stopped.
        std::atomic<int> begun{0};
        for (int i = 0; i < 10; ++i) {
            stopped.push_back([](semaphore& what, std::atomic<int>& arrived) -> task<> {
                for (;;) {
                    arrived.fetch_add(1);
                    co_await what.acquire();
                    what.release();
                }
            }(permits, begun));
        }
        background a(pool, std::move(steady));
        background b(pool, std::move(stopped), source.get_token());
        std::thread blocked([&] {
            for (int i = 0; i < 100; ++i) {
                permits.wait_acquire();
                room.enter();
                room.leave();
                permits.release();
            }
        });
        while (begun.load() < 10) std::this_thread::yield();
        for (int i = 0; i < 100; ++i) {
            if (permits.try_acquire()) permits.release();
        }
        source.request_stop();
        EXPECT_FALSE(b.join());
        EXPECT_TRUE(a.join());
        blocked.join();
        EXPECT_FALSE(room.broken());
        EXPECT_EQ(room.passed(), 600);
        EXPECT_EQ(permits.available(), 3U);
    }
}

}  // namespace
