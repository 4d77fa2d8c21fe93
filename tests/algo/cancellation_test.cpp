// [exec.adapt] A stop request before, during and after an operation, for the adaptors that pass the receiver's stop
// token on: their senders see a request that is made before or while they run, and none that comes afterwards.

#include "algo/support.hpp"
#include "coro/manual_context.hpp"

#include <exec/algo/as_result.hpp>
#include <exec/algo/bulk.hpp>
#include <exec/algo/continues_on.hpp>
#include <exec/algo/finally.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/on.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/stopped_as.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace {

using namespace coex_test;
using coex::just;
using coex::just_error;
using coex::just_stopped;

/// A place, and what a receiver says of it and of its stop token.
struct cancellation : testing::Test {
    [[nodiscard]] auto environment_of(coex::inplace_stop_source& asked) const {
        return coex::env(coex::prop(coex::get_start_scheduler, home),
                         coex::prop(coex::get_stop_token, asked.get_token()));
    }
    [[nodiscard]] auto environment() { return environment_of(source); }
    void run_places() {
        while (there_context.run_all() + home_context.run_all() > 0) {
        }
    }

    /// What becomes of `adapt(handed)` when the request comes before the start, while the sender runs, and after it.
    template <class Adapt>
    void expect_passed_on(const char* name, Adapt adapt) {
        SCOPED_TRACE(name);
        stopped_before(adapt);
        stopped_during(adapt);
        stopped_after(adapt);
    }

    manual_context there_context;
    manual_context home_context;
    coex::context_scheduler there{there_context};
    coex::context_scheduler home{home_context};
    coex::inplace_stop_source source;

private:
    template <class Adapt>
    void stopped_before(Adapt& adapt) {
        coex::inplace_stop_source asked;
        asked.request_stop();
        hand<> by;
        auto operation = connected_in<>(adapt(handed<>(by)), environment_of(asked));
        operation.start();
        run_places();
        EXPECT_TRUE(by.started) << "only the sender itself may decline to work";
        EXPECT_TRUE(by.stop_seen);
        EXPECT_EQ(operation.result.how, "stopped");
        EXPECT_EQ(operation.result.completions, 1);
    }
    template <class Adapt>
    void stopped_during(Adapt& adapt) {
        coex::inplace_stop_source asked;
        hand<> by;
        auto operation = connected_in<>(adapt(handed<>(by)), environment_of(asked));
        operation.start();
        run_places();
        EXPECT_TRUE(by.is_waiting());
        EXPECT_FALSE(by.stop_seen);
        asked.request_stop();
        EXPECT_TRUE(by.stop_seen);
        run_places();
        EXPECT_EQ(operation.result.how, "stopped");
        EXPECT_EQ(operation.result.completions, 1);
    }
    template <class Adapt>
    void stopped_after(Adapt& adapt) {
        coex::inplace_stop_source asked;
        hand<> by;
        auto operation = connected_in<>(adapt(handed<>(by)), environment_of(asked));
        operation.start();
        run_places();
        by.give();
        run_places();
        EXPECT_EQ(operation.result.how, "value");
        asked.request_stop();
        run_places();
        EXPECT_FALSE(by.stop_seen);
        EXPECT_EQ(operation.result.how, "value");
        EXPECT_EQ(operation.result.completions, 1);
    }
};

TEST_F(cancellation, reaches_the_sender_before_a_function) {
    expect_passed_on("then", [](auto work) { return std::move(work) | coex::then([]() noexcept {}); });
    expect_passed_on("upon_error",
                     [](auto work) { return std::move(work) | coex::upon_error([](auto&&) noexcept {}); });
    expect_passed_on("write_env", [](auto work) { return coex::write_env(std::move(work), coex::env<>()); });
}

TEST_F(cancellation, reaches_both_senders_of_let) {
    expect_passed_on("let_value, the first",
                     [](auto work) { return std::move(work) | coex::let_value([]() noexcept { return just(); }); });
    expect_passed_on("let_error, the first", [](auto work) {
        return std::move(work) | coex::let_error([](auto&) noexcept { return just(); });
    });
    expect_passed_on("let_value, the second",
                     [](auto work) { return just() | coex::let_value([work]() noexcept { return work; }); });
    expect_passed_on("let_error, the second",
                     [](auto work) { return just_error(1) | coex::let_error([work](int&) noexcept { return work; }); });
    expect_passed_on("let_stopped, the second",
                     [](auto work) { return just_stopped() | coex::let_stopped([work]() noexcept { return work; }); });
}

