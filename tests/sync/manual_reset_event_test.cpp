#include <exec/sync/manual_reset_event.hpp>

#include "sync/support.hpp"

#include <exec/algo/then.hpp>
#include <exec/coro/sync_wait.hpp>

#include <gtest/gtest.h>

#include <memory>

namespace {

using namespace coex_test;
using coex::block_on;
using coex::inplace_stop_source;
using coex::manual_reset_event;
using coex::static_thread_pool;
using coex::task;

task<> wait_and_count(manual_reset_event& event, std::atomic<int>& begun, std::atomic<int>& ended) {
    begun.fetch_add(1);
    co_await event;
    ended.fetch_add(1);
}

std::vector<task<>> waiters(int count, manual_reset_event& event, std::atomic<int>& begun, std::atomic<int>& ended) {
    std::vector<task<>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(wait_and_count(event, begun, ended));
    return tasks;
}

static_assert(sizeof(coex::detail::wait_awaiter<manual_reset_event>) == sizeof(void*), "what a waiting task pays");

TEST(manual_reset_event, lets_pass_at_once_when_it_is_set) {
    manual_reset_event event(true);
    EXPECT_TRUE(event.is_set());
    block_on([](manual_reset_event& what) -> task<> { co_await what; }(event));
    EXPECT_TRUE(event.wait());
    event.reset();
    EXPECT_FALSE(event.is_set());
    event.set();
    event.set();
    EXPECT_TRUE(event.is_set());
}

TEST(manual_reset_event, lets_all_pass_who_wait_and_resumes_them_where_they_were) {
    static_thread_pool pool{{.threads = 2}};
    manual_reset_event event;
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    background tasks(pool, waiters(100, event, begun, ended));
    wait_until(begun, 100);
    EXPECT_EQ(ended.load(), 0);
    event.set();
    EXPECT_TRUE(tasks.join());
    EXPECT_EQ(ended.load(), 100);
}

TEST(manual_reset_event, resumes_in_the_order_of_arrival) {
    static_thread_pool pool{{.threads = 1}};
    manual_reset_event event;
    std::atomic<int> begun{0};
    std::vector<int> order;
    std::vector<task<>> tasks;
    for (int i = 0; i < 20; ++i) {
        tasks.push_back(
            [](manual_reset_event& what, std::atomic<int>& arrived, std::vector<int>& book, int number) -> task<> {
                arrived.fetch_add(1);
                co_await what;
                book.push_back(number);
            }(event, begun, order, i));
    }
    background all(pool, std::move(tasks));
    wait_until(begun, 20);
    // On the pool's only worker, so that nothing is resumed before all are told.
    pool.submit([&event] { event.set(); }).get();
    all.join();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(manual_reset_event, holds_no_worker_while_tasks_wait) {
    static_thread_pool pool{{.threads = 1}};
    manual_reset_event event;
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    background tasks(pool, waiters(10, event, begun, ended));
    wait_until(begun, 10);
    EXPECT_EQ(pool.submit([] { return 7; }).get(), 7);
    event.set();
    EXPECT_TRUE(tasks.join());
}

TEST(manual_reset_event, is_a_sender_too) {
    manual_reset_event event(true);
    auto result = coex::sync_wait(event.when_set() | coex::then([] { return 5; }));
    EXPECT_EQ(std::get<0>(*result), 5);
}

TEST(manual_reset_event, a_sender_that_is_never_started_does_nothing) {
    manual_reset_event event;
    static_cast<void>(event.when_set());
    auto unused = event.when_set() | coex::then([] {});
    static_cast<void>(unused);
}

TEST(manual_reset_event, a_stop_ends_the_wait_and_leaves_the_others_in) {
    static_thread_pool pool{{.threads = 2}};
    manual_reset_event event;
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    inplace_stop_source source;
    background stopped(pool, waiters(50, event, begun, ended), source.get_token());
    background others(pool, waiters(50, event, begun, ended));
    wait_until(begun, 100);
    source.request_stop();
    EXPECT_FALSE(stopped.join());
    EXPECT_EQ(ended.load(), 0);
    event.set();
    EXPECT_TRUE(others.join());
    EXPECT_EQ(ended.load(), 50);
}

TEST(manual_reset_event, an_await_after_a_stop_request_is_stopped) {
    manual_reset_event event;
    inplace_stop_source source;
    source.request_stop();
    EXPECT_TRUE(background::stops(
        [&] { block_on([](manual_reset_event& what) -> task<> { co_await what; }(event), source.get_token()); }));
}

TEST(manual_reset_event, blocks_a_thread_until_it_is_set_or_stopped) {
    manual_reset_event event;
    std::atomic<int> passed{0};
    std::thread waiter([&] { passed.store(event.wait() ? 1 : -1); });
    event.set();
    waiter.join();
    EXPECT_EQ(passed.load(), 1);

    event.reset();
    inplace_stop_source source;
    std::thread stopped([&] { passed.store(event.wait(source.get_token()) ? 1 : -1); });
    source.request_stop();
    stopped.join();
    EXPECT_EQ(passed.load(), -1);
    EXPECT_FALSE(event.wait(source.get_token())) << "stopped before it came";
}

TEST(manual_reset_event, a_worker_that_waits_runs_other_work_of_its_pool) {
    static_thread_pool pool{{.threads = 1}};
    const bool passed = pool.install([&pool] {
        manual_reset_event event;
        pool.post([&event] { event.set(); });
        return event.wait();
    });
    EXPECT_TRUE(passed);
}

TEST(manual_reset_event, what_was_let_through_may_destroy_it) {
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 2'000; ++i) {
        auto event = std::make_unique<manual_reset_event>();
        manual_reset_event& seen = *event;
        auto setter = pool.submit([&seen] { seen.set(); });
        if (i % 3 == 0) {
            block_on([](manual_reset_event& what) -> task<> { co_await what; }(seen));
        } else if (i % 3 == 1) {
            seen.wait();
        } else {
            while (!seen.is_set()) std::this_thread::yield();
        }
        event.reset();
        setter.get();
    }
}

using manual_reset_event_death = testing::Test;
TEST(manual_reset_event_death, destroying_one_that_somebody_waits_for_aborts_with_a_message) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            static_thread_pool pool{{.threads = 1}};
            auto event = std::make_unique<manual_reset_event>();
            std::atomic<int> begun{0};
            std::atomic<int> ended{0};
            background tasks(pool, waiters(1, *event, begun, ended));
            wait_until(begun, 1);
            pool.submit([] {}).get();  // the only worker has left the task: it waits
            event.reset();
        },
        "is destroyed while somebody waits for it");
}

// Sets, resets, stops and waits of all kinds at random. A wait that was begun before the last set must end.
TEST(manual_reset_event, no_wake_is_lost_among_sets_resets_and_stops) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < 200; ++round) {
        manual_reset_event event;
        std::atomic<int> begun{0};
        std::atomic<int> ended{0};
        inplace_stop_source source;
        background stoppable(pool, waiters(20, event, begun, ended), source.get_token());
        background others(pool, waiters(20, event, begun, ended));
        std::thread blocked([&] { event.wait(); });
        std::thread stops([&source] { source.request_stop(); });
        for (int i = 0; i < 10; ++i) {
            event.set();
            event.reset();
        }
        event.set();
        const bool ended_by_set = stoppable.join();
        EXPECT_TRUE(others.join());
        blocked.join();
        stops.join();
        EXPECT_GE(ended.load(), ended_by_set ? 40 : 20);
        EXPECT_LE(ended.load(), 40);
    }
}

}  // namespace
