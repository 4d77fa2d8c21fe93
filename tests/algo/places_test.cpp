// Where work runs: starts_on, continues_on, on, affine.

#include <exec/algo/continues_on.hpp>
#include <exec/algo/on.hpp>
#include <exec/algo/starts_on.hpp>

#include "algo/support.hpp"
#include "coro/manual_context.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>

namespace {

using namespace coex_test;
using coex::affine;
using coex::continues_on;
using coex::just;
using coex::just_error;
using coex::just_stopped;
using coex::on;
using coex::starts_on;
using coex::then;

using scheduler = coex::context_scheduler;

static_assert(coex::scheduler<scheduler>);
static_assert(completes_with<decltype(coex::schedule(std::declval<scheduler>())), coex::set_value_t()>,
              "scheduling cannot fail");
static_assert(completes_with<decltype(starts_on(std::declval<scheduler>(), just(1))), coex::set_value_t(int)>);
static_assert(completes_with<decltype(continues_on(just(1), std::declval<scheduler>())), coex::set_value_t(int)>);
static_assert(completes_with<decltype(continues_on(just_error(1), std::declval<scheduler>())), coex::set_error_t(int)>);
static_assert(completes_with<decltype(continues_on(just(fragile(1)), std::declval<scheduler>())),
                             coex::set_value_t(fragile), can_throw>,
              "keeping a value on the way may throw");

struct places : testing::Test {
    manual_context a_context;
    manual_context b_context;
    scheduler a{a_context};
    scheduler b{b_context};
    auto started_on_a() { return coex::env(coex::prop(coex::get_start_scheduler, a)); }
};

TEST_F(places, schedule_completes_on_its_scheduler_and_says_so) {
    const auto sender = coex::schedule(a);
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(coex::get_env(sender)), a);
    auto operation = connected<>(sender);
    operation.start();
    EXPECT_EQ(operation.result.how, "");
    EXPECT_EQ(a_context.run_all(), 1);
    EXPECT_EQ(operation.result.how, "value");
}

TEST_F(places, forward_progress_of_a_context_is_parallel) {
    EXPECT_EQ(coex::get_forward_progress_guarantee(a), coex::forward_progress_guarantee::parallel);
}

TEST_F(places, starts_on_starts_the_sender_there) {
    bool started = false;
    auto operation = connected<int>(starts_on(a, just(3) | then([&](int x) {
                                                     started = true;
                                                     return x;
                                                 })));
    operation.start();
    EXPECT_FALSE(started);
    a_context.run_all();
    EXPECT_TRUE(started);
    EXPECT_EQ(std::get<0>(*operation.result.values), 3);
}

TEST_F(places, starts_on_tells_the_sender_where_it_is) {
    auto operation = connected<scheduler>(starts_on(a, coex::read_env(coex::get_start_scheduler)));
    operation.start();
    a_context.run_all();
    EXPECT_EQ(std::get<0>(*operation.result.values), a);
    auto asked = connected<scheduler>(starts_on(b, coex::read_env(coex::get_scheduler)));
    asked.start();
    b_context.run_all();
    EXPECT_EQ(std::get<0>(*asked.result.values), b);
}

TEST_F(places, starts_on_completes_where_the_sender_does) {
    const auto there = starts_on(a, just());
    const auto further = starts_on(a, coex::schedule(b));
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(coex::get_env(there)), a);
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(coex::get_env(further)), b);
}

TEST_F(places, continues_on_carries_values_errors_and_stops) {
    auto values = connected<int, std::string>(just(1, std::string("x")) | continues_on(a));
    auto error = connected<int>(just_error(2) | continues_on(a));
    auto stop = connected<int>(just_stopped() | continues_on(a));
    values.start();
    error.start();
    stop.start();
    EXPECT_EQ(values.result.how + error.result.how + stop.result.how, "");
    EXPECT_EQ(a_context.run_all(), 3);
    EXPECT_EQ(*values.result.values, std::tuple(1, std::string("x")));
    EXPECT_EQ(error.result.error, "2");
    EXPECT_EQ(stop.result.how, "stopped");
}

TEST_F(places, continues_on_moves_what_only_moves) {
    auto operation = connected<only_moves>(just(std::make_unique<int>(8)) | continues_on(a));
    operation.start();
    a_context.run_all();
    EXPECT_EQ(*std::get<0>(*operation.result.values), 8);
}

TEST_F(places, continues_on_tells_of_a_value_that_could_not_be_kept) {
    const auto lends = [](fragile& object) {
        return just() | then([&object]() noexcept -> fragile& { return object; });
    };
    fragile object(0);
    auto operation = connected<fragile>(lends(object) | continues_on(a));
    operation.start();
    a_context.run_all();
    EXPECT_EQ(operation.result.error, "fragile");
}

