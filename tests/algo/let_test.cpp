#include <exec/algo/let.hpp>

#include "algo/support.hpp"
#include "coro/manual_context.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/task.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace {

using namespace coex_test;
using coex::just;
using coex::just_error;
using coex::just_stopped;
using coex::let_error;
using coex::let_stopped;
using coex::let_value;

constexpr auto next = [](int& x) noexcept { return just(x + 1); };
constexpr auto may_throw = [](int& x) { return just(x + 1); };

static_assert(completes_with<decltype(just(1) | let_value(next)), coex::set_value_t(int)>);
static_assert(completes_with<decltype(just(1) | let_value(may_throw)), coex::set_value_t(int), can_throw>);
static_assert(completes_with<decltype(just(std::string()) | let_value([](auto&) noexcept { return just_error(1); })),
                             coex::set_error_t(int)>,
              "the string is moved, which cannot throw");
static_assert(completes_with<decltype(just(fragile(9)) | let_value([](auto&) noexcept { return just(); })),
                             coex::set_value_t(), can_throw>,
              "keeping the value may throw");
static_assert(completes_with<decltype(handed<int>(std::declval<hand<int>&>()) | let_value(next)),
                             coex::set_value_t(int), can_throw, can_stop>);
static_assert(completes_with<decltype(just_error(1) | let_error(next)), coex::set_value_t(int)>);
static_assert(completes_with<decltype(just_stopped() | let_stopped([]() noexcept { return just(1, 2); })),
                             coex::set_value_t(int, int)>);

TEST(let_value, goes_on_as_the_sender_that_the_function_returns) {
    EXPECT_EQ(std::get<0>(*run<int>(just(1) | let_value(next)).values), 2);
    EXPECT_EQ(std::get<0>(*run<int>(let_value(just(1), next)).values), 2) << "without a pipe";
    EXPECT_EQ(run<int>(just(1) | let_value([](int&) { return just_error(3); })).error, "3");
    EXPECT_EQ(run<int>(just(1) | let_value([](int&) { return just_stopped(); })).how, "stopped");
}

TEST(let_value, the_values_live_until_the_second_sender_has_completed) {
    auto shared = std::make_shared<int>(4);
    const std::weak_ptr<int> watch = shared;
    hand<> by;
    const int* seen = nullptr;
    auto operation = connected<int>(just(std::move(shared)) | let_value([&](std::shared_ptr<int>& kept) {
                                        seen = kept.get();
                                        return handed<>(by) | coex::then([&kept] { return *kept; });
                                    }));
    operation.start();
    EXPECT_FALSE(watch.expired());
    by.give();
    EXPECT_EQ(std::get<0>(*operation.result.values), 4);
    EXPECT_EQ(seen, watch.lock().get());
}

TEST(let_value, gets_lvalues_that_may_be_changed_and_moved_from) {
    auto sender = just(std::make_unique<int>(1), 5) | let_value([](only_moves& pointer, int& number) {
                      ++number;
                      return just(std::move(pointer), number);
                  });
    auto result = run<only_moves, int>(std::move(sender));
    EXPECT_EQ(*std::get<0>(*result.values), 1);
    EXPECT_EQ(std::get<1>(*result.values), 6);
}

TEST(let_value, turns_an_exception_of_the_function_into_an_error) {
    const auto sender = just() | let_value([]() -> decltype(just(1)) { throw std::runtime_error("function"); });
    EXPECT_EQ(run<int>(sender).error, "function");
}

TEST(let_value, turns_an_exception_of_a_kept_value_into_an_error) {
    // Copied into just, its sender, its operation ...: whichever move can_throw, it must not be lost.
    bool told = false;
    for (int moves = 0; moves < 16 && !told; ++moves) {
        try {
            auto work = just(fragile(moves)) | let_value([](fragile&) { return just(); });
            const auto result = run<>(std::move(work));
            told = result.how == "error" && result.error == "fragile";
        } catch (const std::runtime_error&) {  // thrown before the start
        }
    }
    EXPECT_TRUE(told);
}

/// Cannot be connected to anything.
struct unconnectable {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t()>;
    template <coex::receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const {
        if (refuses) throw std::runtime_error("connect");
        return coex::connect(just(), std::move(receiver));
    }
    bool refuses = true;
};

TEST(let_value, turns_an_exception_of_connect_into_an_error) {
    const auto sender = just() | let_value([]() noexcept { return unconnectable(); });
    static_assert(completes_with<decltype(sender), coex::set_value_t(), can_throw>);
    EXPECT_EQ(run<>(sender).error, "connect");
}

