#include <exec/algo/counting_scope.hpp>

#include "algo/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/spawn.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/run_loop.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace coex_test;
using coex::counting_scope;
using coex::simple_counting_scope;
using coex::spawn;
using coex::task;

static_assert(coex::scope_token<counting_scope::token>);
static_assert(coex::scope_token<simple_counting_scope::token>);
static_assert(coex::scope_association<decltype(std::declval<counting_scope::token>().try_associate())>);
static_assert(coex::sender<decltype(std::declval<counting_scope&>().join())>);
static_assert(!std::is_move_constructible_v<counting_scope>);

template <class Scope>
class counting_scope_of : public testing::Test {};
using both_scopes = testing::Types<simple_counting_scope, counting_scope>;
TYPED_TEST_SUITE(counting_scope_of, both_scopes);

auto in(coex::run_loop& loop) {
    return coex::prop(coex::get_scheduler, loop.get_scheduler());
}

TYPED_TEST(counting_scope_of, may_go_without_having_been_used) {
    TypeParam unused;
    TypeParam closed;
    closed.close();
}

TYPED_TEST(counting_scope_of, join_completes_at_once_when_it_has_no_work) {
    TypeParam scope;
    coex::run_loop loop;
    EXPECT_EQ(run_in<>(scope.join(), in(loop)).how, "value");
    EXPECT_EQ(run_in<>(scope.join(), in(loop)).how, "value") << "and again";
}

TYPED_TEST(counting_scope_of, join_waits_for_all_work_and_completes_on_the_receivers_scheduler) {
    TypeParam scope;
    coex::run_loop loop;
    std::optional first(scope.get_token().try_associate());
    std::optional second(scope.get_token().try_associate());
    auto joining = connected_in<>(scope.join(), in(loop));
    joining.result.after = [&loop] { loop.finish(); };
    joining.start();
    first.reset();
    EXPECT_EQ(joining.result.how, "");
    second.reset();
    EXPECT_EQ(joining.result.how, "") << "not on the thread of the last work";
    loop.run();
    EXPECT_EQ(joining.result.how, "value");
    EXPECT_EQ(joining.result.completions, 1);
}

TYPED_TEST(counting_scope_of, lets_work_in_while_it_is_being_joined) {
    TypeParam scope;
    coex::run_loop loop;
    std::optional first(scope.get_token().try_associate());
    auto joining = connected_in<>(scope.join(), in(loop));
    joining.result.after = [&loop] { loop.finish(); };
    joining.start();
    {
        auto second = scope.get_token().try_associate();
        EXPECT_TRUE(second);
        first.reset();
        EXPECT_EQ(joining.result.how, "");
    }
    loop.run();
    EXPECT_EQ(joining.result.how, "value");
}

TYPED_TEST(counting_scope_of, lets_no_work_in_once_closed_or_joined) {
    TypeParam closed;
    closed.close();
    EXPECT_FALSE(closed.get_token().try_associate());
    TypeParam joined;
    coex::run_loop loop;
    EXPECT_EQ(run_in<>(joined.join(), in(loop)).how, "value");
    EXPECT_FALSE(joined.get_token().try_associate());
}

TYPED_TEST(counting_scope_of, closing_leaves_the_work_that_is_in_it) {
    TypeParam scope;
    std::optional work(scope.get_token().try_associate());
    scope.close();
    EXPECT_TRUE(*work);
    EXPECT_FALSE(work->try_associate());
    coex::run_loop loop;
    auto joining = connected_in<>(scope.join(), in(loop));
    joining.result.after = [&loop] { loop.finish(); };
    joining.start();
    work.reset();
    loop.run();
    EXPECT_EQ(joining.result.how, "value");
}

TYPED_TEST(counting_scope_of, every_join_completes) {
    TypeParam scope;
    coex::run_loop loop;
    std::optional work(scope.get_token().try_associate());
    int joins = 0;
    const auto count = [&] {
        if (++joins == 3) loop.finish();
    };
    auto first = connected_in<>(scope.join(), in(loop));
    auto second = connected_in<>(scope.join(), in(loop));
    auto third = connected_in<>(scope.join(), in(loop));
    first.result.after = second.result.after = third.result.after = count;
    first.start();
    second.start();
    third.start();
    work.reset();
    loop.run();
    EXPECT_EQ(joins, 3);
}

