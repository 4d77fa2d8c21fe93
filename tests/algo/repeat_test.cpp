#include "algo/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/repeat_until.hpp>
#include <exec/algo/retry.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace coex_test;
using coex::just;
using coex::just_error;
using coex::just_stopped;
using coex::let_value;
using coex::repeat_until;
using coex::retry;
using coex::then;

constexpr int many = 1'000'000;

static_assert(completes_with<decltype(repeat_until(just(true))), coex::set_value_t(), can_throw, can_stop>);
static_assert(completes_with<decltype(retry(just(1))), coex::set_value_t(int), can_throw, can_stop>);
static_assert(completes_with<decltype(retry(just_error(2))), can_throw, can_stop>, "errors do not pass");
static_assert(completes_with<decltype(retry(just_error(2), 3)), coex::set_error_t(int), can_throw, can_stop>);

// --- repeat_until -------------------------------------------------------------------------------------------------

TEST(repeat_until, runs_until_the_value_is_true) {
    int runs = 0;
    auto result = run<>(just() | then([&runs]() noexcept { return ++runs == 5; }) | repeat_until());
    EXPECT_EQ(result.how, "value");
    EXPECT_EQ(result.completions, 1);
    EXPECT_EQ(runs, 5);
}

TEST(repeat_until, errors_and_stops_end_it) {
    EXPECT_EQ(run<>(repeat_until(just_error(failure("own")))).error, "own");
    EXPECT_EQ(run<>(repeat_until(just_stopped())).how, "stopped");
    int runs = 0;
    EXPECT_EQ(run<>(repeat_until(just() | then([&runs]() -> bool {
                                     if (++runs == 3) throw std::runtime_error("third");
                                     return false;
                                 })))
                  .error,
              "third");
    EXPECT_EQ(runs, 3);
}

struct throws_when_asked {
    explicit operator bool() const { throw std::runtime_error("bool"); }
};

TEST(repeat_until, an_exception_of_the_conversion_ends_it) {
    EXPECT_EQ(run<>(repeat_until(just(throws_when_asked()))).error, "bool");
}

TEST(repeat_until, a_million_runs_that_complete_at_once_keep_the_stack_flat) {
    int runs = 0;
    EXPECT_EQ(run<>(repeat_until(just() | then([&runs]() noexcept { return ++runs == many; }))).how, "value");
    EXPECT_EQ(runs, many);
}

TEST(repeat_until, each_run_has_an_operation_of_its_own_which_is_gone_before_the_next) {
    struct live {
        explicit live(int& count) noexcept : count_(&count) {}
        live(const live& other) noexcept : count_(other.count_) { ++*count_; }
        live& operator=(const live&) = delete;
        ~live() { --*count_; }
        int* count_;
    };
    int count = 1;
    int runs = 0;
    int first = 0;
    int most = 0;
    {
        const live counts(count);
        EXPECT_EQ(run<>(repeat_until(just() | then([&, counts]() noexcept {
                                         if (runs == 0) first = count;
                                         most = std::max(most, count);
                                         return ++runs == 100;
                                     })))
                      .how,
                  "value");
    }
    EXPECT_EQ(most, first);
    EXPECT_EQ(count, 0);
}

TEST(repeat_until, a_stop_request_between_two_runs_ends_it) {
    coex::inplace_stop_source source;
    int runs = 0;
    auto result = run_in<>(repeat_until(just() | then([&]() noexcept {
                                            if (++runs == 3) source.request_stop();
                                            return false;
                                        })),
                           coex::prop(coex::get_stop_token, source.get_token()));
    EXPECT_EQ(result.how, "stopped");
    EXPECT_EQ(runs, 3);
}

TEST(repeat_until, a_stop_request_before_the_start_runs_nothing) {
    coex::inplace_stop_source source;
    source.request_stop();
    int runs = 0;
    EXPECT_EQ(run_in<>(repeat_until(just() | then([&runs]() noexcept { return ++runs > 0; })),
                       coex::prop(coex::get_stop_token, source.get_token()))
                  .how,
              "stopped");
    EXPECT_EQ(runs, 0);
}

