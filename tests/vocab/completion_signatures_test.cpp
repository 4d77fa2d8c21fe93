#include <exec/vocab/completion_signatures.hpp>

#include <exec/vocab/queries.hpp>
#include <exec/vocab/value_types.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <exception>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace {

using coex::completion_signatures;
using coex::set_error_t;
using coex::set_stopped_t;
using coex::set_value_t;

struct operation {
    using operation_state_concept = coex::operation_state_tag;
    void start() & noexcept {}
};

/// Tells how it completes by an alias, as older code does.
struct by_alias {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<set_value_t(int), set_stopped_t()>;
    template <coex::receiver Receiver>
    [[nodiscard]] operation connect(Receiver) const {
        return {};
    }
};

/// Tells it by a function, the same in every environment.
struct by_function {
    using sender_concept = coex::sender_tag;
    template <class Self, class... Env>
    static consteval auto get_completion_signatures() {
        return completion_signatures<set_value_t()>{};
    }
    template <coex::receiver Receiver>
    [[nodiscard]] operation connect(Receiver) const {
        return {};
    }
};

/// Can be stopped only where somebody could stop it.
struct by_environment {
    using sender_concept = coex::sender_tag;
    template <class Self, class Env>
    static consteval auto get_completion_signatures() {
        if constexpr (coex::unstoppable_token<coex::stop_token_of_t<Env>>) {
            return completion_signatures<set_value_t()>{};
        } else {
            return completion_signatures<set_value_t(), set_stopped_t()>{};
        }
    }
};

/// Completes otherwise when it is an lvalue.
struct by_value_category {
    using sender_concept = coex::sender_tag;
    template <class Self, class...>
    static consteval auto get_completion_signatures() {
        if constexpr (std::is_lvalue_reference_v<Self>) {
            return completion_signatures<set_value_t(), set_error_t(std::exception_ptr)>{};
        } else {
            return completion_signatures<set_value_t()>{};
        }
    }
};

struct says_nothing {
    using sender_concept = coex::sender_tag;
};

using stoppable = coex::prop<coex::get_stop_token_t, coex::inplace_stop_token>;

static_assert(coex::sender_in<by_alias> && coex::sender_in<by_alias, coex::env<>>);
static_assert(std::same_as<coex::completion_signatures_of_t<by_alias>, by_alias::completion_signatures>);
static_assert(
    std::same_as<coex::completion_signatures_of_t<by_function, coex::env<>>, completion_signatures<set_value_t()>>);
static_assert(std::same_as<coex::completion_signatures_of_t<by_function>, completion_signatures<set_value_t()>>);
static_assert(coex::dependent_sender<by_environment> && !coex::dependent_sender<by_function>);
static_assert(!coex::sender_in<by_environment> && coex::sender_in<by_environment, coex::env<>>);
static_assert(!coex::sends_stopped<by_environment, coex::env<>> && coex::sends_stopped<by_environment, stoppable>);
static_assert(std::same_as<coex::completion_signatures_of_t<by_value_category>, completion_signatures<set_value_t()>>);
static_assert(std::same_as<coex::completion_signatures_of_t<by_value_category&>,
                           completion_signatures<set_value_t(), set_error_t(std::exception_ptr)>>);
static_assert(coex::sender<says_nothing> && !coex::sender_in<says_nothing, coex::env<>>);
static_assert(!coex::sender<int> && !coex::sender_in<int, coex::env<>>);

static_assert(coex::valid_completion_signatures<completion_signatures<>>);
static_assert(coex::valid_completion_signatures<
              completion_signatures<set_value_t(int, char), set_error_t(int), set_stopped_t()>>);
static_assert(!coex::valid_completion_signatures<completion_signatures<set_error_t()>>);
static_assert(!coex::valid_completion_signatures<completion_signatures<set_stopped_t(int)>>);
static_assert(!coex::valid_completion_signatures<completion_signatures<int>> &&
              !coex::valid_completion_signatures<int>);

struct number_receiver {
    using receiver_concept = coex::receiver_tag;
    void set_value(int) && noexcept {}
    void set_stopped() && noexcept {}
};

