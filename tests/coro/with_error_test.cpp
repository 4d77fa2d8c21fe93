// [task.promise] yield_value(with_error<Err>): the task completes with the error; nothing is thrown in it.

#include <exec/coro/with_error.hpp>

#include "coro/manual_context.hpp"
#include "coro/support.hpp"

#include <exec/algo/as_result.hpp>
#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace {

using coex::block_on;
using coex::task;
using coex::with_error;
using coex_test::counted;
using coex_test::journal;
using coex_test::local;
using lines = std::vector<std::string>;

static_assert(std::same_as<decltype(with_error(1)), with_error<int>>);
static_assert(std::same_as<with_error<const std::string&>::type, std::string>);

enum class when : unsigned char { at_once, after_waiting };

template <class T, class Error>
task<T> end_with(Error error, when time = when::at_once) {
    if (time == when::after_waiting) co_await coex::sleep_for(std::chrono::milliseconds(1));
    try {
        co_yield with_error(std::move(error));
    } catch (...) {
        ADD_FAILURE() << "the task that ends with an error caught it";
    }
    ADD_FAILURE() << "went on after co_yield with_error";
    if constexpr (!std::is_void_v<T>) co_return T();
}

class with_error_ends : public testing::TestWithParam<when> {};

TEST_P(with_error_ends, an_exception_ptr_is_rethrown_to_the_awaiter) {
    const auto error = std::make_exception_ptr(std::runtime_error("given"));
    const auto parent = [&]() -> task<std::string> {
        try {
            co_await end_with<int>(error, GetParam());
        } catch (const std::runtime_error& caught) {
            co_return caught.what();
        }
        co_return "nothing";
    };
    EXPECT_EQ(block_on(parent()), "given");
}

TEST_P(with_error_ends, an_error_code_reaches_the_awaiter_as_system_error) {
    const auto code = std::make_error_code(std::errc::timed_out);
    try {
        block_on(end_with<void>(code, GetParam()));
        ADD_FAILURE() << "no error";
    } catch (const std::system_error& caught) {
        EXPECT_EQ(caught.code(), code);
    }
}

TEST_P(with_error_ends, an_error_of_a_class_of_its_own_reaches_the_awaiter_as_it_is) {
    EXPECT_THROW(coex::sync_wait(end_with<std::unique_ptr<int>>(std::string("text"), GetParam())), std::string);
}

TEST_P(with_error_ends, destroys_its_variables_once_and_before_the_awaiters_handler) {
    journal book;
    const auto child = [&](counted) -> task<int> {
        const local first(book, "outer local");
        const local second(book, "inner local");
        const counted held;
        if (GetParam() == when::after_waiting) co_await coex::sleep_for(std::chrono::milliseconds(1));
        co_yield with_error(7);
        co_return 0;
    };
    const auto parent = [&]() -> task<> {
        try {
            co_await child(counted(1));
        } catch (int) {
            book.write("handler");
        }
    };
    block_on(parent());
    EXPECT_EQ(book.lines(), (lines{"inner local", "outer local", "handler"}));
    EXPECT_EQ(counted::live, 0);
}

TEST_P(with_error_ends, a_task_of_when_all_and_the_others_are_asked_to_stop) {
    bool was_stopped = false;
    const auto sleeper = [&]() -> task<> {
        const auto note = std::unique_ptr<bool, void (*)(bool*)>(&was_stopped, [](bool* flag) { *flag = true; });
        co_await coex::sleep_for(std::chrono::hours(1));
    };
    EXPECT_THROW(block_on(coex::when_all(sleeper(), end_with<void>(7, GetParam()))), int);
    EXPECT_TRUE(was_stopped);
}

TEST_P(with_error_ends, completes_as_a_sender_by_set_error) {
    const auto parent = [&]() -> task<bool> {
        const auto result = co_await coex::as_result(end_with<int>(7, GetParam()));
        co_return result.has_error();
    };
    EXPECT_TRUE(block_on(parent()));
}

TEST_P(with_error_ends, where_the_awaiter_was_though_the_task_moved) {
    coex::static_thread_pool pool{coex::pool_options{.threads = 1}};
    coex::static_thread_pool other{coex::pool_options{.threads = 1}};
    const auto child = [&]() -> task<> {
        co_await other.schedule();
        if (GetParam() == when::after_waiting) co_await coex::sleep_for(std::chrono::milliseconds(1));
        co_yield with_error(1);
    };
    bool at_home = false;
    const auto parent = [&]() -> task<> {
        co_await pool.schedule();
        try {
            co_await child();
        } catch (int) {
            at_home = coex_test::is_on(pool);
        }
    };
    block_on(parent());
    EXPECT_TRUE(at_home);
}

INSTANTIATE_TEST_SUITE_P(, with_error_ends, testing::Values(when::at_once, when::after_waiting),
                         [](const auto& each) { return each.param == when::at_once ? "at_once" : "after_waiting"; });

TEST(with_error, that_is_yielded_at_once_lets_the_starter_find_the_frame_gone) {
    coex_test::manual_context context;
    const auto child = [](counted) -> task<int> {
        co_yield with_error(7);
        co_return 0;
    };
    coex_test::started<int> run(child(counted(1)), context);
    EXPECT_TRUE(run.ended_at_once);
    EXPECT_EQ(run.told, 0);
    EXPECT_EQ(counted::live, 0);
    EXPECT_EQ(run.how(), coex::detail::outcome::error);
    EXPECT_THROW(static_cast<void>(run.take()), int);
}

TEST(with_error, many_in_a_loop_keep_the_stack_flat) {
    // Under a sanitizer frames are larger, and each exception takes ten times as long.
    constexpr int times = COEX_ADDRESS_SANITIZER || COEX_THREAD_SANITIZER ? 30'000 : 100'000;
    const auto child = []() -> task<int> {
        co_yield with_error(std::exception_ptr(std::make_exception_ptr(1)));
        co_return 0;
    };
    const auto parent = [&]() -> task<int> {
        int caught = 0;
        for (int i = 0; i < times; ++i) {
            try {
                co_await child();
            } catch (int) {
                ++caught;
            }
        }
        co_return caught;
    };
    EXPECT_EQ(block_on(parent()), times);
}

}  // namespace
