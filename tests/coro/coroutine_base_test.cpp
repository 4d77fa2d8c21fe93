// What operations, waiters and places of their own may rely on.

#include <exec/coro/coroutine_base.hpp>

#include "coro/manual_context.hpp"
#include "coro/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <coroutine>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::coroutine_base;
using coex::task;
using coex::detail::outcome;
using coex_test::counted;
using coex_test::manual_context;
using coex_test::started;

/// An operation whose behaviour on suspension a test chooses.
template <class OnSuspend>
class custom {
public:
    explicit custom(OnSuspend on_suspend) : on_suspend_(std::move(on_suspend)) {}

    class awaiter {
    public:
        explicit awaiter(OnSuspend on_suspend) : on_suspend_(std::move(on_suspend)) {}
        [[nodiscard]] static bool await_ready() noexcept { return false; }
        template <std::derived_from<coroutine_base> Promise>
        bool await_suspend(std::coroutine_handle<Promise> coroutine) {
            return on_suspend_(coroutine.promise());
        }
        static void await_resume() noexcept {}

    private:
        OnSuspend on_suspend_;
    };
    [[nodiscard]] awaiter operator co_await() && { return awaiter(std::move(on_suspend_)); }

private:
    OnSuspend on_suspend_;
};

/// Keeps the coroutine that awaits it, for the test to continue.
struct gate {
    coroutine_base* held = nullptr;

    [[nodiscard]] auto wait() {
        const auto hold = [this](coroutine_base& coroutine) {
            coroutine.detach();
            held = &coroutine;
            return true;
        };
        return custom(hold);
    }
};

task<int> pass(gate& at) {
    const counted mine;
    co_await at.wait();
    co_return 7;
}
task<int> parent_of(task<int> child) {
    const counted mine;
    co_return co_await std::move(child) + 1;
}

TEST(coroutine_base, an_end_at_once_is_told_by_start_inline_alone) {
    manual_context context;
    const auto give = []() -> task<int> { co_return 3; };
    started root(parent_of(give()), context);
    EXPECT_TRUE(root.ended_at_once);
    EXPECT_EQ(root.told, 0);
    EXPECT_EQ(root.how(), outcome::value);
    EXPECT_EQ(root.take(), 4);
    EXPECT_EQ(context.run_all(), 0) << "nothing was submitted";
}

TEST(coroutine_base, a_detached_end_is_told_to_the_waiter_once) {
    manual_context context;
    gate at;
    started root(parent_of(pass(at)), context);
    EXPECT_FALSE(root.has_ended());
    at.held->resume_later();
    EXPECT_FALSE(root.has_ended()) << "resumes on its context, not within resume_later";
    context.run_all();
    EXPECT_FALSE(root.ended_at_once);
    EXPECT_EQ(root.told, 1);
    EXPECT_EQ(root.take(), 8);
}

TEST(coroutine_base, unwind_later_stops_the_whole_chain) {
    manual_context context;
    gate at;
    {
        started root(parent_of(parent_of(pass(at))), context);
        at.held->unwind_later();
        EXPECT_FALSE(root.has_ended());
        context.run_all();
        EXPECT_EQ(root.told, 1);
        EXPECT_EQ(root.how(), outcome::stopped);
    }
    EXPECT_EQ(counted::live, 0);
}

TEST(coroutine_base, resume_on_moves_the_coroutine_and_not_its_parent) {
    manual_context here;
    manual_context there;
    gate at;
    started root(parent_of(pass(at)), here);
    at.held->resume_on(there);
    EXPECT_EQ(here.run_all(), 0);
    EXPECT_EQ(there.run_all(), 1);
    EXPECT_FALSE(root.has_ended()) << "the parent has yet to resume, where it was";
    EXPECT_EQ(here.run_all(), 1);
    EXPECT_EQ(root.take(), 8);
}

