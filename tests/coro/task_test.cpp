#include <exec/coro/task.hpp>

#include "coro/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using coex::block_on;
using coex::task;
using coex_test::counted;

static_assert(std::movable<task<int>>);
static_assert(!std::copyable<task<int>>);
static_assert(coex::awaitable<task<int>>);
static_assert(!coex::awaitable<task<int>&>, "a named task is awaited with std::move: it is awaited once");
static_assert(!coex::awaitable<int>);
static_assert(std::same_as<coex::await_result_t<task<int&>>, int&>);
static_assert(std::same_as<coex::await_result_t<task<>>, void>);

task<int> give(int value) {
    co_return value;
}
task<int> give_later(int value) {
    co_await coex::sleep_for(std::chrono::milliseconds(1));
    co_return value;
}
task<> mark(bool& ran) {
    ran = true;
    co_return;
}
task<int> fail(const char* why) {
    throw std::runtime_error(why);
    co_return 0;
}
task<int> fail_later(const char* why) {
    co_await coex::sleep_for(std::chrono::milliseconds(1));
    throw std::runtime_error(why);
}

TEST(task, does_not_start_before_it_is_awaited) {
    bool ran = false;
    auto lazy = mark(ran);
    EXPECT_FALSE(ran);
    EXPECT_TRUE(lazy);
    block_on(std::move(lazy));
    EXPECT_TRUE(ran);
}

TEST(task, destroyed_without_being_awaited_destroys_its_arguments_and_does_not_run) {
    bool ran = false;
    const auto take = [](counted, bool& flag) -> task<> {
        flag = true;
        co_return;
    };
    {
        const auto dropped = take(counted(1), ran);
    }
    EXPECT_FALSE(ran);
    EXPECT_EQ(counted::live, 0);
}

TEST(task, moves_and_swaps_like_a_pointer) {
    auto one = give(1);
    auto two = give(2);
    one.swap(two);
    auto moved = std::move(one);
    EXPECT_FALSE(one);  // NOLINT(bugprone-use-after-move): that it is empty is the promise
    one = std::move(two);
    EXPECT_EQ(block_on(std::move(moved)), 2);
    EXPECT_EQ(block_on(std::move(one)), 1);
    EXPECT_FALSE(one);
}

TEST(task, assignment_destroys_what_the_task_held) {
    const auto take = [](counted) -> task<> { co_return; };
    auto held = take(counted(1));
    held = take(counted(2));
    EXPECT_EQ(counted::live, 1);
    auto& same = held;
    held = std::move(same);
    EXPECT_TRUE(held) << "assigned to itself it stays";
}

TEST(task, gives_values_that_only_move) {
    const auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
    EXPECT_EQ(*block_on(make()), 4);
}

TEST(task, gives_values_that_have_no_default_and_can_be_braced) {
    struct pair {
        pair(int a, std::string b) : first(a), second(std::move(b)) {}
        int first;
        std::string second;
    };
    const auto make = []() -> task<pair> { co_return {3, "three"}; };
    const pair made = block_on(make());
    EXPECT_EQ(made.first, 3);
    EXPECT_EQ(made.second, "three");
}

TEST(task, gives_references_to_the_very_object) {
    int object = 1;
    const auto refer = [](int& which) -> task<int&> { co_return which; };
    const auto refer_const = [](const int& which) -> task<const int&> { co_return which; };
    const auto through = [&]() -> task<int&> {
        int& inner = co_await refer(object);
        co_return inner;
    };
    EXPECT_EQ(&block_on(refer(object)), &object);
    EXPECT_EQ(&block_on(refer_const(object)), &object);
    EXPECT_EQ(&block_on(through()), &object);
}

TEST(task, an_exception_reaches_the_awaiter_whether_it_comes_at_once_or_later) {
    const auto caught = [](task<int> failing) -> task<std::string> {
        try {
            co_await std::move(failing);
        } catch (const std::runtime_error& error) {
            co_return error.what();
        }
        co_return "nothing";
    };
    EXPECT_EQ(block_on(caught(fail("at once"))), "at once");
    EXPECT_EQ(block_on(caught(fail_later("later"))), "later");
    EXPECT_THROW(block_on(fail("at once")), std::runtime_error);
    EXPECT_THROW(block_on(fail_later("later")), std::runtime_error);
}

