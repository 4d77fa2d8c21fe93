#include <exec/algo/write_env.hpp>

#include "algo/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/then.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <tuple>
#include <utility>

namespace {

using namespace coex_test;
using coex::read_env;
using coex::unstoppable;
using coex::write_env;

struct get_depth_t : coex::forwarding_query_t {
    template <class Env>
        requires requires(const Env& env, get_depth_t query) { env.query(query); }
    [[nodiscard]] int operator()(const Env& env) const noexcept {
        return env.query(*this);
    }
};
constexpr get_depth_t get_depth{};

struct get_secret_t {
    template <class Env>
    [[nodiscard]] int operator()(const Env& env) const noexcept {
        if constexpr (requires { env.query(*this); }) {
            return env.query(*this);
        } else {
            return -1;
        }
    }
};
constexpr get_secret_t get_secret{};

/// The same for an answer that only moves: it is lent.
struct get_pointer_t : coex::forwarding_query_t {
    template <class Env>
    [[nodiscard]] const only_moves& operator()(const Env& env) const noexcept {
        return env.query(*this);
    }
};

static_assert(coex::dependent_sender<decltype(read_env(get_depth))>);
static_assert(completes_in_with<decltype(read_env(get_depth)), coex::prop<get_depth_t, int>, coex::set_value_t(int)>);
static_assert(
    completes_with<decltype(read_env(get_depth) | write_env(coex::prop(get_depth, 1))), coex::set_value_t(int)>);

TEST(read_env, completes_with_the_answer_of_the_receivers_environment) {
    EXPECT_EQ(std::get<0>(*run_in<int>(read_env(get_depth), coex::prop(get_depth, 3)).values), 3);
}

TEST(read_env, turns_an_exception_of_the_query_into_an_error) {
    struct throwing_query {
        int operator()(const coex::env<>&) const { throw std::runtime_error("query"); }
    };
    static_assert(completes_with<decltype(read_env(throwing_query())), coex::set_value_t(int), can_throw>);
    EXPECT_EQ(run<int>(read_env(throwing_query())).error, "query");
}

TEST(read_env, moves_an_answer_that_only_moves) {
    struct gives_pointer {
        only_moves operator()(const coex::env<>&) const noexcept { return std::make_unique<int>(6); }
    };
    static_assert(completes_with<decltype(read_env(gives_pointer())), coex::set_value_t(only_moves)>);
    EXPECT_EQ(*std::get<0>(*run<only_moves>(read_env(gives_pointer())).values), 6);
}

TEST(write_env, keeps_an_answer_that_only_moves) {
    auto sender = read_env(get_pointer_t()) | coex::then([](const only_moves& pointer) noexcept { return *pointer; }) |
                  write_env(coex::prop(get_pointer_t(), std::make_unique<int>(6)));
    EXPECT_EQ(std::get<0>(*run<int>(std::move(sender)).values), 6);
}

TEST(write_env, moves_values_and_errors_that_only_move) {
    const coex::prop depth(get_depth, 1);
    EXPECT_EQ(*std::get<0>(*run<only_moves>(coex::just(std::make_unique<int>(7)) | write_env(depth)).values), 7);
    auto failed = coex::just_error(std::make_unique<int>(8)) | write_env(depth) |
                  coex::upon_error([](only_moves error) noexcept { return *error; });
    EXPECT_EQ(std::get<0>(*run<int>(std::move(failed)).values), 8);
}

TEST(write_env, answers_before_the_receivers_environment) {
    const auto sender = read_env(get_depth) | write_env(coex::prop(get_depth, 1));
    EXPECT_EQ(std::get<0>(*run_in<int>(sender, coex::prop(get_depth, 3)).values), 1);
}

TEST(write_env, the_innermost_answers_first) {
    const auto sender = read_env(get_depth) | write_env(coex::prop(get_depth, 1)) | write_env(coex::prop(get_depth, 2));
    EXPECT_EQ(std::get<0>(*run<int>(sender).values), 1);
}

TEST(write_env, lets_other_queries_pass) {
    coex::inplace_stop_source source;
    const auto sender = read_env(coex::get_stop_token) | write_env(coex::prop(get_depth, 1));
    const auto result = run_in<coex::inplace_stop_token>(sender, coex::prop(coex::get_stop_token, source.get_token()));
    EXPECT_EQ(std::get<0>(*result.values), source.get_token());
}

TEST(write_env, takes_several_answers_at_once) {
    const auto both = coex::env(coex::prop(get_depth, 1), coex::prop(get_secret, 2));
    EXPECT_EQ(std::get<0>(*run<int>(read_env(get_depth) | write_env(both)).values), 1);
    EXPECT_EQ(std::get<0>(*run<int>(read_env(get_secret) | write_env(both)).values), 2);
}

TEST(write_env, lets_values_errors_and_stops_pass) {
    const coex::prop depth(get_depth, 1);
    EXPECT_EQ(std::get<0>(*run<int>(coex::just(4) | write_env(depth)).values), 4);
    EXPECT_EQ(run<>(coex::just_error(4) | write_env(depth)).error, "4");
    EXPECT_EQ(run<>(coex::just_stopped() | write_env(depth)).how, "stopped");
}

TEST(forwarding, a_query_that_does_not_ask_for_it_stays_out) {
    static_assert(!coex::forwarding_query(get_secret) && coex::forwarding_query(get_depth));
    static_assert(coex::forwarding_query(coex::get_stop_token) && coex::forwarding_query(coex::get_scheduler) &&
                  coex::forwarding_query(coex::get_start_scheduler) && coex::forwarding_query(coex::get_allocator) &&
                  coex::forwarding_query(coex::get_delegation_scheduler) &&
                  coex::forwarding_query(coex::get_completion_scheduler<coex::set_value_t>));
    const auto identity = coex::then([](int x) noexcept { return x; });
    EXPECT_EQ(std::get<0>(*run_in<int>(read_env(get_secret), coex::prop(get_secret, 7)).values), 7);
    EXPECT_EQ(std::get<0>(*run_in<int>(read_env(get_secret) | identity, coex::prop(get_secret, 7)).values), -1);
    EXPECT_EQ(std::get<0>(*run_in<int>(read_env(get_depth) | identity, coex::prop(get_depth, 7)).values), 7);
}

TEST(unstoppable, hides_stop_requests) {
    coex::inplace_stop_source source;
    hand<> by;
    auto operation = connected_in<>(handed<>(by) | unstoppable(), coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    source.request_stop();
    EXPECT_FALSE(by.stop_seen);
    by.give();
    EXPECT_EQ(operation.result.how, "value");
}

}  // namespace
