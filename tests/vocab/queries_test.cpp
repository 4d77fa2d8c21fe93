#include <exec/vocab/queries.hpp>

#include <exec/vocab/scheduler.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <cstdlib>
#include <type_traits>

namespace {

class no_context final : public coex::execution_context {
public:
    void submit(coex::work_item*) noexcept override { std::abort(); }
    [[nodiscard]] coex::timer_service& timers() noexcept override { std::abort(); }
};

struct full_env {
    coex::inplace_stop_token token;
    coex::execution_context* context;

    [[nodiscard]] coex::inplace_stop_token query(coex::get_stop_token_t) const noexcept { return token; }
    [[nodiscard]] coex::context_scheduler query(coex::get_scheduler_t) const noexcept {
        return coex::context_scheduler(*context);
    }
};

struct receiver_with_env {
    full_env env;
    [[nodiscard]] const full_env& get_env() const noexcept { return env; }
};

struct receiver_without_env {};

template <class Env>
concept has_scheduler = requires(const Env& env) { coex::get_scheduler(env); };

static_assert(has_scheduler<full_env>);
static_assert(!has_scheduler<coex::empty_env>, "an environment without a scheduler is told at compile time");

TEST(queries, an_environment_without_a_stop_token_can_never_be_stopped) {
    const auto token = coex::get_stop_token(coex::empty_env{});
    static_assert(std::same_as<decltype(token), const coex::never_stop_token>);
    EXPECT_FALSE(token.stop_possible());
}

TEST(queries, the_stop_token_of_an_environment_is_given) {
    const coex::inplace_stop_source source;
    no_context context;
    const full_env env{source.get_token(), &context};
    EXPECT_EQ(coex::get_stop_token(env), source.get_token());
}

TEST(queries, the_scheduler_of_an_environment_is_given) {
    no_context context;
    const full_env env{{}, &context};
    EXPECT_EQ(&coex::get_scheduler(env).context(), &context);
}

TEST(queries, get_env_asks_the_object_or_gives_the_empty_one) {
    no_context context;
    const receiver_with_env asked{{{}, &context}};
    EXPECT_EQ(&coex::get_env(asked), &asked.env) << "passed through by reference";
    static_assert(std::same_as<decltype(coex::get_env(receiver_without_env{})), coex::empty_env>);
}

TEST(queries, a_start_scheduler_is_found_under_either_name) {
    no_context context;
    const coex::context_scheduler here(context);
    EXPECT_EQ(coex::detail::start_scheduler_of(coex::prop(coex::get_start_scheduler, here)), here);
    EXPECT_EQ(coex::detail::start_scheduler_of(coex::prop(coex::get_scheduler, here)), here);
    static_assert(!coex::detail::has_start_scheduler<coex::env<>>);
}

struct asks_env {
    template <class Env>
    [[nodiscard]] auto query(coex::get_completion_scheduler_t<coex::set_value_t>, const Env& env) const noexcept {
        return coex::get_start_scheduler(env);
    }
};

TEST(queries, a_completion_scheduler_may_depend_on_the_environment) {
    no_context context;
    const coex::context_scheduler here(context);
    const coex::prop env(coex::get_start_scheduler, here);
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(asks_env(), env), here);
    const coex::prop fixed(coex::get_completion_scheduler<coex::set_value_t>, here);
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(fixed), here);
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(fixed, env), here);
    static_assert(!std::invocable<coex::get_completion_scheduler_t<coex::set_value_t>, asks_env>);
    static_assert(!std::invocable<coex::get_completion_scheduler_t<coex::set_error_t>, decltype(fixed)>);
}

TEST(queries, forward_progress_is_weakly_parallel_unless_the_scheduler_says_more) {
    no_context context;
    EXPECT_EQ(coex::get_forward_progress_guarantee(1), coex::forward_progress_guarantee::weakly_parallel);
    EXPECT_EQ(coex::get_forward_progress_guarantee(coex::context_scheduler(context)),
              coex::forward_progress_guarantee::parallel);
}

}  // namespace
