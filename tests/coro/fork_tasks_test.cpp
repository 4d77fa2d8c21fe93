// Fork-join of functions that return coroutines: <exec/coro/fork_join.hpp>, <exec/coro/fork_task.hpp>.

#include "coro/support.hpp"

#include <exec/algo/as_result.hpp>
#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/fork_join.hpp>
#include <exec/coro/fork_task.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/queries.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace {

using coex::block_on;
using coex::fork_join;
using coex::fork_task;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex_test::counted;
using std::chrono::hours;
using std::chrono::milliseconds;

static_assert(!std::is_move_constructible_v<fork_task<int>>);
static_assert(
    std::is_same_v<std::invoke_result_t<decltype([] { return fork_join([] { return 1; }, [] { return 2; }); })>,
                   std::tuple<int, int>>,
    "plain functions are called there and then");

fork_task<int> at_once(int value) {
    co_return value;
}
fork_task<int> later(int value) {
    co_await coex::sleep_for(milliseconds(1));
    co_return value;
}
fork_task<> nothing() {
    co_return;
}
fork_task<int> fails(const char* why) {
    throw std::runtime_error(why);
    co_return 0;
}
fork_task<int> fails_later(const char* why) {
    co_await coex::sleep_for(milliseconds(1));
    throw std::runtime_error(why);
}
fork_task<int> until_stopped() {
    co_await coex::sleep_for(hours(1));
    ADD_FAILURE() << "was not stopped";
    co_return 0;
}
task<int> lazy(int value) {
    co_return value;
}
task<int> lazy_later(int value) {
    co_await coex::sleep_for(milliseconds(1));
    co_return value;
}