static_assert(coex::receiver<number_receiver>);
static_assert(coex::receiver_of<number_receiver, completion_signatures<set_value_t(int), set_stopped_t()>>);
static_assert(coex::receiver_of<number_receiver, completion_signatures<set_value_t(const char&)>>, "by conversion");
static_assert(!coex::receiver_of<number_receiver, completion_signatures<set_value_t(std::string)>>);
static_assert(!coex::receiver_of<number_receiver, completion_signatures<set_error_t(int)>>);
static_assert(coex::sender_to<by_alias, number_receiver> && !coex::sender_to<by_function, number_receiver>);

static_assert(coex::operation_state<operation> && !coex::operation_state<operation&> && !coex::operation_state<int>);
static_assert(std::same_as<coex::connect_result_t<by_alias, number_receiver>, operation>);

template <class... Ts>
struct list {};
struct three {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<set_value_t(int&, char), set_error_t(int), set_value_t(),
                                                              set_error_t(std::string&)>;
};
static_assert(std::same_as<coex::value_types_of_t<three>, std::variant<std::tuple<int, char>, std::tuple<>>>);
static_assert(std::same_as<coex::value_types_of_t<three, coex::env<>, list, list>, list<list<int&, char>, list<>>>);
static_assert(std::same_as<coex::error_types_of_t<three>, std::variant<int, std::string>>);
static_assert(std::same_as<coex::error_types_of_t<three, coex::env<>, list>, list<int, std::string&>>);
static_assert(!std::default_initializable<coex::error_types_of_t<by_function>>, "there is none, and none can be made");

// --- computing with sets
// --------------------------------------------------------------------------------------------------

using coex::detail::count_of;
using coex::detail::mapped_t;
using coex::detail::united_t;

using values = completion_signatures<set_value_t(), set_value_t(int)>;
using fails = completion_signatures<set_error_t(int), set_value_t()>;

static_assert(
    std::same_as<united_t<values, fails>, completion_signatures<set_value_t(), set_value_t(int), set_error_t(int)>>);
static_assert(std::same_as<united_t<>, completion_signatures<>> && std::same_as<united_t<values>, values>);
static_assert(std::same_as<united_t<values, coex::detail::needs_env>, coex::detail::needs_env>);
static_assert(count_of<set_value_t, values> == 2 && count_of<set_error_t, values> == 0);

struct values_to_stop : coex::detail::keep_signatures {
    template <class... Values>
    using on_value = completion_signatures<set_stopped_t()>;
};
static_assert(std::same_as<mapped_t<united_t<values, fails>, values_to_stop>,
                           completion_signatures<set_stopped_t(), set_error_t(int)>>);
static_assert(std::same_as<mapped_t<values, values_to_stop, set_error_t(char)>,
                           completion_signatures<set_stopped_t(), set_error_t(char)>>);

// --- completing
// -----------------------------------------------------------------------------------------------------------

static_assert(std::invocable<set_value_t, number_receiver, int>);
static_assert(!std::invocable<set_value_t, number_receiver&, int>, "an lvalue is not completed");
static_assert(!std::invocable<set_value_t, const number_receiver, int>);
static_assert(!std::invocable<set_value_t, number_receiver>);
static_assert(!std::invocable<set_error_t, number_receiver, int> && std::invocable<set_stopped_t, number_receiver>);
static_assert(noexcept(coex::set_value(std::declval<number_receiver>(), 1)));

struct noting_receiver {
    using receiver_concept = coex::receiver_tag;
    int* into;
    void set_value(int value) && noexcept { *into = value; }
    void set_error(std::exception_ptr) && noexcept { *into = -1; }
    void set_stopped() && noexcept { *into = -2; }
};

TEST(completion_functions, call_the_member_of_their_name) {
    int seen = 0;
    coex::set_value(noting_receiver{&seen}, 5);
    EXPECT_EQ(seen, 5);
    coex::set_error(noting_receiver{&seen}, std::exception_ptr());
    EXPECT_EQ(seen, -1);
    coex::set_stopped(noting_receiver{&seen});
    EXPECT_EQ(seen, -2);
}

}  // namespace
