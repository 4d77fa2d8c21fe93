#include <exec/sync/async_mutex.hpp>

#include "sync/support.hpp"

#include <exec/algo/then.hpp>
#include <exec/coro/sync_wait.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace {

using namespace coex_test;
using coex::async_lock;
using coex::async_mutex;
using coex::block_on;
using coex::inplace_stop_source;
using coex::static_thread_pool;
using coex::task;

TEST(async_mutex, belongs_to_one_at_a_time) {
    async_mutex mutex;
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_FALSE(mutex.try_scoped_lock());
    mutex.unlock();
    {
        async_lock held = mutex.try_scoped_lock();
        EXPECT_TRUE(held);
        async_lock moved = std::move(held);
        EXPECT_FALSE(held.owns_lock());
        EXPECT_FALSE(mutex.try_lock());
    }
    EXPECT_TRUE(mutex.wait_lock());
    async_lock early(mutex);
    early.unlock();
    EXPECT_FALSE(early);
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
}

TEST(async_mutex, a_lock_is_released_when_its_scope_is_left) {
    async_mutex mutex;
    block_on([](async_mutex& what) -> task<> {
        const async_lock lock = co_await what.scoped_lock();
        EXPECT_FALSE(what.try_lock());
    }(mutex));
    block_on([](async_mutex& what) -> task<> {
        if (const async_lock lock = co_await what.scoped_lock()) {
            EXPECT_FALSE(what.try_lock());
        }
        co_await what.lock();
        what.unlock();
    }(mutex));
    EXPECT_THROW(block_on([](async_mutex& what) -> task<> {
                     auto lock = co_await what.scoped_lock();
                     throw std::runtime_error("inside");
                 }(mutex)),
                 std::runtime_error);
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
}

TEST(async_mutex, is_a_sender_too) {
    async_mutex mutex;
    auto result = coex::sync_wait(mutex.scoped_lock() | coex::then([&](async_lock lock) {
                                      EXPECT_FALSE(mutex.try_lock());
                                      return lock.owns_lock();
                                  }));
    EXPECT_TRUE(std::get<0>(*result));
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
}

task<> hold_and_note(async_mutex& mutex, std::atomic<int>& begun, std::vector<int>& book, int number) {
    begun.fetch_add(1);
    const async_lock lock = co_await mutex.scoped_lock();
    book.push_back(number);
}

TEST(async_mutex, serves_in_the_order_of_arrival) {
    static_thread_pool pool{{.threads = 1}};
    async_mutex mutex;
    ASSERT_TRUE(mutex.try_lock());
    std::atomic<int> begun{0};
    std::vector<int> order;
    std::vector<task<>> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(hold_and_note(mutex, begun, order, i));
    background all(pool, std::move(tasks));
    wait_until(begun, 10);
    pool.submit([] {}).get();  // now all of them wait
    mutex.unlock();
    all.join();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(async_mutex, a_stopped_wait_leaves_the_mutex_to_the_next) {
    static_thread_pool pool{{.threads = 1}};
    async_mutex mutex;
    ASSERT_TRUE(mutex.try_lock());
    std::atomic<int> begun{0};
    std::vector<int> order;
    std::vector<task<>> first;
    std::vector<task<>> second;
    inplace_stop_source source;
    first.push_back(hold_and_note(mutex, begun, order, 1));
    background stopped(pool, std::move(first), source.get_token());
    wait_until(begun, 1);
    second.push_back(hold_and_note(mutex, begun, order, 2));
    background next(pool, std::move(second));
    wait_until(begun, 2);
    pool.submit([] {}).get();
    source.request_stop();
    EXPECT_FALSE(stopped.join());
    mutex.unlock();
    EXPECT_TRUE(next.join());
    EXPECT_EQ(order, (std::vector<int>{2}));
}

TEST(async_mutex, unlocking_one_that_nobody_has_locked_aborts_with_a_message) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    async_mutex mutex;
    EXPECT_DEATH(mutex.unlock(), "unlocked, but nobody has locked it");
}

// Whoever holds the mutex adds to a plain variable, over a hop: sanitizers see every race, the sum every loss.
TEST(async_mutex, no_loss_no_duplicate_in_a_stampede_with_stops) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < 20; ++round) {
        async_mutex mutex;
        long guarded = 0;
        std::vector<task<>> steady;
        std::vector<task<>> stopped;
        for (int i = 0; i < 10; ++i) {
            steady.push_back([](static_thread_pool& place, async_mutex& what, long& value) -> task<> {
                for (int k = 0; k < 50; ++k) {
                    const async_lock lock = co_await what.scoped_lock();
                    const long before = value;
                    co_await place.schedule();
                    value = before + 1;
                }
            }(pool, mutex, guarded));
            stopped.push_back([](async_mutex& what) -> task<> {
                for (;;) const async_lock lock = co_await what.scoped_lock();
            }(mutex));
        }
        inplace_stop_source source;
        background a(pool, std::move(steady));
        background b(pool, std::move(stopped), source.get_token());
        std::thread blocked([&] {
            for (int k = 0; k < 100; ++k) {
                mutex.wait_lock();
                ++guarded;
                mutex.unlock();
            }
        });
        blocked.join();
        source.request_stop();
        EXPECT_FALSE(b.join());
        EXPECT_TRUE(a.join());
        EXPECT_EQ(guarded, 600);
        EXPECT_TRUE(mutex.try_lock()) << "left unlocked";
        mutex.unlock();
    }
}

}  // namespace