TEST_F(places, continues_on_says_where_it_completes) {
    const auto sender = just() | continues_on(b) | then([]() noexcept {});
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(coex::get_env(sender)), b);
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(coex::get_env(sender), started_on_a()), b)
        << "whatever the environment";
}

TEST_F(places, on_comes_back_to_where_it_was_started) {
    std::string trace;
    auto operation = connected_in<>(on(b, just() | then([&] { trace += "there;"; })) | then([&] { trace += "back;"; }),
                                    started_on_a());
    operation.start();
    EXPECT_EQ(trace, "");
    b_context.run_all();
    EXPECT_EQ(trace, "there;");
    a_context.run_all();
    EXPECT_EQ(trace, "there;back;");
    EXPECT_EQ(operation.result.how, "value");
}

TEST_F(places, on_comes_back_with_errors_and_stops_too) {
    auto error = connected_in<>(on(b, just_error(1)), started_on_a());
    auto stop = connected_in<>(on(b, just_stopped()), started_on_a());
    error.start();
    stop.start();
    b_context.run_all();
    EXPECT_EQ(error.result.how + stop.result.how, "");
    a_context.run_all();
    EXPECT_EQ(error.result.error, "1");
    EXPECT_EQ(stop.result.how, "stopped");
}

TEST_F(places, on_with_a_closure_does_a_part_there_and_comes_back_to_where_the_sender_completed) {
    manual_context c_context;
    const scheduler c(c_context);
    std::string trace;
    auto work = coex::schedule(a) | on(b, then([&] {
                                           trace += "there;";
                                           return 1;
                                       }));
    auto operation = connected_in<int>(std::move(work), coex::env(coex::prop(coex::get_start_scheduler, c)));
    operation.start();
    a_context.run_all();
    EXPECT_EQ(trace, "");
    b_context.run_all();
    EXPECT_EQ(trace, "there;");
    EXPECT_EQ(operation.result.how, "");
    EXPECT_EQ(c_context.run_all(), 0);
    EXPECT_EQ(a_context.run_all(), 1);
    EXPECT_EQ(std::get<0>(*operation.result.values), 1);
}

TEST_F(places, affine_comes_back_to_where_it_was_started) {
    auto operation = connected_in<int>(coex::schedule(b) | then([] { return 1; }) | affine(), started_on_a());
    operation.start();
    b_context.run_all();
    EXPECT_EQ(operation.result.how, "");
    a_context.run_all();
    EXPECT_EQ(std::get<0>(*operation.result.values), 1);
}

TEST_F(places, affine_costs_nothing_for_what_completes_inside_start) {
    auto operation = connected_in<int>(just(1) | then([](int x) { return x + 1; }) | affine(), started_on_a());
    operation.start();
    EXPECT_EQ(std::get<0>(*operation.result.values), 2);
    EXPECT_EQ(a_context.run_all(), 0);
}

/// A scheduler that can be stopped, where there is somebody who could stop it.
struct stoppable_scheduler {
    using scheduler_concept = coex::scheduler_tag;
    struct sender {
        using sender_concept = coex::sender_tag;
        coex::execution_context* context;
        template <class Self, class Env>
        static consteval auto get_completion_signatures() {
            if constexpr (coex::unstoppable_token<coex::stop_token_of_t<Env>>) {
                return coex::completion_signatures<coex::set_value_t()>{};
            } else {
                return coex::completion_signatures<coex::set_value_t(), coex::set_stopped_t()>{};
            }
        }
        template <coex::receiver Receiver>
        [[nodiscard]] auto connect(Receiver receiver) const {
            static_assert(coex::unstoppable_token<coex::stop_token_of_t<coex::env_of_t<Receiver>>>);
            return coex::connect(coex::schedule_sender(*context), std::move(receiver));
        }
    };
    [[nodiscard]] sender schedule() const noexcept { return {context}; }
    bool operator==(const stoppable_scheduler&) const noexcept = default;
    coex::execution_context* context;
};

TEST_F(places, affine_makes_a_scheduler_unstoppable_that_would_otherwise_not_come_back) {
    coex::inplace_stop_source source;
    const coex::env environment(coex::prop(coex::get_start_scheduler, stoppable_scheduler{&a_context}),
                                coex::prop(coex::get_stop_token, source.get_token()));
    auto operation = connected_in<>(affine(coex::schedule(b)), environment);
    operation.start();
    source.request_stop();
    b_context.run_all();
    a_context.run_all();
    EXPECT_EQ(operation.result.how, "value");
}

}  // namespace
