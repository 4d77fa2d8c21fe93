// What holds of every adaptor: [exec.fwd.env] it passes forwarding queries of its receiver's environment, and the stop
// token, on to its senders; it moves what only moves.

#include "algo/support.hpp"

#include <exec/algo/any_sender_of.hpp>
#include <exec/algo/as_result.hpp>
#include <exec/algo/bulk.hpp>
#include <exec/algo/continues_on.hpp>
#include <exec/algo/finally.hpp>
#include <exec/algo/into_variant.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/on.hpp>
#include <exec/algo/repeat_until.hpp>
#include <exec/algo/retry.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/stop_when.hpp>
#include <exec/algo/stopped_as.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/timeout.hpp>
#include <exec/algo/when_all.hpp>
#include <exec/algo/when_any.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace {

using coex::just;
using coex::then;

struct get_mark_t : coex::forwarding_query_t {
    template <class Env>
    [[nodiscard]] auto operator()(const Env& env) const noexcept -> decltype(env.query(*this)) {
        return env.query(*this);
    }
};
inline constexpr get_mark_t get_mark{};

/// Expects that the sender inside `adapt(sender)` gets the answer of the receiver outside.
template <class Adapt>
void expect_forwarded(Adapt adapt) {
    int seen = 0;
    auto ask = coex::read_env(get_mark) | then([&seen](int mark) noexcept { seen = mark; });
    static_cast<void>(coex::sync_wait(coex::write_env(adapt(std::move(ask)), coex::prop(get_mark, 7))));
    EXPECT_EQ(seen, 7);
}

TEST(environment, reaches_the_sender_before_a_function) {
    expect_forwarded([](auto ask) { return std::move(ask) | then([]() noexcept {}); });
    expect_forwarded([](auto ask) { return std::move(ask) | coex::upon_error([](auto&&) noexcept {}); });
    expect_forwarded([](auto ask) { return std::move(ask) | coex::upon_stopped([]() noexcept {}); });
    expect_forwarded([](auto ask) { return std::move(ask) | coex::bulk(coex::seq, 1, [](int) noexcept {}); });
    expect_forwarded([](auto ask) { return std::move(ask) | coex::bulk(coex::par, 1, [](int) noexcept {}); });
}

TEST(environment, reaches_both_senders_of_let) {
    expect_forwarded([](auto ask) { return std::move(ask) | coex::let_value([]() noexcept { return just(); }); });
    expect_forwarded([](auto ask) { return just() | coex::let_value([ask]() noexcept { return ask; }); });
    expect_forwarded(
        [](auto ask) { return coex::just_error(1) | coex::let_error([ask](int&) noexcept { return ask; }); });
    expect_forwarded(
        [](auto ask) { return coex::just_stopped() | coex::let_stopped([ask]() noexcept { return ask; }); });
}

TEST(environment, reaches_each_of_several_senders) {
    expect_forwarded([](auto ask) { return coex::when_all(std::move(ask), just(1)); });
    expect_forwarded([](auto ask) { return coex::when_all(just(1), std::move(ask)); });
    expect_forwarded([](auto ask) { return coex::when_any(std::move(ask), just()); });
    expect_forwarded([](auto ask) { return coex::stop_when(std::move(ask), just()); });
    expect_forwarded([](auto ask) { return coex::finally(std::move(ask), just()); });
    expect_forwarded([](auto ask) { return coex::finally(just(), std::move(ask)); });
}

TEST(environment, reaches_a_sender_whose_result_takes_another_form) {
    expect_forwarded([](auto ask) { return coex::into_variant(std::move(ask)); });
    expect_forwarded([](auto ask) { return coex::as_result(std::move(ask)); });
    expect_forwarded([](auto ask) { return coex::stopped_as_error(std::move(ask), 1); });
    expect_forwarded(
        [](auto ask) { return coex::stopped_as_optional(std::move(ask) | then([]() noexcept { return 1; })); });
}

TEST(environment, reaches_a_sender_that_runs_again_or_for_a_time) {
    expect_forwarded([](auto ask) { return coex::repeat_until(ask | then([]() noexcept { return true; })); });
    expect_forwarded([](auto ask) { return coex::retry(std::move(ask)); });
    expect_forwarded([](auto ask) { return coex::timeout(std::move(ask), std::chrono::hours(1)); });
}

