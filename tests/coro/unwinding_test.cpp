// A stopped task unwinds without an exception: the locals of all its frames are destroyed, once, innermost first, and
// nothing is caught.

#include "coro/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::sync_wait;
using coex::task;
using coex_test::counted;
using coex_test::journal;
using coex_test::local;
using lines = std::vector<std::string>;

enum class where : unsigned char { at_home, hopped, in_when_all, after_real_suspension };

struct unwinding : testing::Test {
    coex::static_thread_pool pool{coex::pool_options{.name = "a", .threads = 2}};
    coex::static_thread_pool other{coex::pool_options{.name = "b", .threads = 2}};
    coex::inplace_stop_source source;
    journal book;
    std::atomic<int> asleep{0};

    task<> sleep_long() {
        ++asleep;
        co_await coex::sleep_for(std::chrono::hours(1));
        ADD_FAILURE() << "was not stopped";
    }
    task<> inner(where place) {
        const local first(book, "inner 1");
        const local second(book, "inner 2");
        try {
            const local third(book, "inner 3");
            if (place == where::hopped) co_await pool.schedule();
            if (place == where::after_real_suspension) co_await coex::sleep_for(std::chrono::milliseconds(1));
            if (place == where::in_when_all) {
                co_await coex::when_all(sleep_long());
            } else {
                co_await sleep_long();
            }
        } catch (...) {
            ADD_FAILURE() << "caught something";
        }
        ADD_FAILURE() << "went on";
    }
    task<> outer(where place) {
        const local around(book, "outer");
        try {
            co_await inner(place);
        } catch (...) {
            ADD_FAILURE() << "caught something";
        }
        ADD_FAILURE() << "went on";
    }
    void stop_once_asleep() {
        while (asleep == 0) std::this_thread::yield();
        source.request_stop();
    }
    const lines innermost_first{"inner 3", "inner 2", "inner 1", "outer"};
};

TEST_F(unwinding, stop_before_the_start_unwinds_at_the_first_wait) {
    for (const where place : {where::at_home, where::hopped, where::in_when_all}) {
        coex::inplace_stop_source stopped;
        stopped.request_stop();
        EXPECT_FALSE(sync_wait(outer(place), stopped.get_token()));
    }
    const auto all = book.lines();
    ASSERT_EQ(all.size(), 3 * innermost_first.size());
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], innermost_first[i % innermost_first.size()]);
}

class unwinding_while_asleep : public unwinding, public testing::WithParamInterface<where> {};

TEST_P(unwinding_while_asleep, destroys_the_locals_once_and_innermost_first) {
    std::thread stopper([this] { stop_once_asleep(); });
    EXPECT_FALSE(sync_wait(outer(GetParam()), source.get_token()));
    stopper.join();
    EXPECT_EQ(book.lines(), innermost_first);
}

INSTANTIATE_TEST_SUITE_P(places, unwinding_while_asleep,
                         testing::Values(where::at_home, where::hopped, where::in_when_all,
                                         where::after_real_suspension));

TEST_F(unwinding, a_child_that_was_stopped_on_its_own_pool_takes_its_parent_along) {
    const auto child = [this]() -> task<> {
        const local mine(book, "child");
        co_await other.schedule();
        co_await sleep_long();
    };
    const auto parent = [&]() -> task<> {
        const local mine(book, "parent");
        co_await pool.schedule();
        co_await child();
        ADD_FAILURE() << "went on";
    };
    const auto root = [&]() -> task<> {
        const local mine(book, "root");
        co_await parent();
    };
    std::thread stopper([this] { stop_once_asleep(); });
    EXPECT_FALSE(sync_wait(root(), source.get_token()));
    stopper.join();
    EXPECT_EQ(book.lines(), (lines{"child", "parent", "root"}));
}

