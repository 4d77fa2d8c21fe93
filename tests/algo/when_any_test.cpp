#include <exec/algo/when_any.hpp>

#include "algo/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/schedule_at.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/stop_when.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace coex_test;
using namespace std::chrono_literals;
using coex::just;
using coex::just_error;
using coex::just_stopped;
using coex::stop_when;
using coex::task;
using coex::when_any;

static_assert(completes_with<decltype(when_any(just())), coex::set_value_t(), can_stop>);
static_assert(completes_with<decltype(when_any(just(1), just(2), just('c'), just_error(3))), coex::set_value_t(int),
                             coex::set_value_t(char), coex::set_error_t(int), can_stop>,
              "each way to complete once");
static_assert(completes_with<decltype(when_any(just(fragile(1)))), coex::set_value_t(fragile), can_throw, can_stop>);
static_assert(completes_with<decltype(stop_when(just(1), just('c'))), coex::set_value_t(int), can_stop>,
              "the trigger's values are dropped");
static_assert(completes_with<decltype(stop_when(just(1), just_error(2))), coex::set_value_t(int), can_stop>,
              "and its errors");

TEST(when_any, completes_with_the_values_of_the_first_in_time_when_all_have_ended) {
    hand<int> first;
    hand<int> second;
    first.stops_when_asked = false;
    auto operation = connected<int>(when_any(handed<int>(first), handed<int>(second)));
    operation.start();
    EXPECT_TRUE(first.started && second.started);
    second.give(2);
    EXPECT_TRUE(first.stop_seen);
    EXPECT_EQ(operation.result.how, "");
    first.give(1);
    EXPECT_EQ(*operation.result.values, std::tuple(2));
    EXPECT_EQ(operation.result.completions, 1);
}

TEST(when_any, completes_with_the_first_error) {
    hand<int> first;
    hand<int> second;
    auto operation = connected<int>(when_any(handed<int>(first), handed<int>(second)));
    operation.start();
    first.fail(failure("first"));
    EXPECT_TRUE(second.stop_seen);
    EXPECT_EQ(operation.result.error, "first");
}

TEST(when_any, is_stopped_when_the_first_is) {
    hand<int> other;
    EXPECT_EQ(run<int>(when_any(just_stopped(), handed<int>(other))).how, "stopped");
    EXPECT_TRUE(other.stop_seen);
}

TEST(when_any, starts_its_senders_in_order_the_later_ones_with_a_stop_request) {
    std::string order;
    const auto note = [&order](char name) {
        return coex::read_env(coex::get_stop_token) |
               coex::then([&order, name](auto token) { (order += name) += token.stop_requested() ? '!' : '.'; });
    };
    EXPECT_EQ(run<>(when_any(note('a'), note('b'), note('c'))).how, "value");
    EXPECT_EQ(order, "a.b!c!");
}

TEST(when_any, keeps_what_only_moves) {
    hand<only_moves> other;
    auto result = run<only_moves>(when_any(handed<only_moves>(other), just(std::make_unique<int>(1))));
    EXPECT_EQ(*std::get<0>(*result.values), 1);
}

TEST(when_any, completes_with_what_keeping_the_values_threw) {
    EXPECT_EQ(run<fragile>(when_any(just(fragile(3)))).error, "fragile");
}

TEST(when_any, a_value_that_cannot_be_kept_stops_the_others_all_the_same) {
    hand<> other;
    fragile object(0);
    other.stops_when_asked = false;
    auto operation = connected<fragile>(
        when_any(handed<>(other) | coex::then([] { return fragile(9); }), lent<coex::set_value_t, fragile>(object)));
    operation.start();
    EXPECT_TRUE(other.stop_seen);
    EXPECT_EQ(operation.result.how, "") << "not before all have ended";
    other.stop();
    EXPECT_EQ(operation.result.error, "fragile");
}

