#include <exec/vocab/env.hpp>

#include <exec/vocab/queries.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <functional>
#include <type_traits>

namespace {

struct ask_first_t {};
struct ask_second_t : coex::forwarding_query_t {};
struct ask_sum_t {};
struct ask_willing_t {
    static constexpr bool query(coex::forwarding_query_t) noexcept { return true; }
};
constexpr ask_first_t ask_first{};
constexpr ask_second_t ask_second{};

struct adder {
    int base;
    [[nodiscard]] int query(ask_sum_t, int more) const noexcept { return base + more; }
};

static_assert(std::same_as<coex::env<>, coex::empty_env>);
static_assert(std::same_as<decltype(coex::env(coex::prop(ask_first, 1))), coex::env<coex::prop<ask_first_t, int>>>);
static_assert(std::is_empty_v<coex::env<>>);

static_assert(!coex::forwarding_query(ask_first));
static_assert(coex::forwarding_query(ask_second), "by deriving from forwarding_query_t");
static_assert(coex::forwarding_query(ask_willing_t()), "by saying so");
static_assert(!coex::detail::is_forwarded<ask_first_t> && coex::detail::is_forwarded<ask_second_t> &&
              coex::detail::is_forwarded<ask_willing_t>);

TEST(prop, answers_its_query_and_no_other) {
    const coex::prop answer(ask_first, 1);
    EXPECT_EQ(answer.query(ask_first), 1);
    static_assert(!coex::detail::answers<coex::prop<ask_first_t, int>, ask_second_t>);
}

TEST(prop, keeps_a_reference_that_is_wrapped) {
    int object = 1;
    const coex::prop answer(ask_first, std::ref(object));
    EXPECT_EQ(&answer.query(ask_first), &object);
}

TEST(env, the_first_that_can_answer_does) {
    const coex::env both(coex::prop(ask_first, 1), coex::prop(ask_first, 2), coex::prop(ask_second, 3));
    EXPECT_EQ(both.query(ask_first), 1);
    EXPECT_EQ(both.query(ask_second), 3);
    static_assert(!coex::detail::answers<decltype(both), ask_sum_t, int>);
}

TEST(env, passes_arguments_of_a_query_on) {
    const coex::env sums(coex::prop(ask_first, 1), adder{10});
    EXPECT_EQ(sums.query(ask_sum_t(), 5), 15);
}

TEST(env, may_refer_to_others) {
    coex::prop answer(ask_first, 1);
    const coex::env refers(std::ref(answer));
    EXPECT_EQ(&refers.query(ask_first), &answer.query(ask_first));
}

struct with_env {
    coex::prop<ask_first_t, int> first{ask_first, 1};
    [[nodiscard]] const coex::prop<ask_first_t, int>& get_env() const noexcept { return first; }
};

TEST(get_env, asks_the_object_or_gives_the_empty_one) {
    const with_env object;
    EXPECT_EQ(&coex::get_env(object), &object.first) << "passed through by reference";
    static_assert(std::same_as<decltype(coex::get_env(1)), coex::env<>>);
    static_assert(std::same_as<coex::env_of_t<with_env>, const coex::prop<ask_first_t, int>&>);
}

struct with_both {
    coex::env<coex::prop<ask_first_t, int>, coex::prop<ask_second_t, int>> both{coex::prop(ask_first, 1),
                                                                                coex::prop(ask_second, 2)};
    [[nodiscard]] const auto& get_env() const noexcept { return both; }
};

TEST(forward_env, lets_only_those_queries_through_that_are_forwarded) {
    const with_both object;
    const auto forwarded = coex::detail::forward_env_of(object);
    EXPECT_EQ(forwarded.query(ask_second), 2);
    static_assert(!coex::detail::answers<decltype(forwarded), ask_first_t>);
}

TEST(forward_env, of_one_that_is_forwarded_already_is_the_same_type) {
    using once = coex::detail::forwarded_t<const coex::prop<ask_second_t, int>&>;
    static_assert(std::same_as<coex::detail::forwarded_t<once>, once>);
    static_assert(std::same_as<coex::detail::forwarded_t<const once&>, once>);
    static_assert(std::same_as<coex::detail::forwarded_t<coex::env<>>, coex::env<>>);
}

}  // namespace
