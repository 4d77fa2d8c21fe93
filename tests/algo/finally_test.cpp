#include <exec/algo/finally.hpp>

#include "algo/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace {

using namespace coex_test;
using coex::finally;
using coex::just;
using coex::just_error;
using coex::just_stopped;

static_assert(completes_with<decltype(finally(just(1), just())), coex::set_value_t(int)>);
static_assert(
    completes_with<decltype(finally(just(1), just_error(2))), coex::set_value_t(int), coex::set_error_t(int)>);
static_assert(completes_with<decltype(finally(just(fragile(1)), just())), coex::set_value_t(fragile), can_throw>);

auto notes(std::string& order, char name) {
    return just() | coex::then([&order, name]() noexcept { order += name; });
}

TEST(finally, runs_the_cleanup_after_the_work_and_then_completes_as_the_work_did) {
    std::string order;
    auto result = run<int>(just(7) | coex::then([&order](int value) noexcept {
                               order += 'w';
                               return value;
                           }) |
                           finally(notes(order, 'c')));
    EXPECT_EQ(order, "wc");
    EXPECT_EQ(*result.values, std::tuple(7));
    EXPECT_EQ(result.completions, 1);
}

TEST(finally, runs_the_cleanup_after_an_error_and_after_a_stop) {
    std::string order;
    EXPECT_EQ(run<>(finally(just_error(failure("work")), notes(order, 'e'))).error, "work");
    EXPECT_EQ(run<>(finally(just_stopped(), notes(order, 's'))).how, "stopped");
    EXPECT_EQ(order, "es");
}

TEST(finally, an_error_of_the_cleanup_takes_the_place_of_the_result) {
    EXPECT_EQ(run<int>(finally(just(1), just_error(failure("cleanup")))).error, "cleanup");
    EXPECT_EQ(run<>(finally(just_error(failure("work")), just_error(failure("cleanup")))).error, "cleanup");
    EXPECT_EQ(run<int>(finally(just(1), just_stopped())).how, "stopped");
}

TEST(finally, waits_for_the_cleanup) {
    hand<> cleanup;
    auto operation = connected<only_moves>(finally(just(std::make_unique<int>(3)), handed<>(cleanup)));
    operation.start();
    EXPECT_EQ(operation.result.how, "");
    cleanup.give();
    EXPECT_EQ(*std::get<0>(*operation.result.values), 3);
}

TEST(finally, starts_the_cleanup_only_when_the_work_has_ended_and_keeps_the_result_meanwhile) {
    auto shared = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = shared;
    hand<> work;
    hand<> cleanup;
    auto operation = connected<std::shared_ptr<int>>(
        finally(handed<>(work) | coex::then([&shared]() noexcept { return std::move(shared); }), handed<>(cleanup)));
    operation.start();
    EXPECT_TRUE(work.started);
    EXPECT_FALSE(cleanup.started);
    work.give();
    EXPECT_TRUE(cleanup.started);
    EXPECT_FALSE(watch.expired());
    EXPECT_EQ(operation.result.how, "");
    cleanup.give();
    EXPECT_EQ(*std::get<0>(*operation.result.values), 1);
}

TEST(finally, an_error_of_the_cleanup_comes_instead_of_a_stop_too) {
    EXPECT_EQ(run<>(finally(just_stopped(), just_error(failure("cleanup")))).error, "cleanup");
}

TEST(finally, a_stop_request_reaches_the_work_and_not_the_cleanup) {
    coex::inplace_stop_source source;
    hand<> work;
    bool stop_possible = true;
    auto operation = connected_in<>(
        finally(handed<>(work), coex::read_env(coex::get_stop_token) |
                                    coex::then([&](auto token) noexcept { stop_possible = token.stop_possible(); })),
        coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    source.request_stop();
    EXPECT_TRUE(work.stop_seen);
    EXPECT_FALSE(stop_possible);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(finally, keeping_the_result_may_fail_and_the_cleanup_runs_all_the_same) {
    std::string order;
    EXPECT_EQ(run<fragile>(finally(just(fragile(3)), notes(order, 'c'))).error, "fragile");
    EXPECT_EQ(order, "c");
}

TEST(finally, can_be_connected_twice) {
    std::string order;
    const auto sender = finally(just(1), notes(order, 'c'));
    EXPECT_EQ(run<int>(sender).how, "value");
    EXPECT_EQ(run<int>(sender).how, "value");
    EXPECT_EQ(order, "cc");
}

coex::task<void> closes(coex::static_thread_pool& pool, int& closed) {
    co_await pool.schedule();
    ++closed;
}

TEST(finally, takes_tasks) {
    coex::static_thread_pool pool{{.threads = 2}};
    int closed = 0;
    EXPECT_EQ(coex::block_on(just(4) | finally(closes(pool, closed))), 4);
    EXPECT_THROW(coex::block_on(just_error(failure("work")) | finally(closes(pool, closed))), std::runtime_error);
    EXPECT_EQ(closed, 2);
}

}  // namespace
