#include <exec/coro/async_generator.hpp>

#include "coro/manual_context.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/stop_token.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace coex_test;
using coex::async_generator;
using coex::task;

async_generator<int> count_to(int last) {
    for (int i = 1; i <= last; ++i) co_yield i;
}

task<long long> sum_of(async_generator<int> numbers) {
    long long sum = 0;
    while (const int* each = co_await numbers.next()) sum += *each;
    if (co_await numbers.next() != nullptr) sum = -1;
    co_return sum;
}

TEST(async_generator, gives_what_is_yielded_and_null_at_the_end_and_ever_after) {
    EXPECT_EQ(coex::block_on(sum_of(count_to(4))), 10);
    EXPECT_EQ(coex::block_on(sum_of(count_to(0))), 0);
}

TEST(async_generator, a_million_steps_that_complete_at_once_keep_the_stack_flat) {
    EXPECT_EQ(coex::block_on(sum_of(count_to(1'000'000))), 500000500000);
}

async_generator<int> hopping(coex::context_scheduler to, int last) {
    for (int i = 1; i <= last; ++i) {
        co_await coex::schedule(to);
        co_yield i;
    }
}

TEST(async_generator, waits_between_yields_and_the_consumer_resumes_where_it_was) {
    manual_context home;
    manual_context other;
    started<long long> running(sum_of(hopping(coex::context_scheduler(other), 3)), home);
    int turns = 0;
    while (!running.has_ended() && ++turns < 100) {
        EXPECT_EQ(home.run_all() > 0, turns > 1);
        other.run_all();
    }
    EXPECT_EQ(running.take(), 6);
}

task<int> twice(int value) {
    co_return 2 * value;
}
async_generator<int> doubled(int last) {
    for (int i = 1; i <= last; ++i) co_yield co_await twice(i);
}

TEST(async_generator, awaits_tasks) {
    EXPECT_EQ(coex::block_on(sum_of(doubled(4))), 20);
}

async_generator<int> mapped(async_generator<int> from) {
    while (const int* each = co_await from.next()) co_yield 10 * *each;
}

TEST(async_generator, consumes_another_one) {
    EXPECT_EQ(coex::block_on(sum_of(mapped(count_to(4)))), 100);
}

async_generator<int> fails_after(int last) {
    for (int i = 1; i <= last; ++i) co_yield i;
    throw std::runtime_error("spent");
}

task<std::string> error_of(async_generator<int> numbers) {
    std::string seen;
    try {
        while (const int* each = co_await numbers.next()) seen += std::to_string(*each);
    } catch (const std::runtime_error& error) {
        seen += error.what();
    }
    if (co_await numbers.next() == nullptr) seen += '.';
    co_return seen;
}

TEST(async_generator, an_exception_is_rethrown_by_next_and_ends_the_sequence) {
    EXPECT_EQ(coex::block_on(error_of(fails_after(2))), "12spent.");
}

async_generator<std::unique_ptr<int>> pointers() {
    co_yield std::make_unique<int>(1);
    co_yield std::make_unique<int>(2);
}
async_generator<std::string> copies() {
    const std::string kept = "kept";
    co_yield kept;
    co_yield kept;
}

TEST(async_generator, yields_what_only_moves_and_copies_of_what_is_const) {
    const auto run = []() -> task<std::string> {
        auto numbers = pointers();
        std::string seen;
        while (auto* each = co_await numbers.next()) seen += std::to_string(*std::move(*each));
        auto strings = copies();
        while (auto* each = co_await strings.next()) seen += std::exchange(*each, "");
        co_return seen;
    };
    EXPECT_EQ(coex::block_on(run()), "12keptkept");
}

/// Waits for nothing but a stop request.
class until_stopped {
public:
    until_stopped() = default;
    [[nodiscard]] until_stopped operator co_await() && noexcept { return {}; }
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coex::coroutine_base> Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        coex::coroutine_base& base = coroutine.promise();
        if (base.stop_token().stop_requested()) return base.unwind_here();
        base.detach();
        callback_.emplace(base.stop_token(), unwind(base));
    }
    static void await_resume() noexcept {}

private:
    class unwind {
    public:
        explicit unwind(coex::coroutine_base& coroutine) noexcept : coroutine_(&coroutine) {}
        void operator()() const noexcept { coroutine_->unwind_later(); }

    private:
        coex::coroutine_base* coroutine_;
    };
    std::optional<coex::inplace_stop_callback<unwind>> callback_;
};

async_generator<int> holding(std::shared_ptr<int> kept, int yields) {
    const auto local = kept;
    for (int i = 0; i < yields; ++i) co_yield i;
    co_await until_stopped();
}

TEST(async_generator, destroying_it_between_steps_destroys_the_locals_of_the_body) {
    auto owned = std::make_shared<int>();
    const auto run = [](std::shared_ptr<int> kept) -> task<void> {
        auto endless = holding(kept, 2);
        static_cast<void>(co_await endless.next());
    };
    coex::block_on(run(owned));
    EXPECT_EQ(owned.use_count(), 1);
    {
        const auto unused = holding(owned, 1);
    }
    EXPECT_EQ(owned.use_count(), 1);
}

task<void> asks_for_all(async_generator<int> numbers, bool& went_on) {
    for (;;) {
        const int* const each = co_await numbers.next();
        if (each == nullptr) break;
    }
    went_on = true;
}

TEST(async_generator, a_stop_request_of_the_consumer_unwinds_the_generator_and_then_the_consumer) {
    manual_context place;
    coex::inplace_stop_source source;
    auto owned = std::make_shared<int>();
    bool went_on = false;
    started<void> running(asks_for_all(holding(owned, 1), went_on), place, source.get_token());
    EXPECT_FALSE(running.has_ended());
    source.request_stop();
    place.run_all();
    EXPECT_EQ(running.how(), coex::detail::outcome::stopped);
    EXPECT_EQ(owned.use_count(), 1);
    EXPECT_FALSE(went_on);
}

TEST(async_generator, one_that_is_stopped_at_once_unwinds_its_consumer) {
    manual_context place;
    coex::inplace_stop_source source;
    source.request_stop();
    auto owned = std::make_shared<int>();
    bool went_on = false;
    started<void> running(asks_for_all(holding(owned, 0), went_on), place, source.get_token());
    EXPECT_TRUE(running.ended_at_once);
    EXPECT_EQ(running.how(), coex::detail::outcome::stopped);
    EXPECT_EQ(owned.use_count(), 1) << "the generator's frame goes first; the consumer's is still there, the test's";
    EXPECT_FALSE(went_on);
}

}  // namespace