TEST_F(cancellation, reaches_a_sender_on_another_scheduler) {
    expect_passed_on("starts_on", [this](auto work) { return coex::starts_on(there, std::move(work)); });
    expect_passed_on("continues_on", [this](auto work) { return coex::continues_on(std::move(work), there); });
    expect_passed_on("on", [this](auto work) { return coex::on(there, std::move(work)); });
    expect_passed_on("on, with a closure",
                     [this](auto work) { return std::move(work) | coex::on(there, coex::then([]() noexcept {})); });
    expect_passed_on("affine", [](auto work) { return coex::affine(std::move(work)); });
}

TEST_F(cancellation, reaches_the_sender_before_a_bulk) {
    const auto nothing = [](auto...) noexcept {};
    const auto all = [&](auto policy) {
        expect_passed_on("bulk", [&](auto work) { return std::move(work) | coex::bulk(policy, 2, nothing); });
        expect_passed_on("bulk_chunked",
                         [&](auto work) { return std::move(work) | coex::bulk_chunked(policy, 2, nothing); });
        expect_passed_on("bulk_unchunked",
                         [&](auto work) { return std::move(work) | coex::bulk_unchunked(policy, 2, nothing); });
        expect_passed_on("bulk on a place", [&](auto work) {
            return coex::starts_on(there, std::move(work)) | coex::bulk(policy, 2, nothing);
        });
        expect_passed_on("bulk_chunked on a place", [&](auto work) {
            return coex::starts_on(there, std::move(work)) | coex::bulk_chunked(policy, 2, nothing);
        });
        expect_passed_on("bulk_unchunked on a place", [&](auto work) {
            return coex::starts_on(there, std::move(work)) | coex::bulk_unchunked(policy, 2, nothing);
        });
    };
    all(coex::seq);
    all(coex::par);
}

TEST_F(cancellation, of_the_first_sender_of_let_stopped_starts_the_second_which_sees_the_request) {
    hand<> first;
    bool requested = false;
    auto work = handed<>(first) | coex::let_stopped([&requested]() noexcept {
                    return coex::read_env(coex::get_stop_token) |
                           coex::then([&requested](auto token) noexcept { requested = token.stop_requested(); });
                });
    auto operation = connected_in<>(std::move(work), environment());
    operation.start();
    source.request_stop();
    EXPECT_TRUE(first.stop_seen);
    EXPECT_TRUE(requested);
    EXPECT_EQ(operation.result.how, "value");
}

