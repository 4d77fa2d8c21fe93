#include <exec/io/blocking.hpp>

#include "io/socket_support.hpp"

#include <exec/io/poll.hpp>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;
using coex::blocking;
using coex::inplace_stop_source;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex_test::run_on;

/// Puts the limits back that a test has changed.
class blocking_calls : public ::testing::Test {
protected:
    void TearDown() override { coex::set_blocking_limits({}); }
    static void use(std::size_t threads, std::chrono::milliseconds keep_alive = 10s) {
        coex::blocking_limits limits;
        limits.threads = threads;
        limits.keep_alive = keep_alive;
        coex::set_blocking_limits(limits);
        while (coex::blocking_thread_count() > threads) std::this_thread::yield();
    }

    static_thread_pool pool{{.name = "home", .threads = 1}};
};

TEST_F(blocking_calls, gives_the_result_back_to_where_the_task_was) {
    const auto work = [](static_thread_pool& home) -> task<std::string> {
        auto call = blocking([&home] { return home.this_thread_index() ? "on a worker" : "elsewhere"; });
        const std::string where = co_await std::move(call);
        co_return where + (home.this_thread_index() == 0U ? ", and back" : ", and lost");
    };
    EXPECT_EQ(run_on(pool, work(pool)), "elsewhere, and back");
}

TEST_F(blocking_calls, takes_functions_that_give_nothing_or_a_reference_or_only_move) {
    static int number = 7;
    const auto work = []() -> task<int*> {
        auto nothing = blocking([] {});
        co_await std::move(nothing);
        auto only_moves = blocking([owned = std::make_unique<int>(1)] { return *owned; });
        const int one = co_await std::move(only_moves);
        auto reference = blocking([]() -> int& { return number; });
        int& found = co_await std::move(reference);
        found += one;
        co_return &found;
    };
    EXPECT_EQ(run_on(pool, work()), &number);
    EXPECT_EQ(number, 8);
}

TEST_F(blocking_calls, throws_what_the_function_throws) {
    const auto work = []() -> task<void> {
        auto call = blocking([] { throw std::runtime_error("no"); });
        co_await std::move(call);
    };
    EXPECT_THROW(run_on(pool, work()), std::runtime_error);
}

task<int> call_latch(std::latch& all) {
    auto call = blocking([&all] {
        all.arrive_and_wait();
        return 1;
    });
    co_return co_await std::move(call);
}

TEST_F(blocking_calls, as_many_as_may_be_are_in_progress_at_once_and_hold_no_worker) {
    constexpr int calls = 50;
    use(calls);
    std::latch all(calls);
    std::vector<task<int>> waiting;
    for (int i = 0; i < calls; ++i) waiting.push_back(call_latch(all));
    EXPECT_EQ(run_on(pool, coex::when_all(std::move(waiting))), std::vector<int>(calls, 1));
    EXPECT_GE(coex::blocking_thread_count(), 1U);
}

task<int> count_call(std::atomic<int>& now, std::atomic<int>& most) {
    auto call = blocking([&] {
        const int here = now.fetch_add(1) + 1;
        int before = most.load();
        while (before < here && !most.compare_exchange_weak(before, here)) {
        }
        std::this_thread::yield();
        now.fetch_sub(1);
        return 1;
    });
    co_return co_await std::move(call);
}

TEST_F(blocking_calls, never_more_than_the_limit_are_in_progress) {
    use(3);
    std::atomic<int> now{0};
    std::atomic<int> most{0};
    std::vector<task<int>> waiting;
    for (int i = 0; i < 500; ++i) waiting.push_back(count_call(now, most));
    EXPECT_EQ(run_on(pool, coex::when_all(std::move(waiting))).size(), 500U);
    EXPECT_LE(most.load(), 3);
    EXPECT_LE(coex::blocking_thread_count(), 3U);
}

TEST_F(blocking_calls, idle_threads_end) {
    use(4, 0ms);
    const auto work = []() -> task<void> {
        auto call = blocking([] {});
        co_await std::move(call);
    };
    run_on(pool, work());
    while (coex::blocking_thread_count() != 0) std::this_thread::yield();
    run_on(pool, work());
}

task<int> run_after(std::latch& begun, std::latch& go) {
    auto call = blocking([&] {
        begun.count_down();
        go.wait();
        return 1;
    });
    co_return co_await std::move(call);
}

task<int> note_call(std::atomic<int>& calls) {
    auto call = blocking([&calls] { return calls.fetch_add(1); });
    co_return co_await std::move(call);
}

TEST_F(blocking_calls, one_that_is_cancelled_while_it_waits_never_begins) {
    use(1);
    std::latch begun(1);
    std::latch go(1);
    std::atomic<int> calls{0};
    std::thread first([&] { EXPECT_EQ(run_on(pool, run_after(begun, go)), 1); });
    begun.wait();
    inplace_stop_source source;
    std::thread second([&] { EXPECT_FALSE(sync_wait(note_call(calls), source.get_token()).has_value()); });
    source.request_stop();
    second.join();
    go.count_down();
    first.join();
    EXPECT_EQ(calls.load(), 0);
}

TEST_F(blocking_calls, one_in_progress_sees_the_token_and_keeps_its_result) {
    std::latch begun(1);
    inplace_stop_source source;
    const auto work = [](std::latch& entered) -> task<bool> {
        auto call = blocking([&entered](coex::inplace_stop_token token) {
            entered.count_down();
            while (!token.stop_requested()) std::this_thread::yield();
            return true;
        });
        co_return co_await std::move(call);
    };
    std::thread stopper([&] {
        begun.wait();
        source.request_stop();
    });
    const auto seen = sync_wait(work(begun), source.get_token());
    stopper.join();
    ASSERT_TRUE(seen.has_value());
    EXPECT_TRUE(std::get<0>(*seen));
}