TEST(environment, reaches_a_sender_on_another_scheduler) {
    coex::static_thread_pool pool(coex::pool_options{.threads = 1});
    const auto there = pool.get_scheduler();
    expect_forwarded([&](auto ask) { return coex::starts_on(there, std::move(ask)); });
    expect_forwarded([&](auto ask) { return coex::continues_on(std::move(ask), there); });
    expect_forwarded([&](auto ask) { return coex::on(there, std::move(ask)); });
    expect_forwarded([](auto ask) { return coex::affine(std::move(ask)); });
}

/// Expects that a move-only 5 gets through `adapt(sender)`.
template <class Adapt>
void expect_moved(Adapt adapt) {
    int seen = 0;
    auto sender = adapt(just(std::make_unique<int>(5))) | then([&seen](auto&& value) noexcept {
                      if constexpr (requires { **value; }) {
                          seen = **value;
                      } else {
                          seen = *value;
                      }
                  });
    EXPECT_TRUE(coex::sync_wait(std::move(sender)).has_value());
    EXPECT_EQ(seen, 5);
}

TEST(move_only_values, pass_through_adaptors) {
    coex::static_thread_pool pool(coex::pool_options{.threads = 1});
    const auto there = pool.get_scheduler();
    expect_moved([](auto five) { return std::move(five) | coex::upon_stopped([]() noexcept { return nullptr; }); });
    expect_moved([](auto five) {
        return std::move(five) |
               coex::let_value([](std::unique_ptr<int>& value) noexcept { return just(std::move(value)); });
    });
    expect_moved([](auto five) { return coex::finally(std::move(five), just()); });
    expect_moved([](auto five) { return coex::stopped_as_optional(std::move(five)); });
    expect_moved([](auto five) { return coex::stopped_as_error(std::move(five), 1); });
    expect_moved([](auto five) { return coex::as_result(std::move(five)); });
    expect_moved([](auto five) { return coex::timeout(std::move(five), std::chrono::hours(1)); });
    expect_moved([](auto five) { return coex::stop_when(std::move(five), just()); });
    expect_moved([&](auto five) { return coex::starts_on(there, std::move(five)); });
    expect_moved([&](auto five) { return coex::on(there, std::move(five)); });
    expect_moved([](auto five) { return coex::affine(std::move(five)); });
    expect_moved([](auto five) { return coex::unstoppable(std::move(five)); });
}

TEST(move_only_errors, pass_through_adaptors_to_upon_error) {
    const auto taken = [](auto sender) {
        int seen = 0;
        auto all = std::move(sender) | coex::upon_error([&seen]<class Error>(Error&& error) noexcept {
                       if constexpr (requires { *error + 1; }) seen = *error;
                   });
        static_cast<void>(coex::sync_wait(std::move(all)));
        return seen;
    };
    const auto fails = [] { return coex::just_error(std::make_unique<int>(5)); };
    EXPECT_EQ(taken(fails()), 5);
    EXPECT_EQ(taken(fails() | coex::upon_stopped([]() noexcept {})), 5);
    EXPECT_EQ(taken(coex::finally(fails(), just())), 5);
    EXPECT_EQ(taken(coex::when_all(fails(), just())), 5);
    EXPECT_EQ(taken(coex::affine(fails())), 5);
}

/// Runs a sender for what it throws.
template <class Sender>
void run(Sender sender) {
    static_cast<void>(coex::sync_wait(std::move(sender)));
}

TEST(throwing_functions, make_an_error_of_what_was_none) {
    EXPECT_THROW(run(coex::just_stopped() | coex::upon_stopped([]() -> int { throw 5; })), int);
    EXPECT_THROW(run(coex::just_stopped() | coex::let_stopped([]() -> decltype(just(1)) { throw 5; })), int);
    EXPECT_THROW(run(coex::just_error('x') | coex::let_error([](char&) -> decltype(just(1)) { throw 5; })), int);
}

struct thrower {
    thrower() = default;
    thrower(thrower&&) { throw 5; }  // NOLINT(performance-noexcept-move-constructor): that it throws is the point
    thrower& operator=(thrower&&) = default;
    ~thrower() = default;
};

TEST(throwing_values, make_an_error_of_a_value_that_cannot_be_kept) {
    const auto gives = [] { return just() | then([]() noexcept { return thrower(); }); };
    EXPECT_THROW(run(coex::stopped_as_optional(gives())), int);
    EXPECT_THROW(run(coex::finally(gives(), just())), int);
    EXPECT_THROW(run(coex::affine(gives() | coex::into_variant())), int);
}

