// Other forms of completions: into_variant, stopped_as_optional, stopped_as_error.

#include "algo/support.hpp"

#include <exec/algo/into_variant.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/stopped_as.hpp>
#include <exec/algo/sync_wait_with_variant.hpp>
#include <exec/algo/then.hpp>
#include <exec/vocab/value_types.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

namespace {

using namespace coex_test;
using coex::into_variant;
using coex::just;
using coex::just_error;
using coex::just_stopped;
using coex::stopped_as_error;
using coex::stopped_as_optional;

/// Completes with a number or with a text, as it is told at run time.
class number_or_text {
public:
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(int), coex::set_value_t(std::string),
                                                              coex::set_value_t(const int&), can_stop>;

    explicit number_or_text(bool text) noexcept : text_(text) {}

    template <class Receiver>
    struct operation {
        using operation_state_concept = coex::operation_state_tag;
        bool text;
        Receiver receiver;
        void start() & noexcept {
            if (text) {
                coex::set_value(std::move(receiver), std::string("text"));
            } else {
                coex::set_value(std::move(receiver), 1);
            }
        }
    };
    template <coex::receiver Receiver>
    [[nodiscard]] operation<Receiver> connect(Receiver receiver) const {
        return {text_, std::move(receiver)};
    }

private:
    bool text_;
};

using number_or_text_variant = std::variant<std::tuple<int>, std::tuple<std::string>>;

static_assert(std::same_as<coex::value_types_of_t<number_or_text>, number_or_text_variant>,
              "decayed, and each kind once");
static_assert(std::same_as<coex::error_types_of_t<decltype(just_error(1))>, std::variant<int>>);
template <class... Ts>
struct list {};
static_assert(std::same_as<coex::value_types_of_t<number_or_text, coex::env<>, list, list>,
                           list<list<int>, list<std::string>, list<const int&>>>);
static_assert(std::same_as<coex::error_types_of_t<decltype(just()), coex::env<>, list>, list<>>);
static_assert(coex::sends_stopped<number_or_text>);

static_assert(
    completes_with<decltype(into_variant(number_or_text(true))), coex::set_value_t(number_or_text_variant), can_stop>);
static_assert(completes_with<decltype(into_variant(just(fragile(1)))),
                             coex::set_value_t(std::variant<std::tuple<fragile>>), can_throw>);
static_assert(completes_with<decltype(into_variant(just())), coex::set_value_t(std::variant<std::tuple<>>)>);
static_assert(completes_with<decltype(stopped_as_optional(handed<int>(std::declval<hand<int>&>()))),
                             coex::set_value_t(std::optional<int>), can_throw>);
static_assert(completes_with<decltype(stopped_as_error(handed<int>(std::declval<hand<int>&>()), 5)),
                             coex::set_value_t(int), can_throw, coex::set_error_t(int)>);

TEST(into_variant, tells_which_kind_of_values_came) {
    EXPECT_EQ(std::get<0>(*run<number_or_text_variant>(into_variant(number_or_text(false))).values),
              number_or_text_variant(std::tuple(1)));
    EXPECT_EQ(std::get<0>(*run<number_or_text_variant>(number_or_text(true) | into_variant()).values),
              number_or_text_variant(std::tuple(std::string("text"))));
}

TEST(into_variant, lets_errors_and_stops_pass) {
    EXPECT_EQ(run<>(just_error(1) | into_variant()).error, "1");
    EXPECT_EQ(run<>(just_stopped() | into_variant()).how, "stopped");
}

TEST(into_variant, moves_what_only_moves) {
    auto result = run<std::variant<std::tuple<only_moves>>>(into_variant(just(std::make_unique<int>(3))));
    EXPECT_EQ(*std::get<0>(std::get<0>(std::get<0>(*result.values))), 3);
}

TEST(into_variant, turns_an_exception_of_a_copy_into_an_error) {
    fragile object(0);
    const auto lend = just() | coex::then([&object]() noexcept -> fragile& { return object; });
    EXPECT_EQ(run<std::variant<std::tuple<fragile>>>(into_variant(lend)).error, "fragile");
}

TEST(stopped_as_optional, wraps_the_value) {
    EXPECT_EQ(std::get<0>(*run<std::optional<int>>(just(1) | stopped_as_optional()).values), 1);
    auto moved = run<std::optional<only_moves>>(just(std::make_unique<int>(2)) | stopped_as_optional());
    EXPECT_EQ(**std::get<0>(*moved.values), 2);
}

TEST(stopped_as_optional, gives_an_empty_one_for_a_stop) {
    hand<int> by;
    auto operation = connected<std::optional<int>>(handed<int>(by) | stopped_as_optional());
    operation.start();
    by.stop();
    EXPECT_EQ(std::get<0>(*operation.result.values), std::nullopt);
}

TEST(stopped_as_optional, lets_errors_pass) {
    hand<int> by;
    auto operation = connected<std::optional<int>>(handed<int>(by) | stopped_as_optional());
    operation.start();
    by.fail(failure("no"));
    EXPECT_EQ(operation.result.error, "no");
}

TEST(stopped_as_error, sends_the_error_for_a_stop) {
    EXPECT_EQ(run<>(just_stopped() | stopped_as_error(5)).error, "5");
    EXPECT_EQ(std::get<0>(*run<int>(just(1) | stopped_as_error(5)).values), 1);
    EXPECT_EQ(run<>(just_error(2) | stopped_as_error(5)).error, "2");
}

TEST(sync_wait_with_variant, gives_the_kind_of_values_that_came) {
    EXPECT_EQ(coex::sync_wait_with_variant(number_or_text(true)),
              number_or_text_variant(std::tuple(std::string("text"))));
    EXPECT_EQ(coex::sync_wait_with_variant(number_or_text(false)), number_or_text_variant(std::tuple(1)));
}

TEST(sync_wait_with_variant, gives_nothing_for_a_stop_and_throws_errors) {
    hand<int> by;
    coex::inplace_stop_source source;
    source.request_stop();
    EXPECT_FALSE(coex::sync_wait_with_variant(handed<int>(by), source.get_token()).has_value());
    const auto fails = just() | coex::then([] { throw std::runtime_error("no"); });
    EXPECT_THROW(static_cast<void>(coex::sync_wait_with_variant(fails)), std::runtime_error);
}

}  // namespace
