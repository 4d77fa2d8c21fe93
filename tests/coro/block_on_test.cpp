#include <exec/coro/block_on.hpp>

#include "coro/support.hpp"

#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using coex::block_on;
using coex::sync_wait;
using coex::task;
using std::chrono::milliseconds;

static_assert(std::same_as<decltype(sync_wait(std::declval<task<int>>())), std::optional<std::tuple<int>>>);
static_assert(std::same_as<decltype(sync_wait(std::declval<task<int&>>())), std::optional<std::tuple<int&>>>);
static_assert(std::same_as<decltype(sync_wait(std::declval<task<>>())), std::optional<std::tuple<>>>);

task<int> give(int value) {
    co_return value;
}
task<> sleep_long() {
    co_await coex::sleep_for(std::chrono::hours(1));
}

TEST(block_on, gives_the_value_or_rethrows) {
    const auto fail = []() -> task<int> {
        throw std::logic_error("no");
        co_return 0;
    };
    EXPECT_EQ(block_on(give(3)), 3);
    EXPECT_THROW(block_on(fail()), std::logic_error);
    EXPECT_EQ(sync_wait(give(3)), std::tuple(3));
    EXPECT_THROW(sync_wait(fail()), std::logic_error);
}

TEST(block_on, gives_values_that_only_move) {
    const auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(1); };
    EXPECT_EQ(*block_on(make()), 1);
    EXPECT_EQ(*std::get<0>(*sync_wait(make())), 1);
}

TEST(block_on, of_stopped_work_throws_operation_canceled) {
    coex::inplace_stop_source source;
    source.request_stop();
    try {
        block_on(sleep_long(), source.get_token());
        ADD_FAILURE() << "nothing was thrown";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::operation_canceled);
    }
}

TEST(block_on, sync_wait_of_stopped_work_gives_nothing) {
    coex::inplace_stop_source source;
    source.request_stop();
    EXPECT_EQ(sync_wait(sleep_long(), source.get_token()), std::nullopt);
}

TEST(block_on, work_that_ends_before_it_looks_at_the_token_is_not_stopped) {
    coex::inplace_stop_source source;
    source.request_stop();
    EXPECT_EQ(block_on(give(3), source.get_token()), 3);
}

TEST(block_on, takes_every_awaitable) {
    coex::static_thread_pool pool{coex::pool_options{.name = "any", .threads = 1}};
    block_on(pool.schedule());
    block_on(coex::sleep_for(milliseconds(1)));
    EXPECT_EQ(block_on(pool.submit([] { return 4; })), 4);
    EXPECT_EQ(sync_wait(pool.submit([] { return 4; })), std::tuple(4));
    EXPECT_EQ(sync_wait(coex::when_all()), std::tuple());
}

TEST(block_on, may_be_used_inside_a_task_that_it_runs) {
    const auto outer = []() -> task<int> {
        const int inner = block_on(give(1));
        co_await coex::sleep_for(milliseconds(1));
        co_return inner + block_on(give(2));
    };
    EXPECT_EQ(block_on(outer()), 3);
}

TEST(block_on, works_from_many_threads_at_once) {
    constexpr int threads = 4;
    constexpr int rounds = 500;
    coex::static_thread_pool pool{coex::pool_options{.name = "shared", .threads = 2}};
    std::atomic<int> sum{0};
    const auto work = [&pool](int i) -> task<int> {
        co_await pool.schedule();
        if (i % 16 == 0) co_await coex::sleep_for(std::chrono::microseconds(50));
        co_return 1;
    };
    std::vector<std::thread> blocked;
    for (int t = 0; t < threads; ++t) {
        blocked.emplace_back([&] {
            for (int i = 0; i < rounds; ++i) sum += block_on(work(i));
        });
    }
    for (std::thread& each : blocked) each.join();
    EXPECT_EQ(sum, threads * rounds);
}

// The end of the work on a worker frees the blocked thread, which destroys the loop and the frame while the worker may
// still be on its way out.
TEST(block_on, may_return_and_the_pool_be_destroyed_as_soon_as_the_work_has_ended) {
    constexpr int rounds = 200;
    for (int round = 0; round < rounds; ++round) {
        coex::static_thread_pool pool{coex::pool_options{.name = "brief", .threads = 2}};
        const auto work = [&pool]() -> task<int> {
            co_await pool.schedule();
            co_return 1;
        };
        EXPECT_EQ(block_on(work()), 1);
    }
}

TEST(block_on, is_stopped_when_the_pool_of_a_child_is_destroyed) {
    auto pool = std::make_unique<coex::static_thread_pool>(coex::pool_options{.name = "brief", .threads = 1});
    std::atomic<bool> there{false};
    const auto child = [&]() -> task<> {
        co_await pool->schedule();
        there = true;
        there.notify_one();
        co_await sleep_long();
    };
    const auto parent = [&]() -> task<> {
        co_await child();
        ADD_FAILURE() << "the child had no result";
    };
    std::thread destroyer([&] {
        there.wait(false);
        pool.reset();
    });
    EXPECT_FALSE(sync_wait(parent()));
    destroyer.join();
}

}  // namespace