/// What `adapt(lent)` fails with, when the object lent, a value or an error, throws as it is copied.
template <class Tag, class Adapt>
[[nodiscard]] std::string failure_of(Adapt adapt) {
    coex_test::fragile object(0);
    std::string message = "none";
    auto all = adapt(coex_test::lent<Tag, coex_test::fragile>(object)) |
               coex::upon_error([&message]<class Error>(Error&& error) noexcept {
                   if constexpr (std::is_same_v<std::remove_cvref_t<Error>, std::exception_ptr>) {
                       message = coex_test::message_of(error);
                   }
               }) |
               then([&message]<class... Values>(Values&&... values) noexcept {
                   if constexpr ((requires { values.has_error(); } && ...)) {
                       ((message = coex_test::message_of(values.error())), ...);
                   }
               });
    static_cast<void>(coex::sync_wait(std::move(all)));
    return message;
}

/// Both, for the adaptors that keep values and errors in the same way.
template <class Adapt>
void expect_told(Adapt adapt) {
    EXPECT_EQ(failure_of<coex::set_value_t>(adapt), "fragile");
    EXPECT_EQ(failure_of<coex::set_error_t>(adapt), "fragile");
}

TEST(what_throws_when_it_is_copied, takes_the_place_of_the_value_or_error_that_cannot_be_kept) {
    coex::static_thread_pool pool(coex::pool_options{.threads = 1});
    const auto there = pool.get_scheduler();
    expect_told([](auto work) { return coex::when_all(std::move(work)); });
    expect_told([](auto work) { return coex::when_any(std::move(work)); });
    expect_told([](auto work) { return coex::stop_when(std::move(work), just()); });
    expect_told([](auto work) { return coex::finally(std::move(work), just()); });
    expect_told([](auto work) { return coex::timeout(std::move(work), std::chrono::hours(1)); });
    expect_told([](auto work) { return coex::as_result(std::move(work)); });
    expect_told([&](auto work) { return coex::continues_on(std::move(work), there); });
    expect_told([&](auto work) { return coex::on(there, std::move(work)); });
    expect_told([](auto work) { return coex::affine(std::move(work)); });
    EXPECT_EQ(failure_of<coex::set_value_t>(
                  [](auto work) { return std::move(work) | coex::let_value([](auto&) noexcept { return just(); }); }),
              "fragile");
    EXPECT_EQ(failure_of<coex::set_error_t>(
                  [](auto work) { return std::move(work) | coex::let_error([](auto&) noexcept { return just(); }); }),
              "fragile");
    EXPECT_EQ(failure_of<coex::set_value_t>([](auto work) { return coex::into_variant(std::move(work)); }), "fragile");
    EXPECT_EQ(failure_of<coex::set_value_t>([](auto work) { return coex::stopped_as_optional(std::move(work)); }),
              "fragile");
}

/// Expects of `adapt(handed)` that its completion may destroy the operation and then request the stop: nothing of the
/// operation is left in the outer token, and nothing touches it any more.
template <class Adapt>
void expect_nothing_left(Adapt adapt) {
    coex::inplace_stop_source outer;
    coex_test::hand<> by;
    using work = decltype(adapt(coex_test::handed<>(by)));
    using environment = coex::prop<coex::get_stop_token_t, coex::inplace_stop_token>;
    std::optional<coex_test::running<work, environment>> operation;
    operation.emplace(adapt(coex_test::handed<>(by)), environment(coex::get_stop_token, outer.get_token()));
    int ended = 0;
    operation->result.after = [&] {
        ++ended;
        const auto running_function = std::move(operation->result.after);  // outlives the operation
        operation.reset();
        outer.request_stop();
    };
    operation->start();
    EXPECT_EQ(ended, 0);
    by.give();
    EXPECT_EQ(ended, 1);
    EXPECT_FALSE(by.stop_seen);
}

TEST(completion, comes_after_all_else_that_an_operation_does) {
    expect_nothing_left([](auto work) { return coex::when_all(just(), std::move(work)); });
    expect_nothing_left([](auto work) { return coex::when_any(std::move(work)); });
    expect_nothing_left([](auto work) { return coex::finally(std::move(work), just()); });
    expect_nothing_left([](auto work) { return coex::finally(just(), std::move(work)); });
    expect_nothing_left([](auto work) { return just() | coex::let_value([work]() noexcept { return work; }); });
    expect_nothing_left([](auto work) { return coex::as_result(std::move(work)) | then([](auto&&) noexcept {}); });
    expect_nothing_left([](auto work) {
        return coex::any_sender_of<coex::set_value_t(), coex::set_error_t(std::exception_ptr), coex::set_stopped_t()>(
            std::move(work));
    });
}

}  // namespace
