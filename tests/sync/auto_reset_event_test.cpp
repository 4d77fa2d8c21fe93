#include <exec/sync/auto_reset_event.hpp>

#include "sync/support.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace {

using namespace coex_test;
using coex::auto_reset_event;
using coex::block_on;
using coex::inplace_stop_source;
using coex::static_thread_pool;
using coex::task;

task<> pass(auto_reset_event& event, std::atomic<int>& begun, std::atomic<int>& passed, int times) {
    begun.fetch_add(1);
    for (int i = 0; i < times; ++i) {
        co_await event;
        passed.fetch_add(1);
    }
}

TEST(auto_reset_event, lets_one_pass_for_each_set) {
    auto_reset_event event;
    EXPECT_FALSE(event.is_set());
    event.set();
    event.set();
    EXPECT_TRUE(event.is_set());
    EXPECT_TRUE(event.wait());
    EXPECT_FALSE(event.is_set()) << "sets do not add up";
    event.set();
    event.reset();
    EXPECT_FALSE(event.is_set());
}

TEST(auto_reset_event, gives_a_set_to_the_one_that_has_waited_longest) {
    static_thread_pool pool{{.threads = 1}};
    auto_reset_event event;
    std::atomic<int> begun{0};
    std::vector<int> order;
    std::vector<task<>> tasks;
    for (int i = 0; i < 10; ++i) {
        tasks.push_back(
            [](auto_reset_event& what, std::atomic<int>& arrived, std::vector<int>& book, int number) -> task<> {
                arrived.fetch_add(1);
                co_await what;
                book.push_back(number);
                what.set();
            }(event, begun, order, i));
    }
    background all(pool, std::move(tasks));
    wait_until(begun, 10);
    pool.submit([&event] { event.set(); }).get();
    all.join();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
    EXPECT_TRUE(event.is_set()) << "the last one's";
}

TEST(auto_reset_event, gives_the_set_of_one_that_was_stopped_to_the_next) {
    static_thread_pool pool{{.threads = 2}};
    auto_reset_event event;
    std::atomic<int> begun{0};
    std::atomic<int> passed{0};
    inplace_stop_source source;
    std::vector<task<>> first;
    first.push_back(pass(event, begun, passed, 1));
    background stopped(pool, std::move(first), source.get_token());
    wait_until(begun, 1);
    std::vector<task<>> second;
    second.push_back(pass(event, begun, passed, 1));
    background next(pool, std::move(second));
    wait_until(begun, 2);
    source.request_stop();
    EXPECT_FALSE(stopped.join());
    event.set();
    EXPECT_TRUE(next.join());
    EXPECT_EQ(passed.load(), 1);
}

TEST(auto_reset_event, a_worker_that_waits_runs_other_work_of_its_pool) {
    static_thread_pool pool{{.threads = 1}};
    EXPECT_TRUE(pool.install([&pool] {
        auto_reset_event event;
        pool.post([&event] { event.set(); });
        return event.wait();
    }));
}

// Two sides take turns: a lost wake-up would hang them, a doubled one break the order.
TEST(auto_reset_event, wake_is_not_lost_between_two_that_take_turns) {
    static_thread_pool pool{{.threads = 2}};
    auto_reset_event ping;
    auto_reset_event pong;
    int ball = 0;
    constexpr int rounds = 20'000;
    std::vector<task<>> sides;
    sides.push_back([](auto_reset_event& mine, auto_reset_event& other, int& value) -> task<> {
        for (int i = 0; i < rounds; ++i) {
            co_await mine;
            if (value++ != 2 * i) value = -1'000'000;
            other.set();
        }
    }(ping, pong, ball));
    background player(pool, std::move(sides));
    for (int i = 0; i < rounds; ++i) {
        ping.set();
        ASSERT_TRUE(pong.wait());
        ASSERT_EQ(ball++, 2 * i + 1);
    }
    EXPECT_TRUE(player.join());
}

// Each set before the next pass is one pass: setters wait for their set to be taken.
TEST(auto_reset_event, no_loss_no_duplicate_among_tasks_and_threads) {
    static_thread_pool pool{{.threads = 2}};
    constexpr int takers = 8;
    constexpr int each = 500;
    auto_reset_event event;
    std::atomic<int> begun{0};
    std::atomic<int> passed{0};
    std::vector<task<>> tasks;
    for (int i = 0; i < takers; ++i) tasks.push_back(pass(event, begun, passed, each));
    background all(pool, std::move(tasks));
    std::thread blocked([&] {
        for (int i = 0; i < each; ++i) {
            event.wait();
            passed.fetch_add(1);
        }
    });
    constexpr int total = (takers + 1) * each;
    for (int i = 0; i < total; ++i) {
        event.set();
        while (passed.load() != i + 1) std::this_thread::yield();
    }
    EXPECT_TRUE(all.join());
    blocked.join();
    EXPECT_EQ(passed.load(), total);
    EXPECT_FALSE(event.is_set());
}

}  // namespace
