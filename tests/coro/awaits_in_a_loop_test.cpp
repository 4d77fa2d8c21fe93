// A loop of awaits that complete at once neither uses up the stack nor hangs, whatever is awaited. Built at each level
// of optimisation: where a compiler makes no tail calls, transfers from coroutine to coroutine would nest.

#include "coro/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/then.hpp>
#include <exec/base/config.hpp>
#include <exec/coro/async_generator.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/environment_task.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/coro/with_error.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/read_env.hpp>
#include <exec/vocab/sender.hpp>

#include <gtest/gtest.h>

#include <utility>

namespace {

using coex::block_on;
using coex::task;

// Under a sanitizer frames are larger, so that fewer of them fill a stack, and every await takes ten times as long.
constexpr int awaits = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 300'000 : 3'000'000;
// What is slower by itself: an exception, a child that allocates.
constexpr int fewer_awaits = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 30'000 : 300'000;

/// Completes inside start(), and says so to nobody.
class at_once {
public:
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(int)>;

    template <class Receiver>
    class operation {
    public:
        using operation_state_concept = coex::operation_state_tag;
        explicit operation(Receiver&& receiver) noexcept : receiver_(std::move(receiver)) {}
        void start() & noexcept { coex::set_value(std::move(receiver_), 1); }

    private:
        Receiver receiver_;
    };
    template <coex::receiver Receiver>
    [[nodiscard]] operation<Receiver> connect(Receiver receiver) const noexcept {
        return operation<Receiver>(std::move(receiver));
    }
};

/// Awaits what `make` returns `count` times, which gives 1 each time.
template <class Make>
task<int> loop(Make make, int count) {
    int sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await make();
    co_return sum;
}

/// The same after a real suspension, from when on the task counts as one that suspends.
template <class Make>
task<int> loop_on(coex::static_thread_pool& pool, Make make, int count) {
    co_await pool.schedule();
    const int sum = co_await loop(make, count);
    co_return sum;
}

template <class Make>
void expect_flat(Make make, int count = awaits) {
    EXPECT_EQ(block_on(loop(make, count)), count);
    coex::static_thread_pool pool{coex::pool_options{.threads = 1}};
    EXPECT_EQ(block_on(loop_on(pool, make, count)), count);
}

task<int> one() {
    co_return 1;
}
struct plain {};
task<int, plain> one_with_environment() {
    co_return 1;
}

TEST(awaits_in_a_loop, of_tasks) {
    expect_flat([] { return one(); });
}

TEST(awaits_in_a_loop, of_tasks_with_an_environment) {
    expect_flat([] { return one_with_environment(); });
}

TEST(awaits_in_a_loop, of_senders_that_are_known_to_complete_at_once) {
    expect_flat([] { return coex::just(1); });
    expect_flat([] { return coex::just(0) | coex::then([](int value) noexcept { return value + 1; }); });
}

TEST(awaits_in_a_loop, of_senders_that_are_not_known_to_complete_at_once) {
    expect_flat([] { return at_once(); });
}

TEST(awaits_in_a_loop, of_when_all) {
    const auto sum = [](int count) -> task<int> {
        int total = 0;
        for (int i = 0; i < count; ++i) {
            const auto [a, b] = co_await coex::when_all(one(), one());
            total += a + b;
        }
        co_return total;
    };
    EXPECT_EQ(block_on(sum(fewer_awaits)), 2 * fewer_awaits);
}

TEST(awaits_in_a_loop, of_an_asynchronous_generator) {
    const auto numbers = [](int count) -> coex::async_generator<int> {
        for (int i = 0; i < count; ++i) {
            co_await one();
            co_yield 1;
        }
    };
    const auto sum = [&](int count) -> task<int> {
        int total = 0;
        auto from = numbers(count);
        for (;;) {
            const int* const next = co_await from.next();
            if (next == nullptr) break;
            total += *next;
        }
        co_return total;
    };
    EXPECT_EQ(block_on(sum(awaits)), awaits);
}

TEST(awaits_in_a_loop, of_tasks_that_fail) {
    const auto failing = []() -> task<int> {
        co_yield coex::with_error(1);
        co_return 0;
    };
    const auto sum = [&](int count) -> task<int> {
        int caught = 0;
        for (int i = 0; i < count; ++i) {
            try {
                co_await failing();
            } catch (int) {
                ++caught;
            }
        }
        co_return caught;
    };
    EXPECT_EQ(block_on(sum(fewer_awaits)), fewer_awaits);
}

}  // namespace
