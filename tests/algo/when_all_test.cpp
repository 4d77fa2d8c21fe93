#include <exec/algo/when_all.hpp>

#include "algo/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

namespace {

using namespace coex_test;
using coex::just;
using coex::just_error;
using coex::just_stopped;
using coex::task;
using coex::when_all;

static_assert(completes_with<decltype(when_all(just(1), just(std::string(), 'c'))),
                             coex::set_value_t(int, std::string, char), can_stop>);
static_assert(completes_with<decltype(when_all(just(), just())), coex::set_value_t(), can_stop>);
static_assert(completes_with<decltype(when_all(just(1), just_error(2), just_error('c'))), coex::set_error_t(int),
                             coex::set_error_t(char), can_stop>,
              "it never sends values when one of its senders never does");
static_assert(completes_with<decltype(when_all(just(fragile(1)))), coex::set_value_t(fragile), can_throw, can_stop>);
static_assert(
    completes_with<decltype(coex::when_all_with_variant(just(1), just('c'))),
                   coex::set_value_t(std::variant<std::tuple<int>>, std::variant<std::tuple<char>>), can_stop>);

TEST(when_all, sends_the_values_of_all_in_their_order) {
    hand<int> first;
    hand<std::string> second;
    auto operation = connected<int, std::string>(when_all(handed<int>(first), handed<std::string>(second)));
    operation.start();
    second.give("second");
    EXPECT_EQ(operation.result.how, "") << "not before all have ended";
    first.give(1);
    EXPECT_EQ(*operation.result.values, std::tuple(1, std::string("second")));
    EXPECT_EQ(operation.result.completions, 1);
}

TEST(when_all, starts_its_senders_in_order) {
    std::string order;
    const auto note = [&order](char name) { return just() | coex::then([&order, name] { order += name; }); };
    EXPECT_EQ(run<>(when_all(note('a'), note('b'), note('c'))).how, "value");
    EXPECT_EQ(order, "abc");
}

TEST(when_all, keeps_what_only_moves) {
    auto result = run<only_moves, int>(when_all(just(std::make_unique<int>(1)), just(2)));
    EXPECT_EQ(*std::get<0>(*result.values), 1);
}

TEST(when_all, an_error_stops_the_others_and_is_told_when_all_have_ended) {
    hand<int> fails;
    hand<int> other;
    other.stops_when_asked = false;
    auto operation = connected<int, int>(when_all(handed<int>(fails), handed<int>(other)));
    operation.start();
    fails.fail(failure("first"));
    EXPECT_TRUE(other.stop_seen);
    EXPECT_EQ(operation.result.how, "");
    other.give(1);
    EXPECT_EQ(operation.result.error, "first");
}

TEST(when_all, the_first_error_in_time_wins) {
    hand<int> first;
    hand<int> second;
    second.stops_when_asked = false;
    auto operation = connected<int, int>(when_all(handed<int>(second), handed<int>(first)));
    operation.start();
    first.fail(failure("first"));
    second.fail(failure("second"));
    EXPECT_EQ(operation.result.error, "first");
}

TEST(when_all, a_stopped_sender_stops_the_others) {
    hand<int> stopped;
    hand<int> other;
    auto operation = connected<int, int>(when_all(handed<int>(stopped), handed<int>(other)));
    operation.start();
    stopped.stop();
    EXPECT_TRUE(other.stop_seen);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(when_all, an_error_wins_over_a_stop) {
    hand<int> stopped;
    hand<int> fails;
    fails.stops_when_asked = false;
    auto operation = connected<int, int>(when_all(handed<int>(stopped), handed<int>(fails)));
    operation.start();
    stopped.stop();
    fails.fail(failure("later"));
    EXPECT_EQ(operation.result.error, "later");
}

TEST(when_all, values_of_others_are_dropped_for_an_error_and_are_gone_with_the_operation) {
    auto shared = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = shared;
    {
        hand<int> fails;
        auto operation = connected<std::shared_ptr<int>, int>(when_all(just(std::move(shared)), handed<int>(fails)));
        operation.start();
        fails.fail(failure("own"));
        EXPECT_EQ(operation.result.error, "own");
        EXPECT_FALSE(operation.result.values.has_value());
    }
    EXPECT_TRUE(watch.expired());
}

TEST(when_all, completes_where_and_when_its_last_sender_does) {
    hand<> first;
    hand<> last;
    std::string order;
    auto operation = connected<>(when_all(handed<>(first), handed<>(last)) | coex::then([&order] { order += "all;"; }));
    operation.start();
    last.give();
    order += "one;";
    first.give();
    order += "returned;";
    EXPECT_EQ(order, "one;all;returned;");
}

TEST(when_all, a_value_that_cannot_be_kept_is_an_error) {
    fragile object(0);
    const auto lend = just() | coex::then([&object]() noexcept -> fragile& { return object; });
    hand<> other;
    auto operation = connected<fragile>(when_all(lend, handed<>(other)));
    operation.start();
    EXPECT_TRUE(other.stop_seen);
    EXPECT_EQ(operation.result.error, "fragile");
}

TEST(when_all, starts_nothing_when_stop_was_requested_before) {
    coex::inplace_stop_source source;
    source.request_stop();
    hand<> by;
    auto operation = connected_in<>(when_all(handed<>(by)), coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    EXPECT_FALSE(by.started);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(when_all, passes_a_stop_request_on_while_it_runs) {
    coex::inplace_stop_source source;
    hand<> one;
    hand<> two;
    auto operation =
        connected_in<>(when_all(handed<>(one), handed<>(two)), coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    source.request_stop();
    EXPECT_TRUE(one.stop_seen);
    EXPECT_TRUE(two.stop_seen);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(when_all, a_stop_request_after_its_end_changes_nothing) {
    coex::inplace_stop_source source;
    auto operation = connected_in<int>(when_all(just(1)), coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    source.request_stop();
    EXPECT_EQ(operation.result.how, "value");
    EXPECT_EQ(operation.result.completions, 1);
}

// The operation, and the stop source in it, end inside the callback of the request.
TEST(when_all, may_be_destroyed_by_the_stop_request_that_ends_it) {
    coex::inplace_stop_source source;
    hand<> one;
    hand<> two;
    const coex::prop token(coex::get_stop_token, source.get_token());
    auto make = [&] { return connected_in<>(when_all(when_all(handed<>(one)), handed<>(two)), token); };
    struct holder {
        decltype(make()) operation;
    };
    auto* const held = new holder{make()};
    std::string how;
    held->operation.result.after = [&how, held] {
        how = held->operation.result.how;
        auto keep_function = std::move(held->operation.result.after);
        delete held;
    };
    held->operation.start();
    source.request_stop();
    EXPECT_EQ(how, "stopped");
}

TEST(when_all, its_senders_share_a_stop_token_that_the_receivers_token_stops) {
    const auto result = run<coex::inplace_stop_token, coex::inplace_stop_token>(
        when_all(coex::read_env(coex::get_stop_token), coex::read_env(coex::get_stop_token)));
    EXPECT_EQ(std::get<0>(*result.values), std::get<1>(*result.values));
}

TEST(when_all, an_lvalue_can_be_connected_many_times) {
    const auto sender = when_all(just(1), just(2));
    EXPECT_EQ(*(run<int, int>(sender).values), std::tuple(1, 2));
    EXPECT_EQ(*(run<int, int>(sender).values), std::tuple(1, 2));
}

TEST(when_all, with_variant_sends_a_variant_for_each_sender) {
    const auto result = run<std::variant<std::tuple<int>>, std::variant<std::tuple<char, char>>>(
        coex::when_all_with_variant(just(1), just('a', 'b')));
    EXPECT_EQ(std::get<0>(std::get<0>(*result.values)), std::tuple(1));
    EXPECT_EQ(std::get<0>(std::get<1>(*result.values)), std::tuple('a', 'b'));
}

task<int> give(int value) {
    co_return value;
}
task<> nothing() {
    co_return;
}

TEST(when_all, takes_tasks_and_other_senders_together) {
    const auto result = coex::sync_wait(when_all(give(1), just(2, 3), nothing(), when_all(give(4), give(5))));
    EXPECT_EQ(result.value(), std::tuple(1, 2, 3, 4, 5));
}

TEST(when_all, of_tasks_is_a_sender_too) {
    auto sum = when_all(give(1), give(2)) | coex::then([](int a, int b) { return a + b; });
    EXPECT_EQ(coex::sync_wait(std::move(sum)).value(), std::tuple(3));
}

TEST(when_all, of_senders_can_be_awaited_in_a_task) {
    coex::static_thread_pool pool{coex::pool_options{.name = "all", .threads = 2}};
    const auto root = [&pool]() -> task<int> {
        auto [one, two] = co_await when_all(coex::starts_on(pool.get_scheduler(), just(1)), give(2));
        EXPECT_FALSE(pool.this_thread_index()) << "resumes where it was";
        co_return one + two;
    };
    EXPECT_EQ(coex::block_on(root()), 3);
}

TEST(when_all, ends_once_when_its_senders_end_on_many_threads) {
    constexpr int rounds = 2'000;
    coex::static_thread_pool pool{coex::pool_options{.name = "all", .threads = 3}};
    const auto there = pool.get_scheduler();
    std::atomic<int> ran{0};
    const auto one = [&] { return coex::schedule(there) | coex::then([&] { return ran.fetch_add(1); }); };
    for (int round = 0; round < rounds; ++round) {
        EXPECT_TRUE(coex::sync_wait(when_all(one(), one(), one(), one())).has_value());
    }
    EXPECT_EQ(ran, 4 * rounds);
}

TEST(when_all, a_stop_request_may_come_at_any_moment) {
    constexpr int rounds = 2'000;
    coex::static_thread_pool pool{coex::pool_options{.name = "all", .threads = 3}};
    const auto there = pool.get_scheduler();
    int ended = 0;
    for (int round = 0; round < rounds; ++round) {
        coex::inplace_stop_source source;
        const auto stopper = coex::schedule(there) | coex::then([&source] { source.request_stop(); });
        const auto hop = coex::schedule(there) | coex::let_value([there] { return coex::schedule(there); });
        const auto all = when_all(when_all(hop, hop), stopper, hop);
        if (coex::sync_wait(all, source.get_token())) ++ended;
    }
    EXPECT_EQ(ended, rounds) << "nothing here looks at the token, and when_all does so only at its start";
}

}  // namespace
