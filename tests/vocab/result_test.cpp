#include <exec/vocab/result.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace {

using coex::result;

std::exception_ptr boom() {
    return std::make_exception_ptr(std::runtime_error("boom"));
}

TEST(result, holds_a_value) {
    result<std::string> held("text");
    ASSERT_TRUE(held);
    EXPECT_TRUE(held.has_value());
    EXPECT_FALSE(held.has_error());
    EXPECT_FALSE(held.was_stopped());
    EXPECT_EQ(held.error(), nullptr);
    EXPECT_EQ(*held, "text");
    EXPECT_EQ(held->size(), 4U);
    EXPECT_EQ(std::as_const(held).value(), "text");
    EXPECT_EQ(held.value_or("other"), "text");
}

TEST(result, holds_an_exception_and_throws_it_with_the_value) {
    const auto held = result<int>::failed(boom());
    EXPECT_FALSE(held);
    EXPECT_TRUE(held.has_error());
    EXPECT_FALSE(held.was_stopped());
    EXPECT_NE(held.error(), nullptr);
    EXPECT_THROW(static_cast<void>(held.value()), std::runtime_error);
    EXPECT_EQ(held.value_or(3), 3);
}

TEST(result, tells_that_work_was_stopped_and_throws_operation_stopped_with_the_value) {
    const auto held = result<int>::stopped();
    EXPECT_FALSE(held);
    EXPECT_TRUE(held.was_stopped());
    EXPECT_EQ(held.error(), nullptr);
    EXPECT_THROW(static_cast<void>(held.value()), coex::operation_stopped);
    try {
        static_cast<void>(held.value());
    } catch (const std::system_error& stopped) {
        EXPECT_EQ(stopped.code(), std::errc::operation_canceled);
    }
}

TEST(result, moves_a_value_that_can_only_be_moved) {
    result<std::unique_ptr<int>> held(std::make_unique<int>(7));
    result<std::unique_ptr<int>> moved(std::move(held));
    EXPECT_EQ(*std::move(moved).value(), 7);
    result<std::unique_ptr<int>> assigned = result<std::unique_ptr<int>>::stopped();
    assigned = result<std::unique_ptr<int>>(std::make_unique<int>(8));
    EXPECT_EQ(**assigned, 8);
    EXPECT_EQ(*std::move(assigned).value_or(nullptr), 8);
}

TEST(result, holds_a_reference) {
    int variable = 1;
    const result<int&> held(variable);
    held.value() = 2;
    EXPECT_EQ(variable, 2);
    EXPECT_EQ(&*held, &variable);
    EXPECT_TRUE(result<int&>::stopped().was_stopped());
}

TEST(result, of_nothing_tells_how_work_ended) {
    result<void>().value();
    EXPECT_TRUE(result<void>().has_value());
    EXPECT_THROW(result<void>::failed(boom()).value(), std::runtime_error);
    EXPECT_THROW(result<void>::stopped().value(), coex::operation_stopped);
}

TEST(result, converts_from_what_converts_to_its_value_and_from_nothing_else) {
    static_assert(std::is_convertible_v<const char*, result<std::string>>);
    static_assert(std::is_constructible_v<result<std::unique_ptr<int>>, int*>);
    static_assert(!std::is_convertible_v<int*, result<std::unique_ptr<int>>>, "as for unique_ptr itself");
    static_assert(!std::is_constructible_v<result<int>, std::string>);
    static_assert(!std::is_constructible_v<result<int&>, int>, "would dangle");
}

TEST(result_death, asked_for_a_value_that_is_not_there_by_star_aborts) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(static_cast<void>(*result<int>::stopped()), "result without a value");
    EXPECT_DEATH(static_cast<void>(result<int>::failed(nullptr)), "without an exception");
}

}  // namespace
