#include <exec/io/timer.hpp>

#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using coex::block_on;
using coex::sleep_for;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;

// There may be a million of them: with more, the frame of a task that only sleeps takes two cache lines more.
static_assert(sizeof(coex::detail::sleep_awaiter) <= 72);

task<bool> sleeps(std::chrono::milliseconds duration) {
    const auto begin = coex::timer_clock::now();
    co_await sleep_for(duration);
    co_return coex::timer_clock::now() - begin >= duration;
}

task<bool> sleeps_on(static_thread_pool& pool, std::chrono::milliseconds duration) {
    co_await pool.schedule();
    const bool long_enough = co_await sleeps(duration);
    co_return long_enough&& pool.this_thread_index().has_value();
}

TEST(timer, sleeping_takes_at_least_as_long_as_asked_and_resumes_where_it_was) {
    static_thread_pool pool{{.threads = 2}};
    EXPECT_TRUE(block_on(sleeps(5ms))) << "on the thread that blocks";
    EXPECT_TRUE(block_on(sleeps_on(pool, 5ms)));
    EXPECT_TRUE(block_on(sleeps_on(pool, 0ms)));
    EXPECT_TRUE(block_on(sleeps_on(pool, -5ms)));
}

task<void> note(static_thread_pool& pool, std::chrono::milliseconds duration, std::vector<int>& order, int which) {
    co_await pool.schedule();
    co_await sleep_for(duration);
    order.push_back(which);
}

TEST(timer, deadlines_are_met_in_their_order_whatever_the_order_of_arming) {
    static_thread_pool pool{{.threads = 1}};
    std::vector<int> order;
    std::vector<task<void>> sleepers;
    for (const int which : {3, 1, 2, 0}) sleepers.push_back(note(pool, which * 30ms + 10ms, order, which));
    block_on(coex::when_all(std::move(sleepers)));
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

task<void> sleeps_long(static_thread_pool& pool, std::atomic<int>& begun) {
    co_await pool.schedule();
    begun.fetch_add(1);
    co_await sleep_for(1h);
}

TEST(timer, a_stop_request_ends_the_wait) {
    static_thread_pool pool{{.threads = 2}};
    std::atomic<int> begun{0};
    for (int i = 1; i <= 300; ++i) {
        coex::inplace_stop_source source;
        std::thread stopper([&] {
            while (begun.load() < i) std::this_thread::yield();
            source.request_stop();
        });
        EXPECT_FALSE(sync_wait(sleeps_long(pool, begun), source.get_token()).has_value());
        stopper.join();
    }
}

TEST(timer, a_pool_that_is_destroyed_ends_the_waits_of_its_coroutines) {
    std::atomic<int> begun{0};
    for (int i = 1; i <= 50; ++i) {
        std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 2});
        std::thread sleeper([&] { EXPECT_FALSE(sync_wait(sleeps_long(*pool, begun)).has_value()); });
        while (begun.load() < i) std::this_thread::yield();
        pool.reset();
        sleeper.join();
    }
}

task<void> races(static_thread_pool& pool, int round) {
    co_await pool.schedule();
    co_await sleep_for(std::chrono::microseconds(round % 200));
}

TEST(timer, a_stop_that_races_the_deadline_ends_the_wait_once) {
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 1'000; ++i) {
        coex::inplace_stop_source source;
        std::thread stopper([&source, i] {
            std::this_thread::sleep_for(std::chrono::microseconds(i * 7 % 200));
            source.request_stop();
        });
        static_cast<void>(sync_wait(races(pool, i), source.get_token()));
        stopper.join();
    }
}

task<void> sleeps_again(static_thread_pool& pool, int times, std::atomic<int>& woken) {
    co_await pool.schedule();
    for (int i = 0; i < times; ++i) {
        co_await sleep_for(std::chrono::microseconds(i * 13 % 300));
        woken.fetch_add(1);
    }
}

TEST(timer, no_timer_is_stranded_while_workers_fall_asleep_and_wake) {
    static_thread_pool pool{{.threads = 3}};
    std::atomic<int> woken{0};
    std::vector<task<void>> sleepers;
    for (int i = 0; i < 10; ++i) sleepers.push_back(sleeps_again(pool, 200, woken));
    block_on(coex::when_all(std::move(sleepers)));
    EXPECT_EQ(woken.load(), 2'000);
}

/// Processor time of this process, user's and kernel's.
std::chrono::nanoseconds processor_time() {
    timespec time{};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) std::abort();
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

task<void> sleeps_until(static_thread_pool& pool, coex::timer_clock::time_point deadline, std::atomic<int>& armed) {
    co_await pool.schedule();
    armed.fetch_add(1);
    co_await coex::sleep_until(deadline);
}

TEST(timer, ten_thousand_sleepers_hold_no_worker_and_cost_nothing_when_they_are_gone) {
    static_thread_pool pool{{.threads = 2}};
    constexpr int sleepers = 10'000;
    std::atomic<int> armed{0};
    std::atomic<int> ran{0};
    coex::inplace_stop_source source;
    std::thread waiting([&] {
        std::vector<task<void>> all;
        const auto far_away = coex::timer_clock::now() + 1h;
        for (int i = 0; i < sleepers; ++i) all.push_back(sleeps_until(pool, far_away, armed));
        EXPECT_FALSE(sync_wait(coex::when_all(std::move(all)), source.get_token()).has_value());
    });
    while (armed.load() < sleepers) std::this_thread::yield();
    for (int i = 0; i < 1'000; ++i) ran.fetch_add(pool.submit([] { return 1; }).get());
    EXPECT_EQ(ran.load(), 1'000) << "plain tasks run while all sleep";
    source.request_stop();
    waiting.join();
    std::this_thread::sleep_for(100ms);
    const auto before = processor_time();
    std::this_thread::sleep_for(1s);
    // A worker that span would have used up to a second.
    EXPECT_LE(processor_time() - before, 10ms);
}

}  // namespace