TEST(let_value, lets_errors_and_stops_of_the_first_sender_pass) {
    EXPECT_EQ(run<int>(just_error(4) | let_value(next)).error, "4");
    EXPECT_EQ(run<int>(just_stopped() | let_value(next)).how, "stopped");
}

/// Completes with a number or with a text, as it is told at run time.
struct one_or_text {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(int), coex::set_value_t(std::string)>;
    template <class Receiver>
    struct operation {
        using operation_state_concept = coex::operation_state_tag;
        bool text;
        Receiver receiver;
        void start() & noexcept {
            if (text) {
                coex::set_value(std::move(receiver), std::string("long"));
            } else {
                coex::set_value(std::move(receiver), 1);
            }
        }
    };
    template <coex::receiver Receiver>
    [[nodiscard]] operation<Receiver> connect(Receiver receiver) const {
        return {text, std::move(receiver)};
    }
    bool text;
};

TEST(let_value, may_return_another_sender_for_each_kind_of_value) {
    const auto measure = [](auto& x) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(x)>, int>) {
            return just(x);
        } else {
            return just(x) | coex::then([](const std::string& text) { return static_cast<int>(text.size()); });
        }
    };
    EXPECT_EQ(std::get<0>(*run<int>(one_or_text{false} | let_value(measure)).values), 1);
    EXPECT_EQ(std::get<0>(*run<int>(one_or_text{true} | let_value(measure)).values), 4);
}

TEST(let_value, the_second_sender_is_started_where_the_first_completes) {
    manual_context place;
    const coex::context_scheduler there(place);
    const auto sender = coex::schedule(there) | let_value([] { return coex::read_env(coex::get_start_scheduler); });
    auto operation = connected<coex::context_scheduler>(sender);
    operation.start();
    place.run_all();
    EXPECT_EQ(std::get<0>(*operation.result.values), there);
}

TEST(let_value, the_second_sender_has_the_stop_token_of_the_receiver) {
    coex::inplace_stop_source source;
    const auto sender = just() | let_value([] { return coex::read_env(coex::get_stop_token); });
    const auto result = run_in<coex::inplace_stop_token>(sender, coex::prop(coex::get_stop_token, source.get_token()));
    EXPECT_EQ(std::get<0>(*result.values), source.get_token());
}

TEST(let_value, a_stop_request_reaches_the_second_sender) {
    coex::inplace_stop_source source;
    hand<int> by;
    auto operation = connected_in<int>(just() | let_value([&by] { return handed<int>(by); }),
                                       coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    EXPECT_FALSE(by.stop_seen);
    source.request_stop();
    EXPECT_TRUE(by.stop_seen);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(let_value, takes_a_function_that_is_a_coroutine) {
    manual_context place;
    const coex::context_scheduler there(place);
    const auto twice = [](int& x) -> coex::task<int> { co_return 2 * x; };
    auto operation = connected<int>(coex::starts_on(there, just(4)) | let_value(twice));
    operation.start();
    place.run_all();
    EXPECT_EQ(std::get<0>(*operation.result.values), 8);
}

TEST(let_value, an_lvalue_can_be_connected_many_times) {
    const auto sender = just(1) | let_value(next);
    EXPECT_EQ(std::get<0>(*run<int>(sender).values), 2);
    EXPECT_EQ(std::get<0>(*run<int>(sender).values), 2);
}

TEST(let_error, handles_an_error_with_another_sender) {
    EXPECT_EQ(std::get<0>(*run<int>(just_error(1) | let_error(next)).values), 2);
    EXPECT_EQ(std::get<0>(*run<int>(just(7) | let_error(next)).values), 7) << "values pass";
    EXPECT_EQ(run<int>(just_stopped() | let_error(next)).how, "stopped");
}

TEST(let_error, gets_exceptions_as_they_were_sent) {
    const auto sender =
        just() | coex::then([]() -> int { throw std::runtime_error("first"); }) |
        let_error([](std::exception_ptr& error) { return just(static_cast<int>(message_of(error).size())); });
    EXPECT_EQ(std::get<0>(*run<int>(sender).values), 5);
}

TEST(let_stopped, handles_a_stop_with_another_sender) {
    EXPECT_EQ(std::get<0>(*run<int>(just_stopped() | let_stopped([] { return just(1); })).values), 1);
    EXPECT_EQ(std::get<0>(*run<int>(just(7) | let_stopped([] { return just(1); })).values), 7) << "values pass";
    EXPECT_EQ(run<int>(just_error(3) | let_stopped([] { return just(1); })).error, "3");
}

}  // namespace