TEST(coroutine_base, an_operation_that_finds_itself_complete_may_take_the_detaching_back) {
    const auto complete = [](coroutine_base& coroutine) {
        const bool former = coroutine.detach();
        coroutine.reattach(former);
        return false;
    };
    const auto body = [&]() -> task<int> {
        for (int i = 0; i < 100; ++i) co_await custom(complete);
        co_return 1;
    };
    manual_context context;
    started root(parent_of(body()), context);
    EXPECT_TRUE(root.ended_at_once);
    EXPECT_EQ(root.take(), 2);
}

TEST(coroutine_base, unwind_here_ends_a_coroutine_that_never_suspended_in_earnest_at_once) {
    const auto stop = [](coroutine_base& coroutine) {
        coroutine.unwind_here();
        return true;
    };
    const auto body = [&]() -> task<int> {
        const counted mine;
        co_await custom(stop);
        ADD_FAILURE() << "went on";
        co_return 1;
    };
    manual_context context;
    {
        started root(parent_of(body()), context);
        EXPECT_TRUE(root.ended_at_once);
        EXPECT_EQ(root.how(), outcome::stopped);
    }
    EXPECT_EQ(counted::live, 0);
}

TEST(coroutine_base, unwind_here_ends_a_coroutine_that_suspended_before_on_its_context) {
    gate at;
    const auto stop = [](coroutine_base& coroutine) {
        coroutine.unwind_here();
        return true;
    };
    const auto body = [&]() -> task<int> {
        const counted mine;
        co_await at.wait();
        co_await custom(stop);
        ADD_FAILURE() << "went on";
        co_return 1;
    };
    manual_context context;
    {
        started root(parent_of(body()), context);
        at.held->resume_later();
        context.run_all();
        EXPECT_EQ(root.told, 1);
        EXPECT_EQ(root.how(), outcome::stopped);
    }
    EXPECT_EQ(counted::live, 0);
}

TEST(coroutine_base, an_operation_that_cannot_start_throws_at_its_await) {
    const auto fail = [](coroutine_base&) -> bool { throw std::runtime_error("cannot start"); };
    const auto body = [&](bool catches) -> task<int> {
        const counted mine;
        try {
            co_await custom(fail);
        } catch (const std::runtime_error&) {
            if (!catches) throw;
        }
        co_return 5;
    };
    EXPECT_EQ(coex::block_on(body(true)), 5);
    EXPECT_THROW(coex::block_on(parent_of(body(false))), std::runtime_error);
    EXPECT_EQ(counted::live, 0);
}

TEST(coroutine_base, a_task_goes_on_normally_after_an_operation_that_could_not_start) {
    const auto fail = [](coroutine_base&) -> bool { throw std::runtime_error("cannot start"); };
    coex::static_thread_pool pool{coex::pool_options{.name = "after", .threads = 1}};
    const auto body = [&]() -> task<int> {
        int failures = 0;
        for (int i = 0; i < 50; ++i) {
            try {
                co_await custom(fail);
            } catch (const std::runtime_error&) {
                ++failures;
            }
            if (i % 2 == 0) co_await pool.schedule();
            co_await coex::sleep_for(std::chrono::microseconds(1));
        }
        co_return failures;
    };
    EXPECT_EQ(coex::block_on(body()), 50);
}

// The other thread resumes the coroutine while await_suspend is still running.
TEST(coroutine_base, may_be_resumed_before_its_suspension_has_returned) {
    coex::static_thread_pool here{coex::pool_options{.name = "here", .threads = 2}};
    const auto resume_at_once = [](coroutine_base& coroutine) {
        coroutine.detach();
        coroutine.resume_later();
        return true;
    };
    const auto body = [&]() -> task<int> {
        co_await here.schedule();
        const counted mine;
        for (int i = 0; i < 20; ++i) co_await custom(resume_at_once);
        co_return 1;
    };
    for (int round = 0; round < 500; ++round) EXPECT_EQ(coex::block_on(parent_of(body())), 2);
    EXPECT_EQ(counted::live, 0);
}

