#include <exec/algo/schedule_at.hpp>

#include "algo/support.hpp"
#include "coro/manual_context.hpp"

#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/scheduler.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace {

using namespace coex_test;
using namespace std::chrono_literals;
using coex::context_scheduler;
using coex::schedule_after;
using coex::schedule_at;
using coex::task;

static_assert(completes_with<decltype(schedule_after(std::declval<context_scheduler>(), 1s)), coex::set_value_t(),
                             can_throw, can_stop>);

TEST(schedule_after, completes_on_the_place_when_its_time_has_passed_since_the_start) {
    manual_context place;
    auto operation = connected<>(schedule_after(context_scheduler(place), 20ms));
    place.advance(1h);
    operation.start();
    place.advance(19ms);
    EXPECT_EQ(operation.result.how, "");
    place.advance(1ms);
    EXPECT_EQ(operation.result.how, "value");
    EXPECT_EQ(operation.result.completions, 1);
}

TEST(schedule_at, completes_on_the_place_at_its_deadline) {
    manual_context place;
    const auto deadline = coex::now(context_scheduler(place)) + 20ms;
    auto operation = connected<>(schedule_at(context_scheduler(place), deadline));
    place.advance(10ms);
    operation.start();
    place.advance(9ms);
    EXPECT_EQ(operation.result.how, "");
    place.advance(1ms);
    EXPECT_EQ(operation.result.how, "value");
}

TEST(schedule_at, a_deadline_that_has_passed_completes_at_the_next_turn) {
    manual_context place;
    auto operation = connected<>(schedule_at(context_scheduler(place), coex::timer_clock::time_point::min()));
    operation.start();
    place.advance(0ms);
    EXPECT_EQ(operation.result.how, "value");
}

TEST(schedule_after, a_stop_request_ends_it_at_once) {
    manual_context place;
    coex::inplace_stop_source source;
    auto operation = connected_in<>(schedule_after(context_scheduler(place), 1h),
                                    coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    source.request_stop();
    EXPECT_EQ(operation.result.how, "") << "it completes on its place";
    place.run_all();
    EXPECT_EQ(operation.result.how, "stopped");
    EXPECT_EQ(place.armed(), 0u);
}

TEST(schedule_after, a_stop_request_before_the_start_arms_nothing) {
    manual_context place;
    coex::inplace_stop_source source;
    source.request_stop();
    auto operation = connected_in<>(schedule_after(context_scheduler(place), 1h),
                                    coex::prop(coex::get_stop_token, source.get_token()));
    EXPECT_EQ(operation.start().result.how, "stopped");
    EXPECT_EQ(place.armed(), 0u);
}

TEST(schedule_after, tells_when_the_timer_cannot_be_armed) {
    manual_context place;
    place.set_arming(manual_context::arming::throws);
    EXPECT_EQ(connected<>(schedule_after(context_scheduler(place), 1h)).start().result.error, "std::bad_alloc");
    place.set_arming(manual_context::arming::is_refused);
    EXPECT_EQ(connected<>(schedule_after(context_scheduler(place), 1h)).start().result.how, "stopped");
}

TEST(schedule_after, says_that_it_completes_on_its_scheduler) {
    manual_context place;
    const auto sender = schedule_after(context_scheduler(place), 1h);
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(coex::get_env(sender)), context_scheduler(place));
}

TEST(schedule_after, works_on_pools_and_leaves_a_task_where_it_is) {
    coex::static_thread_pool pool{{.threads = 1}};
    coex::static_thread_pool home{{.threads = 1}};
    const auto run = [](coex::static_thread_pool& timed, coex::static_thread_pool& own) -> task<bool> {
        co_await own.schedule();
        const auto before = coex::now(timed.get_scheduler());
        co_await schedule_after(timed.get_scheduler(), 1ms);
        co_return own.this_thread_index().has_value() && coex::now(timed.get_scheduler()) - before >= 1ms;
    };
    EXPECT_TRUE(coex::block_on(run(pool, home)));
    bool on_pool = false;
    EXPECT_TRUE(coex::sync_wait(schedule_after(pool.get_scheduler(), 1us) |
                                coex::then([&] { on_pool = pool.this_thread_index().has_value(); }))
                    .has_value());
    EXPECT_TRUE(on_pool);
}

TEST(schedule_after, its_end_meets_a_stop_request) {
    coex::static_thread_pool pool{{.threads = 1}};
    for (int i = 0; i < 1000; ++i) {
        coex::inplace_stop_source source;
        const std::jthread stopper([&source] { source.request_stop(); });
        static_cast<void>(coex::sync_wait(schedule_after(pool.get_scheduler(), 30us), source.get_token()));
    }
}

}  // namespace
