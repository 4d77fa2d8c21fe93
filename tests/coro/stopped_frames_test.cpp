// Where, when and how deep the frames of stopped tasks are destroyed.

#include "coro/support.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using coex::sync_wait;
using coex::task;
using coex_test::journal;
using coex_test::local;
using lines = std::vector<std::string>;

struct stopped_frames : testing::Test {
    coex::static_thread_pool pool{coex::pool_options{.name = "a", .threads = 2}};
    coex::static_thread_pool other{coex::pool_options{.name = "b", .threads = 2}};
    coex::inplace_stop_source source;
    journal book;

    task<> sleep_on(coex::static_thread_pool& where, std::string name) {
        co_await where.schedule();
        const local mine(book, std::move(name), where);
        co_await coex::sleep_for(std::chrono::hours(1));
    }
};

TEST_F(stopped_frames, of_a_root_are_destroyed_where_the_root_was) {
    source.request_stop();
    EXPECT_FALSE(sync_wait(sleep_on(pool, "root"), source.get_token()));
    EXPECT_EQ(book.lines(), lines{"root on its pool"});
}

TEST_F(stopped_frames, of_children_of_when_all_are_destroyed_where_each_child_was) {
    source.request_stop();
    EXPECT_FALSE(sync_wait(coex::when_all(sleep_on(pool, "child"), sleep_on(other, "child")), source.get_token()));
    EXPECT_EQ(book.lines(), (lines{"child on its pool", "child on its pool"}));
}

// The child unwinds on its pool while its parent is about to suspend.
TEST_F(stopped_frames, of_a_child_are_destroyed_where_the_child_was_whoever_comes_first) {
    source.request_stop();
    constexpr int rounds = 2000;
    const auto parent = [this]() -> task<> {
        co_await pool.schedule();
        co_await sleep_on(other, "child");
    };
    for (int round = 0; round < rounds; ++round) EXPECT_FALSE(sync_wait(parent(), source.get_token()));
    EXPECT_EQ(book.lines(), lines(rounds, "child on its pool"));
}

// A stopped child must not hold what its siblings wait for until they end: it could be a lock.
TEST_F(stopped_frames, of_a_child_of_when_all_are_destroyed_before_its_siblings_have_ended) {
    std::atomic<bool> destroyed{false};
    const auto stopped = [&]() -> task<> {
        struct note {
            std::atomic<bool>& flag;
            ~note() { flag = true; }
        } const on_exit{destroyed};
        co_await coex::sleep_for(std::chrono::hours(1));
    };
    const auto waits_for_it = [&]() -> task<bool> {
        co_await pool.schedule();
        source.request_stop();
        for (int i = 0; i < 200 && !destroyed; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        EXPECT_TRUE(destroyed);
        co_return true;
    };
    EXPECT_FALSE(sync_wait(coex::when_all(stopped(), waits_for_it()), source.get_token()));
}

task<int> dive(int levels) {
    if (levels == 0) {
        co_await coex::sleep_for(std::chrono::hours(1));
        co_return 0;
    }
    const auto [below] = co_await coex::when_all(dive(levels - 1));
    co_return below + 1;
}

TEST_F(stopped_frames, of_deeply_nested_when_alls_are_destroyed_on_a_flat_stack) {
    source.request_stop();
    constexpr int levels = COEX_THREAD_SANITIZER ? 20'000 : COEX_ADDRESS_SANITIZER ? 50'000 : 250'000;
    EXPECT_FALSE(sync_wait(dive(levels), source.get_token()));
}

}  // namespace