// Edge by edge of the meeting [C1]: the child ends on a worker while its parent decides to stay suspended.
TEST(coroutine_base, a_child_and_its_parent_meet_whoever_comes_first) {
    coex::static_thread_pool pool{coex::pool_options{.name = "meet", .threads = 2}};
    const auto unwind = [](coroutine_base& coroutine) {
        coroutine.unwind_here();
        return true;
    };
    const auto child = [&](int kind) -> task<int> {
        const counted mine;
        co_await pool.schedule();
        if (kind % 3 == 1) throw std::runtime_error("failed");
        if (kind % 3 == 2) co_await custom(unwind);
        co_return 7;
    };
    constexpr int rounds = 3000;
    int values = 0;
    int errors = 0;
    int stops = 0;
    for (int round = 0; round < rounds; ++round) {
        try {
            const auto result = coex::sync_wait(parent_of(parent_of(child(round))));
            ++(result ? values : stops);
        } catch (const std::runtime_error&) {
            ++errors;
        }
        EXPECT_EQ(counted::live, 0);
    }
    EXPECT_EQ(values, rounds / 3);
    EXPECT_EQ(errors, rounds / 3);
    EXPECT_EQ(stops, rounds / 3);
}

TEST(coroutine_base, sleeps_take_the_time_from_their_place) {
    manual_context context;
    const auto nap = [](std::chrono::hours time) -> task<int> {
        co_await coex::sleep_for(time);
        co_return static_cast<int>(time.count());
    };
    started root(parent_of(nap(std::chrono::hours(5))), context);
    context.advance(std::chrono::hours(4));
    EXPECT_FALSE(root.has_ended());
    context.advance(std::chrono::hours(1));
    EXPECT_TRUE(root.has_ended());
    EXPECT_EQ(root.take(), 6);
}

TEST(coroutine_base, a_stop_request_ends_a_sleep_on_any_place) {
    manual_context context;
    coex::inplace_stop_source source;
    {
        const auto nap = []() -> task<> {
            const counted mine;
            co_await coex::sleep_for(std::chrono::hours(1));
        };
        started root(coex::detail::as_task(coex::when_all(nap(), nap())), context, source.get_token());
        EXPECT_EQ(context.armed(), 2U);
        source.request_stop();
        EXPECT_EQ(context.armed(), 0U);
        EXPECT_FALSE(root.has_ended());
        context.run_all();
        EXPECT_EQ(root.told, 1);
        EXPECT_EQ(root.how(), outcome::stopped);
    }
    EXPECT_EQ(counted::live, 0);
}

TEST(coroutine_base, a_sleep_beyond_the_end_of_time_waits_until_it_is_stopped) {
    manual_context context;
    coex::inplace_stop_source source;
    const auto nap = [](auto time) -> task<> { co_await coex::sleep_for(time); };
    started hours(nap(std::chrono::hours::max()), context, source.get_token());
    started seconds(nap(std::chrono::duration<double>(1e300)), context, source.get_token());
    context.advance(std::chrono::hours(1000));
    EXPECT_EQ(context.armed(), 2U);
    source.request_stop();
    context.run_all();
    EXPECT_EQ(hours.how(), outcome::stopped);
    EXPECT_EQ(seconds.how(), outcome::stopped);
}

TEST(coroutine_base, a_place_without_memory_for_a_timer_fails_the_sleep_and_one_that_closes_stops_it) {
    manual_context context;
    const auto nap = []() -> task<int> {
        const counted mine;
        try {
            co_await coex::sleep_for(std::chrono::hours(1));
        } catch (const std::bad_alloc&) {
            co_return 1;
        }
        co_return 2;
    };
    const coex::inplace_stop_source source;
    context.set_arming(manual_context::arming::throws);
    started failed(parent_of(nap()), context, source.get_token());
    EXPECT_TRUE(failed.ended_at_once);
    EXPECT_EQ(failed.take(), 2);
    context.set_arming(manual_context::arming::is_refused);
    started stopped(parent_of(nap()), context, source.get_token());
    EXPECT_TRUE(stopped.ended_at_once);
    EXPECT_EQ(stopped.how(), outcome::stopped);
}

}  // namespace
