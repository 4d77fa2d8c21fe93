#include <exec/algo/spawn_future.hpp>

#include "algo/support.hpp"

#include <exec/algo/counting_scope.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/run_loop.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace coex_test;
using namespace std::chrono_literals;
using coex::counting_scope;
using coex::just;
using coex::spawn_future;
using coex::task;

using token = counting_scope::token;
static_assert(completes_with<decltype(spawn_future(just(1, 'c'), std::declval<token>())), coex::set_value_t(int, char),
                             can_stop>);
static_assert(completes_with<decltype(spawn_future(just(fragile(1)), std::declval<token>())),
                             coex::set_value_t(fragile), can_throw, can_stop>);

TEST(spawn_future, starts_the_work_inside_the_call_and_keeps_its_result) {
    counting_scope scope;
    bool ran = false;
    {
        auto future = spawn_future(just(std::make_unique<int>(7)) | coex::then([&ran](only_moves value) noexcept {
                                       ran = true;
                                       return value;
                                   }),
                                   scope.get_token());
        EXPECT_TRUE(ran);
        auto result = run<only_moves>(std::move(future));
        EXPECT_EQ(*std::get<0>(*result.values), 7);
    }
    coex::block_on(scope.join());
}

TEST(spawn_future, gives_a_result_that_comes_later) {
    counting_scope scope;
    {
        hand<int> by;
        auto operation = connected<int>(spawn_future(handed<int>(by), scope.get_token()));
        operation.start();
        EXPECT_EQ(operation.result.how, "");
        by.give(5);
        EXPECT_EQ(*operation.result.values, std::tuple(5));
        EXPECT_EQ(operation.result.completions, 1);
    }
    coex::block_on(scope.join());
}

TEST(spawn_future, gives_errors_and_stops_which_the_scope_does_not_get) {
    counting_scope scope;
    EXPECT_EQ(run<>(spawn_future(coex::just_error(failure("own")), scope.get_token())).error, "own");
    EXPECT_EQ(run<>(spawn_future(coex::just_stopped(), scope.get_token())).how, "stopped");
    coex::block_on(scope.join());
}

TEST(spawn_future, moves_a_result_that_only_moves_whether_it_is_there_or_comes_later) {
    counting_scope scope;
    {
        hand<only_moves> by;
        auto later = connected<only_moves>(spawn_future(handed<only_moves>(by), scope.get_token()));
        later.start();
        by.give(std::make_unique<int>(4));
        EXPECT_EQ(*std::get<0>(*later.result.values), 4);
        auto failed = spawn_future(coex::just_error(std::make_unique<int>(5)), scope.get_token()) |
                      coex::upon_error([](only_moves error) noexcept { return *error; });
        EXPECT_EQ(*run<int>(std::move(failed)).values, std::tuple(5));
    }
    coex::block_on(scope.join());
}

TEST(spawn_future, gives_what_copying_a_result_threw) {
    counting_scope scope;
    fragile value(0);
    fragile error(0);
    EXPECT_EQ(run<fragile>(spawn_future(lent<coex::set_value_t, fragile>(value), scope.get_token())).error, "fragile");
    EXPECT_EQ(run<>(spawn_future(lent<coex::set_error_t, fragile>(error), scope.get_token())).error, "fragile");
    coex::block_on(scope.join());
}

TEST(spawn_future, is_stopped_when_the_scope_is_closed) {
    counting_scope scope;
    scope.close();
    bool ran = false;
    EXPECT_EQ(run<>(spawn_future(just() | coex::then([&ran]() noexcept { ran = true; }), scope.get_token())).how,
              "stopped");
    EXPECT_FALSE(ran);
}

TEST(spawn_future, destroying_the_sender_stops_the_work) {
    counting_scope scope;
    hand<int> by;
    {
        const auto future = spawn_future(handed<int>(by), scope.get_token());
        EXPECT_FALSE(by.stop_seen);
    }
    EXPECT_TRUE(by.stop_seen);
    coex::block_on(scope.join());
}

TEST(spawn_future, destroying_an_operation_that_was_not_started_stops_the_work) {
    counting_scope scope;
    hand<int> by;
    {
        auto operation = connected<int>(spawn_future(handed<int>(by), scope.get_token()));
    }
    EXPECT_TRUE(by.stop_seen);
    coex::block_on(scope.join());
}

