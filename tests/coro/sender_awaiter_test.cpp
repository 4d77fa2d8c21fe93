#include <exec/coro/sender_awaiter.hpp>

#include "algo/support.hpp"
#include "coro/support.hpp"

#include <exec/algo/continues_on.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/on.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

namespace {

using coex::block_on;
using coex::just;
using coex::sync_wait;
using coex::task;
using coex_test::can_stop;
using coex_test::failure;
using coex_test::fragile;
using coex_test::hand;
using coex_test::handed;
using coex_test::is_on;
using coex_test::journal;
using coex_test::local;

static_assert(std::same_as<coex::await_result_t<decltype(just())>, void>);
static_assert(std::same_as<coex::await_result_t<decltype(just(1))>, int>);
static_assert(std::same_as<coex::await_result_t<decltype(just(1, 'c'))>, std::tuple<int, char>>);
static_assert(std::same_as<coex::await_result_t<decltype(coex::just_stopped())>, void>);
static_assert(coex::awaitable<decltype(just(1))> && !coex::awaitable<int>);

/// Two kinds of values: there is no one type that co_await could give.
struct two_kinds {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(int), coex::set_value_t(char)>;
};
static_assert(coex::sender<two_kinds> && !coex::awaitable<two_kinds>);

TEST(awaited_sender, gives_its_value) {
    const auto root = []() -> task<int> {
        co_await just();
        auto [number, text] = co_await just(1, std::string("four"));
        const auto pointer = co_await just(std::make_unique<int>(10));
        co_return number + static_cast<int>(text.size()) + *pointer;
    };
    EXPECT_EQ(block_on(root()), 15);
}

TEST(awaited_sender, throws_its_error) {
    const auto message = []() -> task<std::string> {
        try {
            co_await coex::just_error(failure("no"));
        } catch (const std::runtime_error& error) {
            co_return error.what();
        }
        co_return "nothing";
    };
    EXPECT_EQ(block_on(message()), "no");
    const auto number = []() -> task<int> {
        try {
            co_await coex::just_error(5);
        } catch (int error) {
            co_return error;
        }
        co_return 0;
    };
    EXPECT_EQ(block_on(number()), 5) << "an error that is no exception is thrown as it is";
    const auto code = []() -> task<bool> {
        try {
            co_await coex::just_error(std::make_error_code(std::errc::timed_out));
        } catch (const std::system_error& error) {
            co_return error.code() == std::errc::timed_out;
        }
        co_return false;
    };
    EXPECT_TRUE(block_on(code()));
}

TEST(awaited_sender, that_is_stopped_unwinds_the_task_without_an_exception) {
    journal book;
    const auto inner = [&book]() -> task<> {
        const local guard(book, "inner");
        try {
            co_await coex::just_stopped();
        } catch (...) {
            book.write("caught");
        }
        book.write("went on");
    };
    const auto outer = [&]() -> task<> {
        const local guard(book, "outer");
        co_await inner();
        book.write("went on");
    };
    EXPECT_FALSE(sync_wait(outer()));
    EXPECT_EQ(book.lines(), (std::vector<std::string>{"inner", "outer"}));
}

TEST(awaited_sender, may_complete_later) {
    hand<int> by;
    const auto waits = [&by]() -> task<int> { co_return co_await handed<int>(by); };
    const auto gives = [&by]() -> task<> {
        by.give(4);
        co_return;
    };
    EXPECT_EQ(std::get<0>(block_on(coex::when_all(waits(), gives()))), 4);
}

TEST(awaited_sender, may_be_stopped_or_fail_later) {
    const auto waits = [](hand<>& by) -> task<> { co_await handed<>(by); };
    const auto does = [](auto what) -> task<> {
        what();
        co_return;
    };
    hand<> stopped;
    EXPECT_FALSE(sync_wait(coex::when_all(waits(stopped), does([&stopped] { stopped.stop(); }))));
    hand<> fails;
    EXPECT_THROW(block_on(coex::when_all(waits(fails), does([&fails] { fails.fail(failure("late")); }))),
                 std::runtime_error);
}

TEST(awaited_sender, has_the_stop_token_of_the_task) {
    coex::inplace_stop_source source;
    hand<> by;
    const auto waits = [&by]() -> task<> { co_await handed<>(by); };
    const auto stops = [&source]() -> task<> {
        source.request_stop();
        co_return;
    };
    EXPECT_FALSE(sync_wait(coex::when_all(waits(), stops()), source.get_token()));
    EXPECT_TRUE(by.stop_seen);
}

TEST(awaited_sender, knows_the_scheduler_of_the_task) {
    coex::static_thread_pool pool{coex::pool_options{.name = "knows", .threads = 1}};
    const auto root = [&pool]() -> task<> {
        EXPECT_NE(co_await coex::read_env(coex::get_scheduler), pool.get_scheduler());
        co_await pool.schedule();
        EXPECT_EQ(co_await coex::read_env(coex::get_scheduler), pool.get_scheduler());
        EXPECT_EQ(co_await coex::read_env(coex::get_start_scheduler), pool.get_scheduler());
    };
    block_on(root());
}

TEST(awaited_sender, resumes_the_task_where_it_was) {
    coex::static_thread_pool here{coex::pool_options{.name = "here", .threads = 2}};
    coex::static_thread_pool there{coex::pool_options{.name = "there", .threads = 1}};
    const auto elsewhere = there.get_scheduler();
    const auto root = [&]() -> task<> {
        co_await here.schedule();
        for (int i = 0; i < 100; ++i) {
            const bool was_there = co_await (coex::schedule(elsewhere) | coex::then([&there] { return is_on(there); }));
            EXPECT_TRUE(was_there);
            EXPECT_TRUE(is_on(here));
            co_await coex::starts_on(elsewhere, just());
            EXPECT_TRUE(is_on(here));
            co_await coex::on(elsewhere, just());
            EXPECT_TRUE(is_on(here));
            co_await (just() | coex::continues_on(elsewhere));
            EXPECT_TRUE(is_on(here));
        }
        co_await elsewhere.schedule();
        EXPECT_TRUE(is_on(there)) << "only schedule() itself moves the task";
    };
    block_on(root());
}

TEST(awaited_sender, that_completes_on_the_tasks_own_pool_lets_it_go_on_there) {
    coex::static_thread_pool pool{coex::pool_options{.name = "own", .threads = 2}};
    const auto root = [&]() -> task<int> {
        co_await pool.schedule();
        int sum = 0;
        for (int i = 0; i < 1'000; ++i)
            sum += co_await (coex::schedule(pool.get_scheduler()) | coex::then([] { return 1; }));
        EXPECT_TRUE(is_on(pool));
        co_return sum;
    };
    EXPECT_EQ(block_on(root()), 1'000);
}

TEST(awaited_sender, whose_value_cannot_be_kept_throws) {
    fragile object(0);
    const auto lend = just() | coex::then([&object]() noexcept -> fragile& { return object; });
    const auto root = [&lend]() -> task<> { static_cast<void>(co_await lend); };
    EXPECT_THROW(block_on(root()), std::runtime_error);
}

TEST(awaited_sender, that_cannot_be_connected_throws) {
    const auto copies = just(fragile(3));  // one copy, into the operation, and the moves on the way
    const auto root = [&copies]() -> task<> {
        for (int i = 0; i < 2; ++i) static_cast<void>(co_await copies);
    };
    EXPECT_THROW(block_on(root()), std::runtime_error);
}

TEST(awaited_sender, an_lvalue_is_copied_and_can_be_awaited_again) {
    const auto sender = just(std::string("again"));
    const auto root = [&sender]() -> task<std::string> { co_return co_await sender + co_await sender; };
    EXPECT_EQ(block_on(root()), "againagain");
}

// Completion on another thread races with the end of the start.
TEST(awaited_sender, resumes_once_whichever_thread_comes_first) {
    constexpr int rounds = 20'000;
    coex::static_thread_pool pool{coex::pool_options{.name = "race", .threads = 2}};
    std::atomic<int> ran{0};
    const auto root = [&]() -> task<int> {
        const auto hop = coex::schedule(pool.get_scheduler()) | coex::then([&ran] { ++ran; });
        for (int i = 0; i < rounds; ++i) co_await hop;
        co_return ran.load();
    };
    EXPECT_EQ(block_on(root()), rounds);
}

// --- the stack
// ----------------------------------------------------------------------------------------------------------

[[nodiscard]] COEX_NOINLINE std::uintptr_t stack_place() {
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

/// Completes inside start(), and says nothing of it.
class at_once {
public:
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(int), can_stop>;

    template <class Receiver>
    class operation {
    public:
        using operation_state_concept = coex::operation_state_tag;
        explicit operation(Receiver receiver) : receiver_(std::move(receiver)) {}
        void start() & noexcept { coex::set_value(std::move(receiver_), 1); }

    private:
        Receiver receiver_;
    };
    template <coex::receiver Receiver>
    [[nodiscard]] operation<Receiver> connect(Receiver receiver) const {
        return operation<Receiver>(std::move(receiver));
    }
};

template <class Sender>
task<std::uintptr_t> await_many(Sender sender) {
    constexpr int awaits = 3'000'000;
    const std::uintptr_t before = stack_place();
    int sum = 0;
    for (int i = 0; i < awaits; ++i) sum += co_await sender;
    EXPECT_EQ(sum, awaits);
    const std::uintptr_t after = stack_place();
    co_return before > after ? before - after : after - before;
}

TEST(awaited_sender, leaves_the_stack_flat_over_millions_of_awaits_that_complete_at_once) {
    EXPECT_EQ(block_on(await_many(just(1))), 0U);
    EXPECT_EQ(block_on(await_many(at_once())), 0U);
    EXPECT_EQ(block_on(await_many(at_once() | coex::then([](int x) { return x; }))), 0U);
}

TEST(awaited_sender, leaves_the_stack_flat_when_a_task_is_awaited_as_a_sender) {
    const auto one = []() -> task<int> { co_return 1; };
    const auto many = [&one]() -> task<int> {
        int sum = 0;
        for (int i = 0; i < 300'000; ++i) sum += co_await (one() | coex::then([](int x) { return x; }));
        co_return sum;
    };
    EXPECT_EQ(block_on(many()), 300'000);
}

}  // namespace