TEST_F(cancellation, before_let_error_calls_its_function_is_not_seen_by_the_error) {
    hand<> first;
    hand<> second;
    first.stops_when_asked = false;
    auto work = handed<>(first) | coex::let_error([&second](auto&) noexcept { return handed<>(second); });
    auto operation = connected_in<>(std::move(work), environment());
    operation.start();
    source.request_stop();
    first.fail(failure("in spite of the request"));
    EXPECT_TRUE(second.started && second.stop_seen) << "the error is handled; the handler sees the request";
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST_F(cancellation, on_the_way_to_a_scheduler_that_cannot_be_stopped_is_seen_by_the_sender_there) {
    hand<> by;
    auto operation = connected_in<>(coex::starts_on(there, handed<>(by)), environment());
    operation.start();
    source.request_stop();
    EXPECT_FALSE(by.started);
    run_places();
    EXPECT_TRUE(by.started && by.stop_seen);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST_F(cancellation, on_the_way_back_loses_no_result) {
    const auto expect_kept = [this](const char* name, auto work) {
        SCOPED_TRACE(name);
        coex::inplace_stop_source asked;
        auto operation = connected_in<int>(std::move(work), environment_of(asked));
        operation.start();
        there_context.run_all();
        EXPECT_EQ(operation.result.how, "");
        asked.request_stop();
        run_places();
        EXPECT_EQ(operation.result.values, std::tuple(5));
    };
    expect_kept("continues_on", just(5) | coex::continues_on(home));
    expect_kept("on", coex::on(there, just(5)));
    expect_kept("affine", coex::affine(coex::schedule(there) | coex::then([]() noexcept { return 5; })));
}

/// A scheduler of which the test decides how `schedule()` completes.
class handed_scheduler {
public:
    using scheduler_concept = coex::scheduler_tag;

    explicit handed_scheduler(hand<>& by) noexcept : by_(&by) {}
    [[nodiscard]] handed<> schedule() const noexcept { return handed<>(*by_); }
    bool operator==(const handed_scheduler&) const noexcept = default;

private:
    hand<>* by_;
};

TEST_F(cancellation, of_the_scheduling_of_starts_on_starts_nothing) {
    hand<> arrival;
    hand<> work;
    auto operation = connected_in<>(coex::starts_on(handed_scheduler(arrival), handed<>(work)), environment());
    operation.start();
    source.request_stop();
    EXPECT_TRUE(arrival.stop_seen);
    EXPECT_FALSE(work.started);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST_F(cancellation, of_the_scheduling_of_continues_on_takes_the_place_of_the_result) {
    hand<> arrival;
    auto operation = connected_in<int>(just(5) | coex::continues_on(handed_scheduler(arrival)), environment());
    operation.start();
    source.request_stop();
    EXPECT_TRUE(arrival.stop_seen);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(scheduling, that_fails_is_the_error_of_starts_on_and_of_continues_on) {
    hand<> arrival;
    hand<> work;
    auto starts = connected<>(coex::starts_on(handed_scheduler(arrival), handed<>(work)));
    starts.start();
    arrival.fail(failure("no place"));
    EXPECT_FALSE(work.started);
    EXPECT_EQ(starts.result.error, "no place");
    auto continues = connected<int>(just(5) | coex::continues_on(handed_scheduler(arrival)));
    continues.start();
    arrival.fail(failure("no place"));
    EXPECT_EQ(continues.result.error, "no place");
}

TEST_F(cancellation, while_a_bulk_calls_leaves_out_no_call) {
    const auto expect_all = [this](const char* name, auto bulk_of) {
        SCOPED_TRACE(name);
        coex::inplace_stop_source asked;
        int calls = 0;
        const auto counts = [&](auto... place) noexcept {
            asked.request_stop();
            if constexpr (sizeof...(place) == 2) {
                const auto [begin, end] = std::tuple(place...);
                calls += end - begin;
            } else {
                ++calls;
            }
        };
        auto operation = connected_in<>(coex::schedule(there) | bulk_of(counts),
                                        coex::prop(coex::get_stop_token, asked.get_token()));
        operation.start();
        run_places();
        EXPECT_EQ(calls, 100);
        EXPECT_EQ(operation.result.how, "value");
    };
    expect_all("bulk", [](auto f) { return coex::bulk(coex::par, 100, f); });
    expect_all("bulk_chunked", [](auto f) { return coex::bulk_chunked(coex::par, 100, f); });
    expect_all("bulk_unchunked", [](auto f) { return coex::bulk_unchunked(coex::par, 100, f); });
    expect_all("bulk, seq", [](auto f) { return coex::bulk(coex::seq, 100, f); });
}

/// Expects that `adapt(handed)` may be destroyed by its completion inside the request that stops it.
template <class Adapt>
void expect_may_end_in_the_request(Adapt adapt) {
    coex::inplace_stop_source asked;
    hand<> by;
    using work = decltype(adapt(handed<>(by)));
    const coex::prop environment(coex::get_stop_token, asked.get_token());
    std::optional<running<work, std::remove_const_t<decltype(environment)>>> operation;
    operation.emplace(adapt(handed<>(by)), environment);
    int ended = 0;
    operation->result.after = [&] {
        ++ended;
        // Moved out first: it is this function that is running.
        const auto running_function = std::move(operation->result.after);
        operation.reset();
    };
    operation->start();
    asked.request_stop();
    EXPECT_EQ(ended, 1);
    EXPECT_FALSE(operation.has_value());
}

TEST(cancellation_that_ends_an_operation, may_destroy_it) {
    expect_may_end_in_the_request(
        [](auto work) { return std::move(work) | coex::let_value([]() noexcept { return just(); }); });
    expect_may_end_in_the_request(
        [](auto work) { return just() | coex::let_value([work]() noexcept { return work; }); });
    expect_may_end_in_the_request(
        [](auto work) { return just_error(1) | coex::let_error([work](int&) noexcept { return work; }); });
    expect_may_end_in_the_request(
        [](auto work) { return just_stopped() | coex::let_stopped([work]() noexcept { return work; }); });
    expect_may_end_in_the_request([](auto work) { return coex::finally(std::move(work), just()); });
    expect_may_end_in_the_request(
        [](auto work) { return std::move(work) | coex::bulk(coex::par, 2, [](int) noexcept {}); });
}

}  // namespace