TEST(spawn_future, a_stop_request_of_the_consumer_stops_the_work_and_completes_at_once) {
    counting_scope scope;
    hand<int> by;
    by.stops_when_asked = false;
    {
        coex::inplace_stop_source source;
        auto operation = connected_in<int>(spawn_future(handed<int>(by), scope.get_token()),
                                           coex::prop(coex::get_stop_token, source.get_token()));
        operation.start();
        source.request_stop();
        EXPECT_TRUE(by.stop_seen);
        EXPECT_EQ(operation.result.how, "stopped");
        EXPECT_EQ(operation.result.completions, 1);
    }
    by.give(1);
    coex::block_on(scope.join());
}

TEST(spawn_future, a_stop_request_before_the_start_stops_the_work) {
    counting_scope scope;
    hand<int> by;
    {
        coex::inplace_stop_source source;
        source.request_stop();
        auto operation = connected_in<int>(spawn_future(handed<int>(by), scope.get_token()),
                                           coex::prop(coex::get_stop_token, source.get_token()));
        operation.start();
        EXPECT_EQ(operation.result.how, "stopped");
    }
    EXPECT_TRUE(by.stop_seen);
    coex::block_on(scope.join());
}

TEST(spawn_future, a_result_that_is_there_already_wins_over_a_stop_request) {
    counting_scope scope;
    coex::inplace_stop_source source;
    source.request_stop();
    EXPECT_EQ(
        run_in<int>(spawn_future(just(1), scope.get_token()), coex::prop(coex::get_stop_token, source.get_token())).how,
        "value");
    coex::block_on(scope.join());
}

TEST(spawn_future, the_scope_asks_the_work_to_stop) {
    counting_scope scope;
    {
        hand<int> by;
        auto operation = connected<int>(spawn_future(handed<int>(by), scope.get_token()));
        operation.start();
        scope.request_stop();
        EXPECT_EQ(operation.result.how, "stopped");
    }
    coex::block_on(scope.join());
}

TEST(spawn_future, the_scope_is_not_joined_before_the_result_is_taken_or_dropped) {
    counting_scope scope;
    coex::run_loop loop;
    auto joining = connected_in<>(scope.join(), coex::prop(coex::get_scheduler, loop.get_scheduler()));
    joining.result.after = [&loop] { loop.finish(); };
    {
        const auto future = spawn_future(just(1), scope.get_token());
        joining.start();
        EXPECT_EQ(joining.result.how, "");
    }
    loop.run();
    EXPECT_EQ(joining.result.how, "value");
}

task<int> slowly(coex::static_thread_pool& pool, int value) {
    co_await pool.schedule();
    if (value < 0) throw std::runtime_error("negative");
    co_return value;
}

TEST(spawn_future, a_task_awaits_what_it_started_before) {
    coex::static_thread_pool pool{{.threads = 2}};
    const auto run = [](coex::static_thread_pool& on) -> task<int> {
        co_await on.schedule();
        counting_scope scope;
        auto first = spawn_future(slowly(on, 1), scope.get_token());
        auto second = spawn_future(slowly(on, 2), scope.get_token());
        auto third = spawn_future(slowly(on, -1), scope.get_token());
        const int two = co_await std::move(second);
        const int one = co_await std::move(first);
        int thrown = 0;
        try {
            co_await std::move(third);
        } catch (const std::runtime_error&) {
            thrown = 1;
        }
        co_await scope.join();
        co_return one + 10 * two + 100 * thrown;
    };
    EXPECT_EQ(coex::block_on(run(pool)), 121);
}

// --- races --------------------------------------------------------------------------------------------------------

TEST(spawn_future, the_end_of_the_work_meets_its_consumer) {
    coex::static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 3000; ++i) {
        counting_scope scope;
        auto result = coex::sync_wait(spawn_future(
            coex::schedule(pool.get_scheduler()) | coex::then([i] { return std::to_string(i); }), scope.get_token()));
        ASSERT_EQ(std::get<0>(*result), std::to_string(i));
        coex::block_on(scope.join());
    }
}

TEST(spawn_future, the_end_of_the_work_meets_the_end_of_the_sender) {
    coex::static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 3000; ++i) {
        counting_scope scope;
        {
            const auto future = spawn_future(coex::schedule(pool.get_scheduler()), scope.get_token());
        }
        coex::block_on(scope.join());
    }
}

TEST(spawn_future, the_end_of_the_work_meets_a_stop_request_and_the_start_of_the_consumer) {
    int completed = 0;
    coex::static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 1000; ++i) {
        counting_scope scope;
        {
            coex::inplace_stop_source source;
            const std::jthread stopper([&source] { source.request_stop(); });
            auto future = spawn_future(coex::schedule(pool.get_scheduler()), scope.get_token());
            completed += coex::sync_wait(std::move(future), source.get_token()).has_value() ? 1 : 0;
        }
        coex::block_on(scope.join());
    }
    EXPECT_LE(completed, 1000);
}

}  // namespace