TEST_F(unwinding, frees_arguments_frames_and_results_that_nobody_took) {
    const auto work = [this](counted, bool hop) -> task<counted> {
        const counted mine;
        if (hop) co_await pool.schedule();
        co_await sleep_long();
        co_return counted();
    };
    const auto at_once = [](counted argument) -> task<counted> { co_return argument; };
    const auto root = [&]() -> task<> {
        std::vector<task<counted>> children;
        children.push_back(work(counted(1), true));
        children.push_back(at_once(counted(2)));
        children.push_back(work(counted(3), false));
        co_await coex::when_all(std::move(children));
        ADD_FAILURE() << "went on";
    };
    std::thread stopper([this] {
        while (asleep < 2) std::this_thread::yield();
        source.request_stop();
    });
    EXPECT_FALSE(sync_wait(root(), source.get_token()));
    stopper.join();
    EXPECT_EQ(counted::live, 0);
}

TEST_F(unwinding, a_hop_is_not_stopped) {
    source.request_stop();
    const auto work = [this]() -> task<int> {
        co_await pool.schedule();
        co_await other.schedule();
        co_return coex_test::is_on(other) ? 1 : 0;
    };
    EXPECT_EQ(coex::block_on(work(), source.get_token()), 1);
}

TEST_F(unwinding, a_stop_reaches_an_awaited_function_and_its_end_is_awaited) {
    std::atomic<bool> told{false};
    const auto root = [&]() -> task<int> {
        const auto until_told = [&](coex::inplace_stop_token token) {
            ++asleep;
            while (!token.stop_requested()) std::this_thread::yield();
            told = true;
            return 5;
        };
        co_return co_await pool.submit(until_told);
    };
    std::thread stopper([this] { stop_once_asleep(); });
    EXPECT_EQ(coex::block_on(root(), source.get_token()), 5);
    stopper.join();
    EXPECT_TRUE(told);
}

TEST_F(unwinding, can_be_cleaned_up_after_by_destructors_that_run_tasks) {
    struct cleaner {
        journal& into;
        ~cleaner() {
            const auto clean = [](journal& book_of) -> task<> {
                co_await coex::sleep_for(std::chrono::milliseconds(1));
                book_of.write("cleaned");
            };
            coex::block_on(clean(into));
        }
    };
    const auto work = [this]() -> task<> {
        const cleaner at_end{book};
        co_await sleep_long();
    };
    std::thread stopper([this] { stop_once_asleep(); });
    EXPECT_FALSE(sync_wait(work(), source.get_token()));
    stopper.join();
    EXPECT_EQ(book.lines(), lines{"cleaned"});
}

// Stop is requested while a chain of tasks hops, sleeps, submits and completes: whatever it meets, the chain ends once,
// with a value or stopped, and leaves nothing behind.
TEST_F(unwinding, stampede_of_stops_against_completions_leaves_nothing) {
    const auto leaf = [this](int kind, counted argument) -> task<counted> {
        const counted mine;
        if (kind % 2 == 0) co_await pool.schedule();
        if (kind % 3 == 0) co_await coex::sleep_for(std::chrono::microseconds(20));
        if (kind % 5 == 0) co_await other.schedule();
        const auto number = [kind] { return kind; };
        if (kind % 7 == 0) co_await other.submit(number);
        co_return argument;
    };
    const auto chain = [&](auto& self, int kind, int depth) -> task<counted> {
        const counted mine;
        if (depth == 0) {
            auto work = leaf(kind, counted(kind));
            co_return co_await std::move(work);
        }
        if ((kind + depth) % 4 == 0) co_await other.schedule();
        co_return co_await self(self, kind, depth - 1);
    };
    int ended = 0;
    constexpr int rounds = 600;
    for (int round = 0; round < rounds; ++round) {
        coex::inplace_stop_source stop;
        auto request = other.submit([&stop, round] {
            for (int spins = round % 50 * 20; spins > 0; --spins) std::this_thread::yield();
            stop.request_stop();
        });
        if (sync_wait(chain(chain, round, 4), stop.get_token())) ++ended;
        EXPECT_EQ(counted::live, 0);
        request.get();
    }
    EXPECT_LE(ended, rounds);
}

}  // namespace
