#include <exec/algo/associate.hpp>

#include "algo/support.hpp"

#include <exec/algo/counting_scope.hpp>
#include <exec/algo/just.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/run_loop.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

namespace {

using namespace coex_test;
using coex::associate;
using coex::counting_scope;
using coex::just;
using token = counting_scope::token;

static_assert(completes_with<decltype(associate(just(1), std::declval<token>())), coex::set_value_t(int), can_stop>);

TEST(associate, completes_as_the_sender_does) {
    counting_scope scope;
    auto result = run<int>(associate(just(7), scope.get_token()));
    EXPECT_EQ(*result.values, std::tuple(7));
    EXPECT_EQ(run<>(just() | associate(scope.get_token())).how, "value");
    EXPECT_EQ(run<>(associate(coex::just_error(failure("no")), scope.get_token())).error, "no");
    coex::block_on(scope.join());
}

TEST(associate, is_stopped_when_the_scope_was_closed) {
    counting_scope scope;
    scope.close();
    auto owned = std::make_shared<int>();
    auto sender = associate(just(owned), scope.get_token());
    EXPECT_EQ(owned.use_count(), 1) << "the sender is destroyed at once";
    EXPECT_EQ(run<std::shared_ptr<int>>(std::move(sender)).how, "stopped");
}

TEST(associate, counts_from_its_making_until_the_operation_is_gone) {
    counting_scope scope;
    coex::run_loop loop;
    std::optional sender(associate(just(), scope.get_token()));
    auto joining = connected_in<>(scope.join(), coex::prop(coex::get_scheduler, loop.get_scheduler()));
    joining.result.after = [&loop] { loop.finish(); };
    joining.start();
    {
        auto operation = connected<>(std::move(*sender));
        sender.reset();
        operation.start();
        EXPECT_EQ(operation.result.how, "value");
        EXPECT_EQ(joining.result.how, "");
    }
    loop.run();
    EXPECT_EQ(joining.result.how, "value");
}

TEST(associate, a_copy_asks_the_scope_anew) {
    counting_scope scope;
    {
        const auto sender = associate(just(1), scope.get_token());
        auto copy = sender;
        EXPECT_EQ(run<int>(copy).how, "value");
        scope.close();
        auto late = sender;
        EXPECT_EQ(run<int>(late).how, "stopped");
        EXPECT_EQ(run<int>(sender).how, "stopped") << "connecting an lvalue copies";
        EXPECT_EQ(run<int>(std::move(copy)).how, "value");
    }
    coex::block_on(scope.join());
}

TEST(associate, the_scope_asks_the_sender_to_stop) {
    counting_scope scope;
    {
        hand<> waiting;
        auto operation = connected<>(associate(handed<>(waiting), scope.get_token()));
        operation.start();
        scope.request_stop();
        EXPECT_EQ(operation.result.how, "stopped");
    }
    coex::block_on(scope.join());
}

}  // namespace
