// The stack stays flat, in every mode of the compilers: however many awaits complete at once, however deep tasks await
// each other, and whichever way the bottom ends.

#include "coro/support.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

using coex::block_on;
using coex::task;

// ThreadSanitizer needs 20 us a level, and what crosses its limits does so at much smaller depths.
constexpr int awaits = 3'000'000;
constexpr int depth = COEX_THREAD_SANITIZER ? 20'000 : COEX_ADDRESS_SANITIZER ? 100'000 : 1'000'000;

enum class bottom : unsigned char { at_once, later, on_pool, fails, waits_for_stop };

task<int> one() {
    co_return 1;
}

[[nodiscard]] COEX_NOINLINE std::uintptr_t stack_place() {
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

task<std::uintptr_t> await_many(int count) {
    const std::uintptr_t before = stack_place();
    int sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await one();
    EXPECT_EQ(sum, count);
    const std::uintptr_t after = stack_place();
    co_return before > after ? before - after : after - before;
}

task<> end_as(bottom how, coex::static_thread_pool& pool) {
    switch (how) {
        case bottom::at_once:
            break;
        case bottom::later:
            co_await coex::sleep_for(std::chrono::milliseconds(1));
            break;
        case bottom::on_pool:
            co_await pool.schedule();
            break;
        case bottom::fails:
            throw std::runtime_error("bottom");
        case bottom::waits_for_stop:
            co_await coex::sleep_for(std::chrono::hours(1));
            break;
    }
}

task<int> dive(int levels, bottom how, coex::static_thread_pool& pool) {
    if (levels == 0) {
        co_await end_as(how, pool);
        co_return 0;
    }
    const int below = co_await dive(levels - 1, how, pool);
    co_return below + 1;
}

task<int> dive_by_when_all(int levels, bottom how, coex::static_thread_pool& pool) {
    if (levels == 0) {
        co_await end_as(how, pool);
        co_return 0;
    }
    const auto [below, width] = co_await coex::when_all(dive_by_when_all(levels - 1, how, pool), one());
    co_return below + width;
}

struct stack_depth : testing::Test {
    coex::static_thread_pool pool{coex::pool_options{.name = "deep", .threads = 2}};
};

TEST_F(stack_depth, is_flat_over_millions_of_awaits_that_complete_at_once) {
    EXPECT_EQ(block_on(await_many(awaits)), 0U);
}

TEST_F(stack_depth, is_flat_over_millions_of_awaits_on_a_worker) {
    const auto on_pool = [this]() -> task<std::uintptr_t> {
        co_await pool.schedule();
        co_return co_await await_many(awaits);
    };
    EXPECT_EQ(block_on(on_pool()), 0U);
}

TEST_F(stack_depth, is_flat_over_many_awaits_that_hop) {
    const auto hopper = [this]() -> task<int> {
        co_await pool.schedule();
        co_return 1;
    };
    const auto loop = [&]() -> task<int> {
        int sum = 0;
        for (int i = 0; i < 20'000; ++i) sum += co_await hopper();
        co_return sum;
    };
    EXPECT_EQ(block_on(loop()), 20'000);
}

TEST_F(stack_depth, is_bounded_when_tasks_await_each_other_a_million_deep) {
    EXPECT_EQ(block_on(dive(depth, bottom::at_once, pool)), depth);
}

TEST_F(stack_depth, is_bounded_when_the_bottom_ends_later) {
    EXPECT_EQ(block_on(dive(depth, bottom::later, pool)), depth);
}

TEST_F(stack_depth, is_bounded_when_the_bottom_ends_on_a_pool) {
    EXPECT_EQ(block_on(dive(depth, bottom::on_pool, pool)), depth);
}

TEST_F(stack_depth, is_bounded_on_a_worker_with_a_small_stack) {
    coex::static_thread_pool small{coex::pool_options{.name = "small", .threads = 1, .stack_bytes = 512 * 1024}};
    const auto on_pool = [&small](bottom how) -> task<int> {
        co_await small.schedule();
        co_return co_await dive(20'000, how, small);
    };
    EXPECT_EQ(block_on(on_pool(bottom::at_once)), 20'000);
    EXPECT_EQ(block_on(on_pool(bottom::on_pool)), 20'000);
}

TEST_F(stack_depth, is_bounded_when_an_exception_rises_from_the_bottom) {
    EXPECT_THROW(block_on(dive(20'000, bottom::fails, pool)), std::runtime_error);
}

TEST_F(stack_depth, is_bounded_when_stop_was_requested_before) {
    coex::inplace_stop_source source;
    source.request_stop();
    EXPECT_FALSE(coex::sync_wait(dive(depth, bottom::waits_for_stop, pool), source.get_token()));
}

TEST_F(stack_depth, is_bounded_when_stop_is_requested_at_the_bottom) {
    coex::inplace_stop_source source;
    const auto stopper = [&source]() -> task<> {
        co_await coex::sleep_for(std::chrono::milliseconds(1));
        source.request_stop();
    };
    const auto both = [&]() -> task<> {
        auto diving = dive(depth, bottom::waits_for_stop, pool);
        auto stopping = stopper();
        co_await coex::when_all(std::move(diving), std::move(stopping));
    };
    EXPECT_FALSE(coex::sync_wait(both(), source.get_token()));
}

TEST_F(stack_depth, is_bounded_when_when_all_is_nested_deep) {
    constexpr int levels = depth / 4;
    EXPECT_EQ(block_on(dive_by_when_all(levels, bottom::at_once, pool)), levels);
    EXPECT_EQ(block_on(dive_by_when_all(levels, bottom::later, pool)), levels);
    EXPECT_EQ(block_on(dive_by_when_all(levels, bottom::on_pool, pool)), levels);
}

}  // namespace