template <class Awaited>
std::string error_of(Awaited awaited) {
    try {
        block_on(std::move(awaited));
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "no error";
}

/// Runs the body on a worker, where forks are possible, and on a plain thread, where they are not.
template <class Body>
void run_in_both_places(Body body) {
    block_on(body());
    static_thread_pool pool{{.name = "forks", .threads = 2}};
    const auto on_pool = [&]() -> task<> {
        co_await pool.schedule();
        co_await body();
    };
    block_on(on_pool());
}

/// Ends after it has waited, with an error or without; `held` lies in its frame.
template <class Task>
Task holds_and_waits(std::shared_ptr<int> held, bool& ended, bool fails) {
    co_await coex::sleep_for(milliseconds(1));
    static_cast<void>(held);
    ended = true;
    if (fails) throw std::runtime_error("after the wait");
}
task<> looks_after(const std::weak_ptr<int>& held, const bool& ended, bool& is_gone) {
    while (true) {
        const bool now = ended;
        if (now) break;
        co_await coex::sleep_for(milliseconds(1));
    }
    is_gone = held.expired();
}
/// Whether what a coroutine held is gone when that has ended and its sibling has not.
template <class Task>
bool lets_go_at_its_end(bool fails) {
    auto shared = std::make_shared<int>(1);
    const std::weak_ptr<int> held = shared;
    bool ended = false;
    bool is_gone = false;
    const auto holder = [&] { return holds_and_waits<Task>(std::move(shared), ended, fails); };
    const auto observer = [&] { return looks_after(held, ended, is_gone); };
    const auto both = [&]() -> task<> {
        auto forked = fork_join(holder, observer);
        co_await std::move(forked);
    };
    EXPECT_EQ(block_on(coex::as_result(both())).has_error(), fails);
    return is_gone;
}

TEST(fork_tasks, a_coroutine_that_has_ended_holds_nothing_for_which_its_siblings_wait) {
    EXPECT_TRUE(lets_go_at_its_end<task<>>(false));
    EXPECT_TRUE(lets_go_at_its_end<task<>>(true));
    EXPECT_TRUE(lets_go_at_its_end<fork_task<>>(false));
    EXPECT_TRUE(lets_go_at_its_end<fork_task<>>(true));
}

TEST(fork_tasks, give_a_tuple_without_the_voids) {
    run_in_both_places([]() -> task<> {
        int object = 1;
        const auto refer = [](int& which) -> fork_task<int&> { co_return which; };
        const auto only_moves = []() -> fork_task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
        auto [number, pointer, reference] = co_await fork_join([] { return later(5); }, [] { return nothing(); },
                                                               only_moves, [&] { return refer(object); });
        EXPECT_EQ(number, 5);
        EXPECT_EQ(*pointer, 7);
        EXPECT_EQ(&reference, &object);
        co_await fork_join([] { return nothing(); }, [] { return nothing(); });
        const auto [one] = co_await fork_join([] { return at_once(1); });
        EXPECT_EQ(one, 1);
    });
}

TEST(fork_tasks, may_be_tasks_too) {
    run_in_both_places([]() -> task<> {
        const auto [a, b, c, d] = co_await fork_join([] { return lazy(1); }, [] { return lazy_later(2); },
                                                     [] { return at_once(3); }, [] { return later(4); });
        EXPECT_EQ(a + 10 * b + 100 * c + 1000 * d, 4321);
    });
}

TEST(fork_tasks, start_in_order_as_soon_as_the_one_before_ends_or_suspends) {
    std::string order;
    const auto note = [&order](char name, bool sleeps) -> fork_task<> {
        order += name;
        if (sleeps) co_await coex::sleep_for(milliseconds(1));
        order += static_cast<char>(name - 'a' + 'A');
    };
    const auto root = [&]() -> task<> {
        co_await fork_join([&] { return note('a', false); }, [&] { return note('b', true); },
                           [&] { return note('c', false); });
    };
    block_on(root());
    EXPECT_EQ(order, "aAbcCB");
}

TEST(fork_tasks, start_in_the_call_of_their_function) {
    static_thread_pool pool{{.name = "eager", .threads = 1}};
    std::string order;
    const auto child = [&order]() -> fork_task<> {
        order += "child ";
        co_return;
    };
    const auto function = [&]() {
        struct leaving {
            std::string& order;
            ~leaving() { order += "returned "; }
        } const on_exit{order};
        return child();
    };
    const auto root = [&]() -> task<> {
        co_await pool.schedule();
        co_await fork_join(function, function);
    };
    block_on(root());
    EXPECT_EQ(order, "child returned child returned ");
}

TEST(fork_tasks, are_lazy_where_nobody_forks_them) {
    const auto root = []() -> task<> {
        bool began = false;
        const auto child = [&began]() -> fork_task<int> {
            began = true;
            co_return 3;
        };
        fork_task<int> kept = child();
        EXPECT_FALSE(began);
        EXPECT_EQ(co_await std::move(kept), 3);
        EXPECT_TRUE(began);
        EXPECT_EQ(co_await child(), 3);
    };
    run_in_both_places(root);
}

TEST(fork_tasks, that_are_not_awaited_are_destroyed_and_do_not_run) {
    const auto take = [](counted) -> fork_task<> {
        ADD_FAILURE() << "ran";
        co_return;
    };
    {
        const fork_task<> kept = take(counted(1));
        EXPECT_EQ(counted::live, 1);
        const auto never = fork_join([c = counted(2), take] { return take(c); });
        EXPECT_EQ(counted::live, 2);
    }
    EXPECT_EQ(counted::live, 0);
}

// The first coroutine that a function makes is not always the one that it returns.
TEST(fork_tasks, only_the_returned_coroutine_starts) {
    run_in_both_places([]() -> task<> {
        const auto helper = [](counted) -> fork_task<int> {
            ADD_FAILURE() << "ran";
            co_return 1;
        };
        const auto child = []() -> fork_task<int> { co_return 10; };
        const auto forks = [&] {
            const fork_task<int> first = helper(counted(1));
            EXPECT_GE(counted::live, 1);  // 2 when the other function runs at the same time
            return child();
        };
        const auto [a, b] = co_await fork_join(forks, forks);
        EXPECT_EQ(counted::live, 0);
        EXPECT_EQ(a, 10);
        EXPECT_EQ(b, 10);
    });
}

// A function that works for its pool runs what others have forked, on the same stack, before its coroutine is made.
TEST(fork_tasks, start_though_their_function_forked_before) {
    run_in_both_places([]() -> task<> {
        const auto busy = [](int value) {
            const auto both = []() -> task<int> {
                const auto [a, b] = co_await fork_join([] { return at_once(1); }, [] { return at_once(2); });
                co_return a + b;
            };
            EXPECT_EQ(block_on(both()), 3);
            return later(value);
        };
        const auto [a, b] = co_await fork_join([&] { return busy(5); }, [&] { return busy(6); });
        EXPECT_EQ(a, 5);
        EXPECT_EQ(b, 6);
    });
}

TEST(fork_tasks, may_use_the_captures_of_their_lambda) {
    run_in_both_places([]() -> task<> {
        auto first = [text = std::string("a text that has no room in the string itself")]() -> fork_task<std::size_t> {
            co_await coex::sleep_for(milliseconds(1));
            co_return text.size();
        };
        auto second = first;
        const auto [a, b] = co_await fork_join(std::move(first), std::move(second));
        EXPECT_EQ(a, 44U);
        EXPECT_EQ(b, 44U);
    });
}

TEST(fork_tasks, are_joined_from_outside_and_as_senders) {
    const auto one = [] { return at_once(1); };
    const auto two = [] { return later(2); };
    EXPECT_EQ(block_on(fork_join(one, two)), std::tuple(1, 2));
    EXPECT_EQ(*sync_wait(fork_join(one, two)), std::tuple(1, 2));
}

TEST(fork_tasks, the_leftmost_error_wins_and_all_run_to_their_ends) {
    int ended = 0;
    const auto ends = [&ended](int value) -> fork_task<int> {
        co_await coex::sleep_for(milliseconds(2));
        ++ended;
        co_return value;
    };
    const auto child = [&] { return ends(1); };
    EXPECT_EQ(
        error_of(fork_join(child, [] { return fails_later("left"); }, [] { return fails("right"); }, child)), "left");
    EXPECT_EQ(ended, 2);
    EXPECT_EQ(error_of(fork_join([] { return fails("left"); }, child, [] { return fails("right"); })), "left");
    EXPECT_EQ(ended, 3);
}

TEST(fork_tasks, a_function_that_throws_counts_as_its_coroutine) {
    bool ran = false;
    const auto throws = []() -> fork_task<int> { throw std::runtime_error("no coroutine"); };
    const auto throws_lazily = []() -> task<int> { throw std::runtime_error("no task"); };
    const auto runs = [&ran]() -> fork_task<int> {
        ran = true;
        co_return 1;
    };
    run_in_both_places([&]() -> task<> {
        ran = false;
        EXPECT_EQ(
            co_await [&]() -> task<std::string> {
                try {
                    co_await fork_join(throws, runs, throws_lazily);
                } catch (const std::runtime_error& error) {
                    co_return error.what();
                }
                co_return "no error";
            }(),
            "no coroutine");
        EXPECT_TRUE(ran);
    });
    EXPECT_EQ(error_of(fork_join(runs, throws_lazily, throws)), "no task");
}

TEST(fork_tasks, a_stop_of_the_awaiter_stops_them_and_then_the_awaiter) {
    coex::inplace_stop_source source;
    const auto stops = [&source]() -> fork_task<int> {
        co_await coex::sleep_for(milliseconds(1));
        source.request_stop();
        co_return 1;
    };
    const auto waits = [] { return until_stopped(); };
    EXPECT_FALSE(sync_wait(fork_join(waits, stops, waits), source.get_token()));
    // Now each of them stops as soon as it is started.
    EXPECT_FALSE(sync_wait(fork_join(waits, [] { return lazy_later(1); }, waits), source.get_token()));
    EXPECT_EQ(block_on(fork_join([] { return at_once(1); }, [] { return at_once(2); }), source.get_token()),
              std::tuple(1, 2));
}

TEST(fork_tasks, an_error_wins_over_a_stop) {
    coex::inplace_stop_source source;
    const auto fails_after_stop = [&source]() -> fork_task<int> {
        source.request_stop();
        throw std::runtime_error("an error");
        co_return 0;
    };
    const auto root = [&]() -> task<std::string> {
        try {
            co_await fork_join([] { return until_stopped(); }, fails_after_stop);
        } catch (const std::runtime_error& error) {
            co_return error.what();
        }
        co_return "no error";
    };
    EXPECT_EQ(block_on(root(), source.get_token()), "an error");
}

TEST(fork_tasks, the_parent_stays_where_it_was_whatever_its_children_do) {
    static_thread_pool here{{.name = "here", .threads = 2}};
    static_thread_pool there{{.name = "there", .threads = 1}};
    const auto hops = [&]() -> fork_task<> {
        EXPECT_TRUE(coex_test::is_on(here));
        co_await there.schedule();
        EXPECT_TRUE(coex_test::is_on(there));
    };
    const auto root = [&]() -> task<> {
        co_await here.schedule();
        for (int i = 0; i < 200; ++i) {
            co_await fork_join([&] { return hops(); }, [&] { return hops(); }, [&] { return hops(); });
            EXPECT_TRUE(coex_test::is_on(here));
        }
    };
    block_on(root());
}

fork_task<int> dive(int levels, bool suspends) {
    if (levels == 0) {
        if (suspends) co_await coex::sleep_for(milliseconds(1));
        co_return 0;
    }
    const auto [below, beside] =
        co_await fork_join([=] { return dive(levels - 1, suspends); }, [] { return at_once(1); });
    co_return below + beside;
}

TEST(fork_tasks, are_nested_deeper_than_any_stack) {
    run_in_both_places([]() -> task<> {
        // Under a sanitizer frames are larger, and each level takes ten times as long.
        constexpr int levels = COEX_ADDRESS_SANITIZER || COEX_THREAD_SANITIZER ? 100'000 : 250'000;
        EXPECT_EQ(co_await dive(levels, false), levels);
        EXPECT_EQ(co_await dive(levels, true), levels);
    });
}

}  // namespace