TEST(repeat_until, a_stop_request_reaches_the_run_that_waits) {
    coex::inplace_stop_source source;
    hand<bool> by;
    auto operation =
        connected_in<>(repeat_until(handed<bool>(by)), coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    by.give(false);
    EXPECT_TRUE(by.is_waiting()) << "the second run";
    source.request_stop();
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(repeat_until, runs_that_complete_on_other_threads_go_on_there) {
    coex::static_thread_pool pool{{.threads = 2}};
    int runs = 0;
    EXPECT_TRUE(coex::sync_wait(repeat_until(coex::schedule(pool.get_scheduler()) |
                                             then([&runs]() noexcept { return ++runs == 20000; })))
                    .has_value());
    EXPECT_EQ(runs, 20000);
}

coex::task<bool> counts_to(int& runs, int last) {
    co_return ++runs == last;
}

TEST(repeat_until, a_task_is_made_anew_for_each_run) {
    int runs = 0;
    coex::block_on(repeat_until(just() | let_value([&runs] { return counts_to(runs, 1000); })));
    EXPECT_EQ(runs, 1000);
}

TEST(repeat_until, nested_in_itself_keeps_the_stack_flat) {
    int inner = 0;
    int outer = 0;
    const auto inner_loop = repeat_until(just() | then([&inner]() noexcept { return ++inner % 1000 == 0; }));
    EXPECT_EQ(run<>(repeat_until(inner_loop | then([&outer]() noexcept { return ++outer == 100; }))).how, "value");
    EXPECT_EQ(inner, 100000);
}

// --- retry --------------------------------------------------------------------------------------------------------

auto fails_until(int& runs, int last) {
    return just() | then([&runs, last] {
               if (++runs < last) throw std::runtime_error(std::to_string(runs));
               return runs;
           });
}

TEST(retry, runs_again_until_there_is_no_error) {
    int runs = 0;
    auto result = run<int>(fails_until(runs, 5) | retry());
    EXPECT_EQ(*result.values, std::tuple(5));
    EXPECT_EQ(result.completions, 1);
}

TEST(retry, a_stop_is_no_error) {
    EXPECT_EQ(run<>(retry(just_stopped())).how, "stopped");
}

TEST(retry, gives_up_after_so_many_attempts_with_the_last_error) {
    int runs = 0;
    EXPECT_EQ(run<int>(retry(fails_until(runs, 5), 3)).error, "3");
    EXPECT_EQ(runs, 3);
    runs = 0;
    EXPECT_EQ(*run<int>(fails_until(runs, 5) | retry(5)).values, std::tuple(5));
    runs = 0;
    EXPECT_EQ(run<int>(retry(fails_until(runs, 5), 0)).error, "1") << "there is always a first";
}

TEST(retry, a_copy_of_the_sender_counts_its_own_attempts) {
    int runs = 0;
    const auto sender = retry(fails_until(runs, many), 2);
    EXPECT_EQ(run<int>(sender).error, "2");
    EXPECT_EQ(run<int>(sender).error, "4");
}

TEST(retry, a_million_failures_at_once_keep_the_stack_flat) {
    int runs = 0;
    const auto fails = just() | let_value([&runs] { return just_error(++runs); });
    EXPECT_EQ(run<>(retry(fails, many)).error, std::to_string(many));
}

TEST(retry, keeps_what_only_moves) {
    int runs = 0;
    auto result = run<only_moves>(retry(just() | then([&runs] {
                                            if (++runs < 3) throw std::runtime_error("not yet");
                                            return std::make_unique<int>(9);
                                        })));
    EXPECT_EQ(*std::get<0>(*result.values), 9);
}

TEST(retry, a_stop_request_between_two_runs_ends_it) {
    coex::inplace_stop_source source;
    int runs = 0;
    auto result = run_in<>(retry(just() | let_value([&] {
                                     if (++runs == 3) source.request_stop();
                                     return just_error(runs);
                                 })),
                           coex::prop(coex::get_stop_token, source.get_token()));
    EXPECT_EQ(result.how, "stopped");
    EXPECT_EQ(runs, 3);
}

TEST(retry, failures_on_other_threads_are_retried_there) {
    coex::static_thread_pool pool{{.threads = 2}};
    int runs = 0;
    auto result = coex::sync_wait(
        retry(coex::schedule(pool.get_scheduler()) | let_value([&runs] { return fails_until(runs, 3000); })));
    EXPECT_EQ(std::get<0>(*result), 3000);
}

}  // namespace
