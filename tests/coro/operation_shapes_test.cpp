// The shapes in which operations of pools, timers and files are awaited: see await_shapes.hpp.

#include "coro/await_shapes.hpp"

#include <exec/io/file.hpp>
#include <exec/io/timer.hpp>
#include <exec/vocab/queries.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace {

using coex::task;
using coex_test::counted;

using operation_shapes = coex_test::await_shapes;

INSTANTIATE_TEST_SUITE_P(endings, operation_shapes, coex_test::all_endings());

TEST_P(operation_shapes, schedule_between_others) {
    run([this]() -> task<> {
        co_await by_value(counted(2));
        co_await pool.schedule();
        co_await coex::schedule(pool.get_scheduler());
        co_await by_value(counted(2));
    });
}

TEST_P(operation_shapes, sleeping_with_a_temporary_duration) {
    run([this]() -> task<> {
        const counted around(5);
        co_await coex::sleep_for(std::chrono::microseconds(around.value));
        co_await end();
    });
}

TEST_P(operation_shapes, reading_the_environment) {
    run([this]() -> task<> {
        (void)co_await coex::read_env(coex::get_stop_token);
        (void)co_await coex::read_env(coex::get_scheduler);
        co_await end();
    });
}

TEST_P(operation_shapes, submitting_a_named_closure) {
    run([this]() -> task<> {
        const counted around(5);
        auto f = [around] { return around; };
        const counted result = co_await pool.submit(f);
        EXPECT_EQ(result.value, 5);
        co_await end();
    });
}

TEST_P(operation_shapes, submitting_a_moved_closure) {
    run([this]() -> task<> {
        const counted around(5);
        auto f = [around] { return around; };
        co_await pool.submit(std::move(f));
        co_await end();
    });
}

TEST_P(operation_shapes, submitting_in_two_statements) {
    run([this]() -> task<> {
        const counted around(5);
        auto handle = pool.submit([around] { return around; });
        const counted result = co_await std::move(handle);
        EXPECT_EQ(result.value, 5);
        co_await end();
    });
}

TEST_P(operation_shapes, submitting_a_closure_that_captures_references) {
    run([this]() -> task<> {
        const counted around(5);
        EXPECT_EQ(co_await pool.submit([&around] { return around.value; }), 5);
        co_await end();
    });
}

TEST_P(operation_shapes, posting_a_closure_in_a_statement_without_await) {
    run([this]() -> task<> {
        const auto shared = std::make_shared<counted>(2);
        pool.post([shared] {});
        co_await pool.submit([] {});
        co_await end();
    });
}

TEST_P(operation_shapes, opening_a_file_that_is_missing) {
    run([this]() -> task<> {
        try {
            (void)co_await coex::open_file(pool, "/nowhere/a file with a name that is put on the heap",
                                           coex::open_mode::read | coex::open_mode::no_follow);
            ADD_FAILURE();
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
        }
        co_await end();
    });
}

TEST_P(operation_shapes, opening_a_file_named_by_a_temporary_string) {
    run([this]() -> task<> {
        const coex::file file = co_await coex::open_file(pool, std::string("/dev/") + "null", coex::open_mode::read);
        EXPECT_GE(file.native_handle(), 0);
        co_await end();
    });
}

TEST_P(operation_shapes, asking_about_a_path) {
    run([this]() -> task<> {
        (void)co_await coex::statx(pool, std::string("/dev/") + "null");
        co_await end();
    });
}

}  // namespace
