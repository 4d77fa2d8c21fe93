#include <exec/algo/timeout.hpp>

#include "algo/support.hpp"
#include "coro/manual_context.hpp"

#include <exec/algo/just.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/scheduler.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace {

using namespace coex_test;
using namespace std::chrono_literals;
using coex::just;
using coex::task;
using coex::timeout;

static_assert(completes_with<decltype(timeout(just(1), 1s)), coex::set_value_t(int), can_throw, can_stop>);
static_assert(
    completes_with<decltype(timeout(coex::just_error('c'), 1s)), coex::set_error_t(char), can_throw, can_stop>);

/// A sender under a limit of 20 ms of a place whose time the test lets pass.
template <class... Values>
class limited {
public:
    template <class Sender>
    [[nodiscard]] auto of(Sender&& sender) {
        return connected_in<Values...>(std::forward<Sender>(sender) | timeout(20ms), environment());
    }
    [[nodiscard]] auto environment() {
        return coex::env(coex::prop(coex::get_scheduler, coex::context_scheduler(place)),
                         coex::prop(coex::get_stop_token, outer.get_token()));
    }

    manual_context place;
    coex::inplace_stop_source outer;
};

TEST(timeout, an_operation_that_ends_in_time_completes_at_once_and_disarms_the_timer) {
    limited<int> here;
    hand<int> by;
    auto operation = here.of(handed<int>(by));
    operation.start();
    EXPECT_EQ(here.place.armed(), 1u);
    by.give(7);
    EXPECT_EQ(*operation.result.values, std::tuple(7));
    EXPECT_EQ(here.place.armed(), 0u);
    here.place.advance(1h);
    EXPECT_EQ(here.place.run_all(), 0);
    EXPECT_EQ(operation.result.completions, 1);
}

TEST(timeout, an_operation_that_ends_inside_start_completes_there) {
    limited<only_moves> here;
    auto operation = here.of(just(std::make_unique<int>(3)));
    operation.start();
    EXPECT_EQ(*std::get<0>(*operation.result.values), 3);
}

TEST(timeout, errors_and_stops_of_the_operation_pass) {
    limited<> here;
    auto fails = here.of(coex::just_error(failure("own")));
    EXPECT_EQ(fails.start().result.error, "own");
    auto stops = here.of(coex::just_stopped());
    EXPECT_EQ(stops.start().result.how, "stopped");
}

TEST(timeout, a_value_that_cannot_be_kept_is_an_error_and_the_timer_is_disarmed) {
    limited<fragile> here;
    fragile object(0);
    auto operation = here.of(lent<coex::set_value_t, fragile>(object));
    operation.start();
    EXPECT_EQ(operation.result.error, "fragile");
    EXPECT_EQ(here.place.armed(), 0u);
}

TEST(timeout, an_operation_stopped_for_want_of_time_fails_as_timed_out) {
    limited<int> here;
    hand<int> by;
    auto operation = here.of(handed<int>(by));
    operation.start();
    here.place.advance(19ms);
    EXPECT_FALSE(by.stop_seen);
    here.place.advance(1ms);
    EXPECT_TRUE(by.stop_seen);
    EXPECT_EQ(operation.result.how, "error");
    EXPECT_NE(operation.result.error.find("timeout: the operation had not ended after 20 ms"), std::string::npos);
    EXPECT_EQ(operation.result.completions, 1);
}

TEST(timeout, waits_for_the_operation_to_end_after_it_was_asked_to_stop) {
    limited<int> here;
    hand<int> by;
    by.stops_when_asked = false;
    auto operation = here.of(handed<int>(by));
    operation.start();
    here.place.advance(20ms);
    EXPECT_TRUE(by.stop_seen);
    EXPECT_EQ(operation.result.how, "");
    by.stop();
    EXPECT_EQ(operation.result.how, "error");
}

TEST(timeout, a_result_given_in_spite_of_the_request_is_not_lost) {
    limited<std::string> here;
    hand<std::string> by;
    by.stops_when_asked = false;
    auto operation = here.of(handed<std::string>(by));
    operation.start();
    here.place.advance(20ms);
    by.give("late");
    EXPECT_EQ(*operation.result.values, std::tuple(std::string("late")));
}

