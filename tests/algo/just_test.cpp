#include <exec/algo/just.hpp>

#include "algo/support.hpp"

#include <exec/coro/sync_wait.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>

namespace {

using namespace coex_test;
using coex::just;
using coex::just_error;
using coex::just_stopped;

static_assert(coex::sender<decltype(just(1, std::string()))>);
static_assert(completes_with<decltype(just()), coex::set_value_t()>);
static_assert(completes_with<decltype(just(1, std::string())), coex::set_value_t(int, std::string)>);
static_assert(completes_with<decltype(just_error(1)), coex::set_error_t(int)>);
static_assert(completes_with<decltype(just_stopped()), coex::set_stopped_t()>);
static_assert(!coex::dependent_sender<decltype(just(1))>, "it needs no environment to tell how it completes");
static_assert(!coex::sends_stopped<decltype(just(1))> && coex::sends_stopped<decltype(just_stopped())>);
template <class... Ts>
concept can_just_error = requires(Ts... values) { just_error(values...); };
static_assert(can_just_error<int> && !can_just_error<> && !can_just_error<int, int>);

TEST(just, completes_inside_start_with_its_values) {
    auto operation = connected<int, std::string>(just(7, std::string("seven")));
    EXPECT_EQ(operation.result.how, "") << "nothing happens before start()";
    operation.start();
    EXPECT_EQ(operation.result.how, "value");
    EXPECT_EQ(*operation.result.values, std::tuple(7, std::string("seven")));
}

TEST(just, decays_what_it_keeps) {
    const char text[] = "text";
    const int number = 3;
    static_assert(completes_with<decltype(just(text, number)), coex::set_value_t(const char*, int)>);
    EXPECT_EQ(std::get<1>(*run<const char*, int>(just(text, number)).values), 3);
}

TEST(just, moves_values_that_only_move_to_the_receiver) {
    auto result = run<only_moves>(just(std::make_unique<int>(5)));
    EXPECT_EQ(*std::get<0>(*result.values), 5);
}

TEST(just, an_lvalue_can_be_connected_many_times) {
    const auto sender = just(std::string("again"));
    EXPECT_EQ(std::get<0>(*run<std::string>(sender).values), "again");
    EXPECT_EQ(std::get<0>(*run<std::string>(sender).values), "again");
    using only_once = decltype(just(only_moves()));
    static_assert(!coex::sender_to<const only_once&, recorder<coex::env<>, only_moves>>);
    static_assert(coex::sender_to<only_once, recorder<coex::env<>, only_moves>>);
}

TEST(just, a_copy_that_throws_is_thrown_by_connect) {
    const auto sender = just(fragile(2));
    EXPECT_THROW(static_cast<void>(connected<fragile>(sender)), std::runtime_error);
}

TEST(just, completes_with_an_error) {
    EXPECT_EQ(run<>(just_error(failure("no"))).error, "no");
    EXPECT_EQ(run<>(just_error(4)).error, "4");
}

TEST(just, completes_as_stopped) {
    EXPECT_EQ(run<>(just_stopped()).how, "stopped");
}

TEST(just, completes_where_it_was_started) {
    coex::run_loop loop;
    const coex::env environment(coex::prop(coex::get_start_scheduler, loop.get_scheduler()));
    const auto sender = just();
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(coex::get_env(sender), environment),
              loop.get_scheduler());
}

TEST(just, is_not_stopped_by_a_stop_request) {
    coex::inplace_stop_source source;
    source.request_stop();
    EXPECT_EQ(run_in<int>(just(1), coex::prop(coex::get_stop_token, source.get_token())).how, "value");
}

}  // namespace