TEST(task, an_exception_passes_through_tasks_that_do_not_catch_it) {
    const auto through = [](auto& self, int depth) -> task<int> {
        const counted here;
        if (depth == 0) co_return co_await fail_later("bottom");
        co_return co_await self(self, depth - 1);
    };
    EXPECT_THROW(block_on(through(through, 50)), std::runtime_error);
    EXPECT_EQ(counted::live, 0);
}

TEST(task, goes_on_after_it_caught_an_exception_and_can_await_again) {
    const auto retry = []() -> task<int> {
        int failures = 0;
        for (int i = 0; i < 10; ++i) {
            try {
                co_await fail_later("again");
            } catch (const std::runtime_error&) {
                ++failures;
            }
            failures += co_await give_later(0);
        }
        co_return failures;
    };
    EXPECT_EQ(block_on(retry()), 10);
}

TEST(task, a_result_that_throws_when_it_is_moved_in_becomes_the_exception) {
    struct stubborn {
        stubborn() = default;
        stubborn(stubborn&&) { throw std::logic_error("does not move"); }
    };
    const auto make = []() -> task<stubborn> { co_return stubborn(); };
    EXPECT_THROW(block_on(make()), std::logic_error);
}

TEST(task, a_local_that_throws_after_the_result_was_given_replaces_it_and_the_result_is_destroyed) {
    struct throws_at_end {
        ~throws_at_end() noexcept(false) { throw std::logic_error("at the end"); }
    };
    const auto make = []() -> task<counted> {
        const throws_at_end last;
        co_return counted(1);
    };
    EXPECT_THROW(block_on(make()), std::logic_error);
    EXPECT_EQ(counted::live, 0);
}

TEST(task, locals_die_before_the_awaiter_goes_on_and_arguments_after_the_expression) {
    coex_test::journal book;
    const auto child = [&book](std::unique_ptr<coex_test::local>) -> task<int> {
        const coex_test::local inner(book, "local");
        co_return 1;
    };
    const auto parent = [&]() -> task<> {
        auto argument = std::make_unique<coex_test::local>(book, "argument");
        auto work = child(std::move(argument));
        co_await std::move(work);
        book.write("awaited");
    };
    block_on(parent());
    EXPECT_EQ(book.lines(), (std::vector<std::string>{"local", "argument", "awaited"}));
}

TEST(task, frames_results_and_arguments_are_all_freed) {
    const auto child = [](counted argument, bool later) -> task<counted> {
        const counted inner;
        if (later) co_await coex::sleep_for(std::chrono::milliseconds(1));
        co_return counted(argument.value + 1);
    };
    const auto parent = [&]() -> task<int> {
        int sum = 0;
        for (int i = 0; i < 5; ++i) {
            auto work = child(counted(i), i % 2 == 0);
            const counted result = co_await std::move(work);
            sum += result.value;
        }
        co_return sum;
    };
    EXPECT_EQ(block_on(parent()), 15);
    EXPECT_EQ(counted::live, 0);
}

TEST(task, a_member_function_and_a_static_lambda_can_be_tasks) {
    struct service {
        int base;
        task<int> add(int more) { co_return base + co_await give(more); }
    };
    service one{10};
    EXPECT_EQ(block_on(one.add(5)), 15);
}

TEST(task, awaits_in_one_expression_are_made_from_left_to_right) {
    const auto sum = []() -> task<std::string> {
        const auto digit = [](std::string text) -> task<std::string> { co_return text; };
        std::string joined = co_await digit("a");
        joined += co_await digit("b");
        joined += std::to_string(co_await give(1) + co_await give_later(2));
        const bool both = co_await give(1) == 1 && co_await give_later(0) == 1;
        co_return joined + (both ? "yes" : "no");
    };
    EXPECT_EQ(block_on(sum()), "ab3no");
}

TEST(task_death_test, awaiting_a_moved_from_task_says_what_is_wrong) {
    const auto twice = []() -> task<> {
        auto work = give(1);
        co_await std::move(work);
        co_await std::move(work);  // NOLINT(bugprone-use-after-move): that it aborts is the promise
    };
    EXPECT_DEATH(block_on(twice()), "awaited twice, or after it was moved from");
}

TEST(task_death_test, running_a_moved_from_task_says_what_is_wrong) {
    EXPECT_DEATH(
        {
            auto work = give(1);
            const auto other = std::move(work);
            block_on(std::move(work));  // NOLINT(bugprone-use-after-move): that it aborts is the promise
        },
        "awaited twice, or after it was moved from");
}

}  // namespace