TEST(timeout, a_stop_request_is_passed_on_and_gives_stopped) {
    limited<int> here;
    hand<int> by;
    auto operation = here.of(handed<int>(by));
    operation.start();
    here.outer.request_stop();
    EXPECT_EQ(operation.result.how, "stopped");
    EXPECT_EQ(here.place.armed(), 0u);
}

TEST(timeout, a_stop_request_before_the_start_starts_nothing) {
    limited<int> here;
    here.outer.request_stop();
    hand<int> by;
    auto operation = here.of(handed<int>(by));
    operation.start();
    EXPECT_EQ(operation.result.how, "stopped");
    EXPECT_FALSE(by.started);
}

TEST(timeout, a_stop_request_after_the_time_was_up_wins) {
    limited<int> here;
    hand<int> by;
    by.stops_when_asked = false;
    auto operation = here.of(handed<int>(by));
    operation.start();
    here.place.advance(20ms);
    here.outer.request_stop();
    by.stop();
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(timeout, nothing_is_started_when_the_timer_cannot_be_armed) {
    limited<int> here;
    hand<int> by;
    here.place.set_arming(manual_context::arming::throws);
    auto without_memory = here.of(handed<int>(by));
    EXPECT_EQ(without_memory.start().result.error, "std::bad_alloc");
    here.place.set_arming(manual_context::arming::is_refused);
    auto at_shutdown = here.of(handed<int>(by));
    EXPECT_EQ(at_shutdown.start().result.how, "stopped");
    EXPECT_FALSE(by.started);
}

TEST(timeout, no_time_at_all_still_lets_an_operation_end_that_is_complete) {
    manual_context place;
    auto operation =
        connected_in<int>(timeout(just(1), -1s), coex::prop(coex::get_scheduler, coex::context_scheduler(place)));
    EXPECT_EQ(operation.start().result.how, "value");
}

TEST(timeout, time_without_end_never_ends) {
    manual_context place;
    hand<> by;
    auto operation = connected_in<>(timeout(handed<>(by), std::chrono::hours::max()),
                                    coex::prop(coex::get_scheduler, coex::context_scheduler(place)));
    operation.start();
    place.advance(100000h);
    EXPECT_FALSE(by.stop_seen);
    by.give();
    EXPECT_EQ(operation.result.how, "value");
}

TEST(timeout, a_nested_limit_that_is_shorter_is_the_one_that_fails) {
    limited<> here;
    hand<> by;
    auto operation = here.of(timeout(handed<>(by), 5ms));
    operation.start();
    here.place.advance(5ms);
    EXPECT_NE(operation.result.error.find("5 ms"), std::string::npos);
    EXPECT_EQ(here.place.armed(), 0u);
}

TEST(deadline, stops_an_operation_at_its_point_in_time_and_says_how_long_it_had) {
    limited<int> here;
    here.place.advance(7ms);
    hand<int> by;
    auto operation = connected_in<int>(handed<int>(by) | coex::deadline(here.place.now() + 20ms), here.environment());
    here.place.advance(5ms);  // between the making and the start
    operation.start();
    here.place.advance(14ms);
    EXPECT_FALSE(by.stop_seen);
    here.place.advance(1ms);
    EXPECT_TRUE(by.stop_seen);
    EXPECT_NE(operation.result.error.find("deadline: the operation had not ended after 15 ms"), std::string::npos)
        << operation.result.error;
}

TEST(deadline, that_has_passed_still_lets_an_operation_end_that_is_complete) {
    limited<int> here;
    here.place.advance(1h);
    auto complete = connected_in<int>(coex::deadline(just(1), here.place.now() - 1ms), here.environment());
    EXPECT_EQ(complete.start().result.how, "value");
    hand<int> by;
    auto waiting = connected_in<int>(coex::deadline(handed<int>(by), here.place.now() - 1ms), here.environment());
    waiting.start();
    here.place.advance(0ms);
    EXPECT_TRUE(by.stop_seen);
    EXPECT_NE(waiting.result.error.find("after 0 s"), std::string::npos) << waiting.result.error;
}

TEST(deadline, at_the_end_of_time_never_comes) {
    limited<> here;
    hand<> by;
    auto operation =
        connected_in<>(coex::deadline(handed<>(by), coex::timer_clock::time_point::max()), here.environment());
    operation.start();
    here.place.advance(100000h);
    EXPECT_FALSE(by.stop_seen);
    by.give();
    EXPECT_EQ(operation.result.how, "value");
}

TEST(deadline, in_coarser_units_may_lie_beyond_what_the_clock_can_express) {
    using coarse = std::chrono::time_point<coex::timer_clock, std::chrono::seconds>;
    limited<> here;
    hand<> first;
    auto never = connected_in<>(coex::deadline(handed<>(first), coarse::max()), here.environment());
    never.start();
    here.place.advance(100000h);
    EXPECT_FALSE(first.stop_seen);
    first.give();
    EXPECT_EQ(never.result.how, "value");
    hand<> second;
    auto long_ago = connected_in<>(handed<>(second) | coex::deadline(coarse::min()), here.environment());
    long_ago.start();
    here.place.advance(0ms);
    EXPECT_TRUE(second.stop_seen);
}

// --- in tasks -----------------------------------------------------------------------------------------------------

task<void> sleeps(std::chrono::milliseconds time) {
    co_await coex::sleep_for(time);
}

template <class Work>
task<std::error_code> code_of(Work work, std::chrono::nanoseconds limit) {
    try {
        co_await timeout(std::move(work), limit);
    } catch (const std::system_error& error) {
        co_return error.code();
    }
    co_return std::error_code();
}

TEST(timeout, throws_timed_out_in_a_task) {
    EXPECT_EQ(coex::block_on(code_of(sleeps(1h), 1ms)), std::errc::timed_out);
    EXPECT_EQ(coex::block_on(code_of(sleeps(1ms), 1h)), std::error_code());
}

TEST(deadline, is_shared_by_what_comes_one_after_the_other) {
    const auto run = [](coex::timer_clock::time_point end) -> task<std::error_code> {
        try {
            co_await coex::deadline(sleeps(1ms), end);
            co_await coex::deadline(sleeps(1h), end);
        } catch (const std::system_error& error) {
            co_return error.code();
        }
        co_return std::error_code();
    };
    EXPECT_EQ(coex::block_on(run(coex::timer_clock::now() + 5ms)), std::errc::timed_out);
}

TEST(timeout, leaves_the_task_on_its_pool) {
    coex::static_thread_pool pool{{.threads = 2}};
    const auto run = [](coex::static_thread_pool& on) -> task<bool> {
        co_await on.schedule();
        const bool timed_out = co_await code_of(sleeps(1h), 1ms) == std::errc::timed_out;
        co_return timed_out&& on.this_thread_index().has_value();
    };
    EXPECT_TRUE(coex::block_on(run(pool)));
}

TEST(timeout, the_end_of_the_time_meets_the_end_of_the_operation) {
    coex::static_thread_pool pool{{.threads = 2}};
    const auto run = [](coex::static_thread_pool& on, int round) -> task<int> {
        co_await on.schedule();
        const std::chrono::nanoseconds near(20000 + round % 50 * 200);
        const std::error_code code = co_await code_of(coex::timeout(coex::sleep_for(20us), 1h), near);
        co_return code == std::errc::timed_out || !code ? 1 : 0;
    };
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(coex::block_on(run(pool, i)), 1);
}

TEST(timeout, the_end_of_the_time_meets_a_stop_request) {
    coex::static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 500; ++i) {
        coex::inplace_stop_source source;
        const std::jthread stopper([&source] { source.request_stop(); });
        const auto work = [](coex::static_thread_pool& on) -> task<void> {
            co_await on.schedule();
            co_await timeout(coex::sleep_for(1h), 30us);
        };
        try {
            coex::block_on(work(pool), source.get_token());
            FAIL();
        } catch (const std::system_error& error) {
            ASSERT_TRUE(error.code() == std::errc::timed_out || error.code() == std::errc::operation_canceled);
        }
    }
}

}  // namespace
