#include <exec/algo/as_result.hpp>

#include "algo/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/timeout.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/timer.hpp>
#include <exec/vocab/result.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

namespace {

using namespace coex_test;
using coex::as_result;
using coex::just;
using coex::result;

static_assert(completes_with<decltype(as_result(just(1))), coex::set_value_t(result<int>)>);
static_assert(completes_with<decltype(as_result(just())), coex::set_value_t(result<void>)>);
static_assert(completes_with<decltype(as_result(just(1, 'c'))), coex::set_value_t(result<std::tuple<int, char>>)>);
static_assert(completes_with<decltype(as_result(coex::just_error(2))), coex::set_value_t(result<void>)>);
static_assert(completes_with<decltype(as_result(just(fragile(1)))), coex::set_value_t(result<fragile>)>,
              "what moving a value throws is in the result too");

TEST(as_result, gives_the_value) {
    auto one = run<result<int>>(just(7) | as_result());
    EXPECT_EQ(std::get<0>(*one.values).value(), 7);
    EXPECT_TRUE(std::get<0>(*run<result<void>>(as_result(just())).values).has_value());
    auto moved = run<result<only_moves>>(as_result(just(std::make_unique<int>(3))));
    EXPECT_EQ(**std::get<0>(*moved.values), 3);
}

TEST(as_result, gives_an_error_as_the_exception_that_would_be_thrown) {
    const auto failed = run<result<void>>(as_result(coex::just_error(failure("own"))));
    ASSERT_TRUE(std::get<0>(*failed.values).has_error());
    EXPECT_EQ(message_of(std::get<0>(*failed.values).error()), "own");
    const auto code = run<result<void>>(as_result(coex::just_error(std::make_error_code(std::errc::timed_out))));
    EXPECT_THROW(std::get<0>(*code.values).value(), std::system_error);
}

TEST(as_result, gives_what_copying_a_value_or_an_error_threw) {
    const auto failure_of = [](auto sender) {
        std::string message = "none";
        auto all = as_result(std::move(sender)) |
                   coex::then([&](auto&& given) noexcept { message = message_of(given.error()); });
        EXPECT_EQ(run<>(std::move(all)).how, "value");
        return message;
    };
    fragile value(0);
    fragile error(0);
    EXPECT_EQ(failure_of(lent<coex::set_value_t, fragile>(value)), "fragile");
    EXPECT_EQ(failure_of(lent<coex::set_error_t, fragile>(error)), "fragile");
}

TEST(as_result, gives_an_error_that_only_moves) {
    const auto failed = run<result<void>>(as_result(coex::just_error(std::make_unique<int>(3))));
    EXPECT_THROW(std::get<0>(*failed.values).value(), only_moves);
}

TEST(as_result, a_stop_passes_by) {
    EXPECT_EQ(run<result<void>>(as_result(coex::just_stopped())).how, "stopped");
}

TEST(as_result, can_be_connected_twice) {
    const auto sender = as_result(just(1));
    EXPECT_EQ(run<result<int>>(sender).how, "value");
    EXPECT_EQ(run<result<int>>(sender).how, "value");
}

TEST(as_result, awaited_in_a_task_throws_nothing) {
    const auto work = []() -> coex::task<bool> {
        using namespace std::chrono_literals;
        const result<void> slept = co_await as_result(coex::timeout(coex::sleep_for(1h), 1ms));
        co_return slept.has_error();
    };
    EXPECT_TRUE(coex::block_on(work()));
}

}  // namespace