TEST_F(blocking_calls, cancelling_at_any_time_loses_no_call_and_runs_none_twice) {
    use(2);
    for (int turn = 0; turn < 300; ++turn) {
        std::atomic<int> calls{0};
        std::vector<task<int>> waiting;
        for (int i = 0; i < 8; ++i) waiting.push_back(note_call(calls));
        inplace_stop_source source;
        std::thread stopper([&] {
            for (int i = 0; i < turn % 20; ++i) std::this_thread::yield();
            source.request_stop();
        });
        const bool whole = sync_wait(coex::when_all(std::move(waiting)), source.get_token()).has_value();
        stopper.join();
        EXPECT_LE(calls.load(), 8);
        if (whole) {
            EXPECT_EQ(calls.load(), 8);
        }
    }
}

task<void> tell(std::atomic<bool>& told) {
    told.store(true);
    co_return;
}

/// Makes a call on a pool; tells once it waits for the call: `when_all` starts the second when the first has suspended.
task<int> note_call_on(static_thread_pool& home, std::atomic<int>& calls, std::atomic<bool>& waits) {
    co_await home.schedule();
    const auto results = co_await coex::when_all(note_call(calls), tell(waits));
    co_return std::get<0>(results);
}

task<int> call_until_stopped_on(static_thread_pool& home, std::latch& begun) {
    co_await home.schedule();
    auto call = blocking([&begun](coex::inplace_stop_token token) {
        begun.count_down();
        while (!token.stop_requested()) std::this_thread::yield();
        return 7;
    });
    co_return co_await std::move(call);
}

TEST_F(blocking_calls, of_a_pool_that_ends_those_in_progress_are_waited_for_and_asked_to_stop_and_others_never_begin) {
    use(1);
    for (int round = 0; round < 20; ++round) {
        auto home = std::make_unique<static_thread_pool>(coex::pool_options{.threads = 2});
        std::latch begun(1);
        std::thread first([&] {
            const auto got = sync_wait(call_until_stopped_on(*home, begun));
            ASSERT_TRUE(got.has_value());
            EXPECT_EQ(std::get<0>(*got), 7);
        });
        begun.wait();
        std::atomic<int> calls{0};
        std::atomic<bool> waits{false};
        std::thread second([&] { EXPECT_FALSE(sync_wait(note_call_on(*home, calls, waits)).has_value()); });
        while (!waits.load()) std::this_thread::yield();
        home.reset();
        first.join();
        second.join();
        EXPECT_EQ(calls.load(), 0);
    }
}

/// Waits for an empty pipe once a pool has asked its calls to stop: the pool's first input or output.
task<void> begin_io_late(static_thread_pool& home, int pipe, std::latch& begun, std::atomic<bool>& asked,
                         std::latch& done) {
    const struct at_the_end {
        ~at_the_end() { done->count_down(); }
        std::latch* done;
    } at_the_end{&done};
    co_await home.schedule();
    begun.count_down();
    while (!asked.load()) std::this_thread::yield();
    static_cast<void>(co_await coex::poll(home, pipe, coex::poll_events::readable));
}

TEST_F(blocking_calls, a_stop_callback_may_wait_for_the_first_operation_of_the_pool_that_ends) {
    std::atomic<bool> asked{false};
    std::latch begun(2);
    std::latch done(1);
    coex_test::pipe_pair pipe;
    const int reading_end = pipe.take_reading_end();
    auto home = std::make_unique<static_thread_pool>(coex::pool_options{.threads = 2});
    std::thread reader([&] { EXPECT_FALSE(sync_wait(begin_io_late(*home, reading_end, begun, asked, done))); });
    std::thread caller([&] {
        const auto wait_for_reader = [&](coex::inplace_stop_token token) {
            const auto when_asked = [&] {
                asked = true;
                done.wait();
            };
            const coex::inplace_stop_callback callback(token, when_asked);
            begun.count_down();
            done.wait();
        };
        const auto on_pool = [&]() -> task<void> {
            co_await home->schedule();
            auto call = blocking(wait_for_reader);
            co_await std::move(call);
        };
        static_cast<void>(sync_wait(on_pool()));
    });
    begun.wait();
    home.reset();
    reader.join();
    caller.join();
    ::close(reading_end);
}

TEST_F(blocking_calls, one_pool_that_ends_leaves_the_calls_of_others_alone) {
    use(1);
    std::latch begun(1);
    std::latch go(1);
    std::thread first([&] { EXPECT_EQ(run_on(pool, run_after(begun, go)), 1); });
    begun.wait();
    std::atomic<int> calls{0};
    std::atomic<bool> waits{false};
    std::thread second([&] { EXPECT_TRUE(sync_wait(note_call_on(pool, calls, waits)).has_value()); });
    while (!waits.load()) std::this_thread::yield();
    {
        static_thread_pool other{{.threads = 1}};
        std::atomic<bool> other_waits{false};
        std::thread third([&] { static_cast<void>(sync_wait(note_call_on(other, calls, other_waits))); });
        while (!other_waits.load()) std::this_thread::yield();
        go.count_down();
        third.join();
    }
    first.join();
    second.join();
    EXPECT_EQ(calls.load(), 2);
}

TEST_F(blocking_calls, limits_that_make_no_sense_are_refused) {
    coex::blocking_limits none;
    none.threads = 0;
    EXPECT_THROW(coex::set_blocking_limits(none), std::invalid_argument);
    coex::blocking_limits negative;
    negative.keep_alive = -1ms;
    EXPECT_THROW(coex::set_blocking_limits(negative), std::invalid_argument);
}

}  // namespace
