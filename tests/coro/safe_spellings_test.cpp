// What g++ 12 destroys twice, when it is written inside the full-expression of an await, in the spelling that is safe:
// the object has a name, or is made by a constructor or a function. And what makes the unsafe shapes impossible with
// coex's own types: none of them is an aggregate.

#include "coro/await_shapes.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/timeout.hpp>
#include <exec/coro/async_generator.hpp>
#include <exec/coro/co_invoke.hpp>
#include <exec/coro/environment_task.hpp>
#include <exec/coro/fork_join.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/coro/with_error.hpp>
#include <exec/io/file.hpp>
#include <exec/sync/async_mutex.hpp>
#include <exec/sync/manual_reset_event.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using coex::task;
using coex_test::counted;

// --- no awaitable, and no awaiter, of coex is an aggregate --------------------------------------------------------

template <class Awaitable>
inline constexpr bool is_safe =
    !std::is_aggregate_v<std::remove_cvref_t<Awaitable>> && !std::is_aggregate_v<coex::detail::awaiter_of<Awaitable>>;

struct plain {};
static_assert(is_safe<task<int>>);
static_assert(is_safe<task<int, plain>>);
static_assert(is_safe<decltype(coex::when_all(std::declval<task<int>>(), std::declval<task<>>()))>);
static_assert(is_safe<decltype(coex::when_all(std::declval<std::vector<task<int>>>()))>);
static_assert(is_safe<decltype(coex::just(1))>);
static_assert(is_safe<decltype(coex::just(counted()) | coex::then([](counted) {}))>);
static_assert(is_safe<decltype(coex::timeout(std::declval<task<int>>(), std::chrono::seconds(1)))>);
static_assert(is_safe<decltype(std::declval<coex::static_thread_pool&>().schedule())>);
static_assert(is_safe<decltype(std::declval<coex::static_thread_pool&>().submit([] { return 1; }))>);
static_assert(is_safe<decltype(coex::sleep_for(std::chrono::seconds(1)))>);
static_assert(is_safe<decltype(coex::read_env(coex::get_stop_token))>);
static_assert(is_safe<coex::manual_reset_event&>);
static_assert(is_safe<decltype(std::declval<coex::async_mutex&>().lock())>);
static_assert(is_safe<decltype(std::declval<coex::async_generator<int>&>().next())>);
static_assert(!std::is_aggregate_v<coex::with_error<counted>>);

// --- what is unsafe in one statement is safe in two ---------------------------------------------------------------

struct options {
    counted first;
    int second = 0;
};
[[nodiscard]] options make_options() {
    return options{counted(2), 1};
}

struct safe_spellings : coex_test::await_shapes {
    task<int> take(options given) {
        co_await end();
        co_return given.first.value + given.second;
    }
    task<int> look_at(const options& given) {
        co_await end();
        co_return given.first.value + given.second;
    }
    task<int> take_two(std::tuple<counted, counted> given) {
        co_await end();
        co_return std::get<0>(given).value;
    }
};

INSTANTIATE_TEST_SUITE_P(endings, safe_spellings, coex_test::all_endings());

TEST_P(safe_spellings, options_with_a_name_for_options_in_braces) {
    run([this]() -> task<> {
        options given{.first = counted(2), .second = 1};
        EXPECT_EQ(co_await look_at(given), 3);
        EXPECT_EQ(co_await take(std::move(given)), 3);
    });
}

TEST_P(safe_spellings, options_from_a_function_for_options_in_braces) {
    run([this]() -> task<> { EXPECT_EQ(co_await take(make_options()), 3); });
}

TEST_P(safe_spellings, a_choice_with_a_name_for_a_conditional_operator_of_classes) {
    run([this]() -> task<> {
        const bool yes = GetParam() != coex_test::ending::error;
        counted chosen = yes ? counted(1) : counted(2);
        co_await by_value(std::move(chosen));
    });
}

TEST_P(safe_spellings, a_closure_with_a_name_that_is_called_for_one_that_is_called_at_once) {
    run([this]() -> task<> {
        const counted around(5);
        const auto closure = [this, around] { return by_value(around); };
        co_await closure();
    });
}

TEST_P(safe_spellings, a_function_object_with_a_name_for_a_closure_that_becomes_one) {
    run([this]() -> task<> {
        const counted around(5);
        std::function<int()> function = [around] { return around.value; };
        EXPECT_EQ(co_await call(std::move(function)), 5);
    });
}

TEST_P(safe_spellings, two_statements_for_a_closure_inside_when_all) {
    run([this]() -> task<> {
        const counted around(5);
        auto first = pool.submit([around] { return around.value; });
        auto second = plain();
        const counted result = co_await std::move(second);
        EXPECT_EQ(co_await std::move(first), 5 * result.value);
    });
}

TEST_P(safe_spellings, a_sender_with_a_name_for_one_with_a_closure) {
    run([this]() -> task<> {
        co_await end();
        const counted around(5);
        auto sender = coex::just(1) | coex::then([around](int value) { return around.value + value; });
        EXPECT_EQ(co_await std::move(sender), 6);
    });
}

TEST_P(safe_spellings, a_task_with_a_name_for_co_invoke_of_a_closure) {
    run([this]() -> task<> {
        const counted around(5);
        auto invoked = coex::co_invoke([this, around]() -> task<int> {
            const counted got = co_await by_value(around);
            co_return got.value;
        });
        EXPECT_EQ(co_await std::move(invoked), 5);
    });
}

TEST_P(safe_spellings, a_tuple_by_its_constructor) {
    run([this]() -> task<> { EXPECT_EQ(co_await take_two(std::tuple<counted, counted>(counted(1), counted(2))), 1); });
}

TEST_P(safe_spellings, an_error_that_is_yielded) {
    const auto failing = [this]() -> task<int> {
        co_await end();
        co_yield coex::with_error(counted(3));
        co_return 0;
    };
    run([&]() -> task<> {
        try {
            co_await failing();
            ADD_FAILURE() << "no error";
        } catch (const counted& caught) {
            EXPECT_EQ(caught.value, 3);
        }
    });
}

}  // namespace
