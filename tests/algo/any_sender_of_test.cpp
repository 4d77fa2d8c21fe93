#include <exec/algo/any_sender_of.hpp>

#include "algo/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace coex_test;
using coex::any_sender_of;
using coex::just;
using coex::set_error_t;
using coex::set_stopped_t;
using coex::set_value_t;

using any_int = any_sender_of<set_value_t(int), set_error_t(std::exception_ptr), set_stopped_t()>;
static_assert(coex::sender<any_int>);
static_assert(completes_with<any_int, set_value_t(int), can_throw, can_stop>);
static_assert(!std::is_copy_constructible_v<any_int>);
static_assert(std::is_nothrow_move_constructible_v<any_int>);

TEST(any_sender_of, completes_as_the_sender_inside) {
    EXPECT_EQ(*run<int>(any_int(just(4))).values, std::tuple(4));
    EXPECT_EQ(run<int>(any_int(coex::just_error(failure("own")))).error, "own");
    EXPECT_EQ(run<int>(any_int(coex::just_stopped())).how, "stopped");
}

TEST(any_sender_of, holds_different_senders_one_after_the_other) {
    std::vector<any_int> senders;
    senders.emplace_back(just(1));
    senders.emplace_back(just(2) | coex::then([](int value) { return 10 * value; }));
    any_int chosen = std::move(senders[1]);
    chosen = std::move(senders[0]);
    EXPECT_EQ(*run<int>(std::move(chosen)).values, std::tuple(1));
}

TEST(any_sender_of, takes_what_only_moves_and_gives_several_values) {
    any_sender_of<set_value_t(only_moves, std::string)> sender(just(std::make_unique<int>(3), std::string("x")));
    auto result = run<only_moves, std::string>(std::move(sender));
    EXPECT_EQ(*std::get<0>(*result.values), 3);
    EXPECT_EQ(std::get<1>(*result.values), "x");
}

TEST(any_sender_of, chooses_among_several_ways_to_complete_by_type) {
    using either = any_sender_of<set_value_t(int), set_value_t(std::string), set_error_t(int)>;
    EXPECT_EQ(coex::sync_wait(either(just(1)) | coex::then([](auto&& value) { return sizeof(value); })),
              std::tuple(sizeof(int)));
    EXPECT_EQ(coex::sync_wait(either(just(std::string())) | coex::then([](auto&& value) { return sizeof(value); })),
              std::tuple(sizeof(std::string)));
}

TEST(any_sender_of, converts_values_where_that_cannot_throw) {
    coex::any_sender_of<coex::set_value_t(long)> sender(coex::just(7));
    EXPECT_EQ(coex::sync_wait(std::move(sender)), std::tuple(7L));
}

TEST(any_sender_of, sends_an_error_of_each_kind_as_what_it_is) {
    using fails = any_sender_of<set_value_t(), set_error_t(int), set_error_t(long), set_error_t(only_moves),
                                set_error_t(std::exception_ptr)>;
    const auto kind_of = [](fails sender) {
        std::string kind = "none";
        auto all = std::move(sender) | coex::upon_error([&kind]<class Error>(Error&& error) noexcept {
                       static_assert(!std::is_lvalue_reference_v<Error>);
                       if constexpr (std::is_same_v<Error, int>) kind = "int " + std::to_string(error);
                       if constexpr (std::is_same_v<Error, long>) kind = "long " + std::to_string(error);
                       if constexpr (std::is_same_v<Error, only_moves>) kind = "pointer " + std::to_string(*error);
                       if constexpr (std::is_same_v<Error, std::exception_ptr>) kind = message_of(error);
                   });
        static_cast<void>(coex::sync_wait(std::move(all)));
        return kind;
    };
    EXPECT_EQ(kind_of(coex::just_error(1)), "int 1");
    EXPECT_EQ(kind_of(coex::just_error(2L)), "long 2");
    EXPECT_EQ(kind_of(coex::just_error(std::make_unique<int>(3))), "pointer 3");
    EXPECT_EQ(kind_of(coex::just_error(failure("own"))), "own");
    EXPECT_EQ(kind_of(just() | coex::then([] { throw std::runtime_error("thrown"); })), "thrown");
    EXPECT_EQ(kind_of(just()), "none");
}

TEST(any_sender_of, destroys_a_sender_that_was_never_connected) {
    auto owned = std::make_shared<int>();
    {
        const any_sender_of<set_value_t(std::shared_ptr<int>)> unused(just(owned));
    }
    EXPECT_EQ(owned.use_count(), 1);
}

TEST(any_sender_of, a_stop_request_reaches_the_sender_inside) {
    coex::inplace_stop_source source;
    hand<int> by;
    auto operation = connected_in<int>(any_int(handed<int>(by)), coex::prop(coex::get_stop_token, source.get_token()));
    operation.start();
    source.request_stop();
    EXPECT_TRUE(by.stop_seen);
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST(any_sender_of, without_a_stop_token_outside_there_is_none_inside) {
    bool possible = true;
    any_sender_of<set_value_t(), set_error_t(std::exception_ptr)> sender(
        coex::read_env(coex::get_stop_token) | coex::then([&](auto token) { possible = token.stop_possible(); }));
    EXPECT_EQ(run<>(std::move(sender)).how, "value");
    EXPECT_FALSE(possible);
}

coex::task<int> where(coex::static_thread_pool& pool) {
    co_return pool.this_thread_index() ? 1 : 0;
}

TEST(any_sender_of, a_task_inside_starts_where_the_receiver_says) {
    coex::static_thread_pool pool{{.threads = 1}};
    EXPECT_EQ(coex::sync_wait(coex::starts_on(pool.get_scheduler(), any_int(where(pool)))), std::tuple(1));
    EXPECT_EQ(coex::sync_wait(any_int(where(pool))), std::tuple(0));
}

coex::task<int> awaits(any_int sender) {
    co_return co_await std::move(sender) + 1;
}

TEST(any_sender_of, is_awaited_in_a_task) {
    EXPECT_EQ(coex::block_on(awaits(just(1))), 2);
}

struct throws_on_connect {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<set_value_t(int)>;
    class operation {
    public:
        using operation_state_concept = coex::operation_state_tag;
        void start() & noexcept {}
    };
    template <class Receiver>
    operation connect(Receiver) const {
        throw std::runtime_error("connect");
    }
};

TEST(any_sender_of, throws_what_connecting_throws) {
    EXPECT_THROW(static_cast<void>(connected<int>(any_int(throws_on_connect()))), std::runtime_error);
}

TEST(any_sender_of, death_when_connected_twice) {
    any_int sender(just(1));
    EXPECT_EQ(run<int>(std::move(sender)).how, "value");
    EXPECT_DEATH(static_cast<void>(run<int>(std::move(sender))), "any_sender_of: connected twice");
}

}  // namespace
