#include <exec/algo/then.hpp>

#include "algo/support.hpp"

#include <exec/algo/just.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

namespace {

using namespace coex_test;
using coex::just;
using coex::just_error;
using coex::just_stopped;
using coex::then;
using coex::upon_error;
using coex::upon_stopped;

constexpr auto increment = [](int x) noexcept { return x + 1; };
constexpr auto may_throw = [](int x) { return x + 1; };

static_assert(completes_with<decltype(just(1) | then(increment)), coex::set_value_t(int)>);
static_assert(completes_with<decltype(just(1) | then(may_throw)), coex::set_value_t(int), can_throw>);
static_assert(completes_with<decltype(just(1) | then([](int) noexcept {})), coex::set_value_t()>);
static_assert(completes_with<decltype(just_error(1) | then(increment)), coex::set_error_t(int)>);
static_assert(completes_with<decltype(just_stopped() | then(increment)), can_stop>);
static_assert(completes_with<decltype(just_error(1) | upon_error(increment)), coex::set_value_t(int)>);
static_assert(
    completes_with<decltype(just_stopped() | upon_stopped([]() noexcept { return 2; })), coex::set_value_t(int)>);
static_assert(completes_with<decltype(handed<int>(std::declval<hand<int>&>()) | then(increment)),
                             coex::set_value_t(int), can_throw, can_stop>,
              "a set has each signature once");

TEST(then, sends_the_result_of_its_function) {
    EXPECT_EQ(std::get<0>(*run<int>(just(2) | then(increment)).values), 3);
    EXPECT_EQ(std::get<0>(*run<int>(then(just(2), increment)).values), 3) << "without a pipe";
}

TEST(then, gets_all_values) {
    const auto sender = just(1, 2, 3) | then([](int a, int b, int c) { return a + b + c; });
    EXPECT_EQ(std::get<0>(*run<int>(sender).values), 6);
}

TEST(then, of_a_function_without_result_sends_nothing) {
    bool called = false;
    EXPECT_EQ(run<>(just() | then([&called] { called = true; })).how, "value");
    EXPECT_TRUE(called);
}

TEST(then, may_send_a_reference) {
    int object = 1;
    const auto sender = just() | then([&object]() noexcept -> int& { return object; });
    static_assert(completes_with<decltype(sender), coex::set_value_t(int&)>);
    EXPECT_EQ(&std::get<0>(*run<int&>(sender).values), &object);
}

TEST(then, turns_an_exception_into_an_error) {
    const auto sender = just() | then([]() -> int { throw std::runtime_error("thrown"); });
    const auto result = run<int>(sender);
    EXPECT_EQ(result.how, "error");
    EXPECT_EQ(result.error, "thrown");
    EXPECT_EQ(result.completions, 1);
}

TEST(then, lets_errors_and_stops_pass) {
    const auto never = [] {
        ADD_FAILURE() << "called";
        return 1;
    };
    EXPECT_EQ(run<int>(just_error(4) | then(never)).error, "4");
    EXPECT_EQ(run<int>(just_stopped() | then(never)).how, "stopped");
}

TEST(then, moves_what_only_moves_through) {
    auto factor = std::make_unique<int>(3);
    auto sender = just(std::make_unique<int>(2)) |
                  then([factor = std::move(factor)](only_moves x) { return std::make_unique<int>(*x * *factor); });
    EXPECT_EQ(*std::get<0>(*run<only_moves>(std::move(sender)).values), 6);
}

TEST(then, calls_the_function_as_an_rvalue_once) {
    struct once {
        int operator()() && noexcept { return 1; }
    };
    EXPECT_EQ(std::get<0>(*run<int>(just() | then(once())).values), 1);
}

TEST(then, takes_pointers_to_members) {
    struct point {
        int x;
        [[nodiscard]] int twice() const { return 2 * x; }
    };
    EXPECT_EQ(std::get<0>(*run<int>(just(point{4}) | then(&point::x)).values), 4);
    EXPECT_EQ(std::get<0>(*run<int>(just(point{4}) | then(&point::twice)).values), 8);
}

TEST(then, an_lvalue_can_be_connected_many_times) {
    const auto sender = just(1) | then(increment) | then(increment);
    EXPECT_EQ(std::get<0>(*run<int>(sender).values), 3);
    EXPECT_EQ(std::get<0>(*run<int>(sender).values), 3);
}

TEST(then, completes_where_the_sender_before_it_does) {
    hand<int> by;
    auto operation = connected<int>(handed<int>(by) | then(increment));
    operation.start();
    EXPECT_EQ(operation.result.completions, 0);
    by.give(1);
    EXPECT_EQ(std::get<0>(*operation.result.values), 2);
}

TEST(upon_error, sends_the_result_of_its_function_as_a_value) {
    const auto recovered =
        just() | then([]() -> int { throw std::runtime_error("no"); }) |
        upon_error([](std::exception_ptr error) { return static_cast<int>(message_of(error).size()); });
    EXPECT_EQ(std::get<0>(*run<int>(recovered).values), 2);
}

TEST(upon_error, lets_values_and_stops_pass) {
    EXPECT_EQ(std::get<0>(*run<int>(just(4) | upon_error([](int) { return 1; })).values), 4);
    EXPECT_EQ(run<int>(just_stopped() | upon_error([](int) { return 1; })).how, "stopped");
}

TEST(upon_error, turns_an_exception_into_an_error) {
    const auto sender = just_error(1) | upon_error([](int) -> int { throw std::runtime_error("again"); });
    EXPECT_EQ(run<int>(sender).error, "again");
}

TEST(upon_stopped, sends_the_result_of_its_function_as_a_value) {
    EXPECT_EQ(std::get<0>(*run<int>(just_stopped() | upon_stopped([] { return 9; })).values), 9);
}

TEST(upon_stopped, lets_values_and_errors_pass) {
    EXPECT_EQ(std::get<0>(*run<int>(just(4) | upon_stopped([] { return 9; })).values), 4);
    EXPECT_EQ(run<int>(just_error(4) | upon_stopped([] { return 9; })).error, "4");
}

}  // namespace