TEST(when_any, a_stop_request_is_passed_on_to_all) {
    coex::inplace_stop_source source;
    hand<int> first;
    hand<int> second;
    auto operation = connected_in<int>(when_any(handed<int>(first), handed<int>(second)),
                                       coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    source.request_stop();
    EXPECT_TRUE(first.stop_seen && second.stop_seen);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(when_any, a_stop_request_before_the_start_starts_nothing) {
    coex::inplace_stop_source source;
    source.request_stop();
    hand<int> by;
    EXPECT_EQ(run_in<int>(when_any(handed<int>(by)), coex::prop(coex::get_stop_token, source.get_token())).how,
              "stopped");
    EXPECT_FALSE(by.started);
}

TEST(when_any, can_be_connected_twice) {
    const auto sender = when_any(just(1), just(2));
    EXPECT_EQ(*run<int>(sender).values, std::tuple(1));
    EXPECT_EQ(*run<int>(sender).values, std::tuple(1));
}

task<int> after(std::chrono::nanoseconds time, int value) {
    co_await coex::sleep_for(time);
    co_return value;
}

TEST(when_any, takes_tasks_and_unwinds_those_that_come_too_late) {
    EXPECT_EQ(coex::block_on(when_any(after(1h, 1), after(1ms, 2), after(2h, 3))), 2);
}

TEST(when_any, nested_in_itself_passes_the_stop_down) {
    hand<> first;
    hand<> second;
    EXPECT_EQ(run<>(when_any(when_any(handed<>(first), handed<>(second)), just())).how, "value");
    EXPECT_TRUE(first.stop_seen && second.stop_seen);
}

TEST(when_any, several_that_end_at_the_same_time_give_one_result) {
    coex::static_thread_pool pool{{.threads = 2}};
    const auto on = pool.get_scheduler();
    for (int i = 0; i < 3000; ++i) {
        auto result =
            coex::sync_wait(when_any(coex::starts_on(on, just(std::string("a"))),
                                     coex::schedule(on) | coex::then([] { return std::string("b"); }),
                                     coex::schedule_after(on, 1h) | coex::then([] { return std::string(); })));
        ASSERT_TRUE(std::get<0>(*result) == "a" || std::get<0>(*result) == "b");
    }
}

TEST(when_any, an_end_meets_a_stop_request) {
    coex::static_thread_pool pool{{.threads = 2}};
    const auto on = pool.get_scheduler();
    for (int i = 0; i < 500; ++i) {
        coex::inplace_stop_source source;
        const std::jthread stopper([&source] { source.request_stop(); });
        const auto result =
            coex::sync_wait(when_any(coex::schedule(on), coex::schedule_after(on, 1h)), source.get_token());
        static_cast<void>(result);
    }
}

// --- stop_when ----------------------------------------------------------------------------------------------------

TEST(stop_when, completes_as_the_sender_and_stops_the_trigger) {
    hand<int> work;
    hand<> trigger;
    auto operation = connected<int>(handed<int>(work) | stop_when(handed<>(trigger)));
    operation.start();
    work.give(3);
    EXPECT_TRUE(trigger.stop_seen);
    EXPECT_EQ(*operation.result.values, std::tuple(3));
}

TEST(stop_when, the_trigger_stops_the_sender_however_it_completes) {
    for (const int how : {0, 1, 2}) {
        hand<int> work;
        hand<> trigger;
        auto operation = connected<int>(stop_when(handed<int>(work), handed<>(trigger)));
        operation.start();
        if (how == 0) trigger.give();
        if (how == 1) trigger.fail(failure("dropped"));
        if (how == 2) trigger.stop();
        EXPECT_TRUE(work.stop_seen);
        EXPECT_EQ(operation.result.how, "stopped");
    }
}

TEST(stop_when, waits_for_both_and_a_result_in_spite_of_the_request_is_not_lost) {
    hand<int> work;
    hand<> trigger;
    work.stops_when_asked = false;
    auto operation = connected<int>(stop_when(handed<int>(work), handed<>(trigger)));
    operation.start();
    trigger.give();
    EXPECT_EQ(operation.result.how, "");
    work.give(4);
    EXPECT_EQ(*operation.result.values, std::tuple(4));
}

TEST(stop_when, starts_the_sender_before_the_trigger_and_completes_after_both_in_any_order) {
    std::string order;
    const auto note = [&order](char name) { return just() | coex::then([&order, name] { order += name; }); };
    EXPECT_EQ(run<>(stop_when(note('w'), note('t'))).how, "value");
    EXPECT_EQ(order, "wt");
    hand<> work;
    hand<> trigger;
    trigger.stops_when_asked = false;
    auto operation = connected<>(stop_when(handed<>(work), handed<>(trigger)));
    operation.start();
    work.give();
    EXPECT_TRUE(trigger.stop_seen);
    EXPECT_EQ(operation.result.how, "") << "the trigger has not ended";
    trigger.fail(failure("the trigger's"));
    EXPECT_EQ(operation.result.how, "value");
}

TEST(stop_when, its_senders_share_a_stop_token_that_is_not_the_receivers) {
    coex::inplace_stop_source source;
    std::optional<coex::inplace_stop_token> of_work;
    std::optional<coex::inplace_stop_token> of_trigger;
    const auto tell = [](std::optional<coex::inplace_stop_token>& into) {
        return coex::read_env(coex::get_stop_token) | coex::then([&into](auto token) { into = token; });
    };
    EXPECT_EQ(
        run_in<>(stop_when(tell(of_work), tell(of_trigger)), coex::prop(coex::get_stop_token, source.get_token())).how,
        "value");
    EXPECT_EQ(of_work, of_trigger);
    EXPECT_NE(of_work, source.get_token());
}

TEST(stop_when, errors_of_the_sender_pass) {
    hand<> trigger;
    EXPECT_EQ(run<>(stop_when(just_error(failure("own")), handed<>(trigger))).error, "own");
}

TEST(stop_when, a_stop_request_is_passed_on_to_both) {
    coex::inplace_stop_source source;
    hand<int> work;
    hand<> trigger;
    auto operation = connected_in<int>(stop_when(handed<int>(work), handed<>(trigger)),
                                       coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    source.request_stop();
    EXPECT_TRUE(work.stop_seen && trigger.stop_seen);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(stop_when, the_end_of_the_work_meets_that_of_the_trigger) {
    coex::static_thread_pool pool{{.threads = 2}};
    const auto on = pool.get_scheduler();
    for (int i = 0; i < 3000; ++i) {
        const auto result =
            coex::sync_wait(coex::schedule(on) | coex::then([i] { return i; }) | stop_when(coex::schedule(on)));
        ASSERT_EQ(std::get<0>(*result), i);
    }
}

}  // namespace