TYPED_TEST(counting_scope_of, an_association_that_moves_counts_once) {
    TypeParam scope;
    {
        auto first = scope.get_token().try_associate();
        auto second = std::move(first);
        EXPECT_FALSE(first);
        EXPECT_TRUE(second);
        first = std::move(second);
        EXPECT_TRUE(first);
    }
    coex::run_loop loop;
    EXPECT_EQ(run_in<>(scope.join(), in(loop)).how, "value");
}

TYPED_TEST(counting_scope_of, join_rethrows_the_first_exception_each_time) {
    TypeParam scope;
    spawn(coex::just_error(failure("first")), scope.get_token());
    spawn(coex::just_error(failure("second")), scope.get_token());
    const auto message = [&scope] {
        try {
            coex::block_on(scope.join());
        } catch (const std::runtime_error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_EQ(message(), "first");
    EXPECT_EQ(message(), "first");
}

TEST(counting_scope, asks_its_work_to_stop) {
    counting_scope scope;
    hand<> waiting;
    spawn(handed<>(waiting), scope.get_token());
    EXPECT_FALSE(waiting.stop_seen);
    scope.request_stop();
    EXPECT_TRUE(waiting.stop_seen);
    EXPECT_TRUE(coex::sync_wait(scope.join()).has_value()) << "join is not stopped by it";
}

TEST(counting_scope, asks_work_to_stop_that_comes_after_the_request) {
    counting_scope scope;
    scope.request_stop();
    hand<> late;
    spawn(handed<>(late), scope.get_token());
    EXPECT_TRUE(late.stop_seen);
    EXPECT_TRUE(coex::sync_wait(scope.join()).has_value());
}

TEST(counting_scope, work_can_be_stopped_by_the_environments_token_and_by_the_scopes) {
    for (const bool by_scope : {false, true}) {
        counting_scope scope;
        coex::inplace_stop_source outer;
        hand<> waiting;
        spawn(handed<>(waiting), scope.get_token(), coex::prop(coex::get_stop_token, outer.get_token()));
        EXPECT_FALSE(waiting.stop_seen);
        if (by_scope) {
            scope.request_stop();
        } else {
            outer.request_stop();
        }
        EXPECT_TRUE(waiting.stop_seen);
        EXPECT_TRUE(coex::sync_wait(scope.join()).has_value());
    }
}

TEST(simple_counting_scope, gives_its_work_no_stop_token) {
    simple_counting_scope scope;
    bool possible = true;
    spawn(coex::read_env(coex::get_stop_token) |
              coex::then([&possible](auto token) noexcept { possible = token.stop_possible(); }),
          scope.get_token());
    EXPECT_FALSE(possible);
    coex::block_on(scope.join());
}

task<void> fails_after_hop(coex::static_thread_pool& pool) {
    co_await pool.schedule();
    throw std::runtime_error("session");
}

TEST(counting_scope, a_task_awaits_its_end_and_gets_its_exception_where_it_was) {
    coex::static_thread_pool pool{{.threads = 2}};
    const auto run = [](coex::static_thread_pool& on) -> task<std::string> {
        co_await on.schedule();
        counting_scope scope;
        spawn(fails_after_hop(on), scope.get_token());
        std::string message;
        try {
            co_await scope.join();
        } catch (const std::runtime_error& error) {
            message = error.what();
        }
        co_return on.this_thread_index() ? message : "elsewhere";
    };
    EXPECT_EQ(coex::block_on(run(pool)), "session");
}

TEST(counting_scope_death, an_unjoined_scope_says_how_much_work_is_alive) {
    EXPECT_DEATH(
        {
            counting_scope scope;
            auto first = scope.get_token().try_associate();
            auto second = scope.get_token().try_associate();
            std::destroy_at(&scope);
        },
        "counting_scope: destroyed without having been joined, while 2 pieces of work are alive.*await join\\(\\)");
}

#ifndef NDEBUG
TEST(counting_scope_death, an_unjoined_scope_says_where_its_work_was_spawned) {
    EXPECT_DEATH(
        {
            counting_scope scope;
            hand<> waiting;
            for (int i = 0; i < 3; ++i) spawn(handed<>(waiting), scope.get_token());
            std::destroy_at(&scope);
        },
        "3 pieces of work are alive: 3 from .*counting_scope_test.cpp:");
}
#endif

TEST(counting_scope_death, a_scope_whose_work_has_ended_must_be_joined_as_well) {
    EXPECT_DEATH(
        {
            simple_counting_scope scope;
            static_cast<void>(scope.get_token().try_associate());
            std::destroy_at(&scope);
        },
        "simple_counting_scope: destroyed without having been joined, though its work has ended");
}

}  // namespace
