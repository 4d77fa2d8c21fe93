#include <exec/coro/awaitable_sender.hpp>

#include "algo/support.hpp"
#include "coro/manual_context.hpp"
#include "coro/support.hpp"

#include <exec/algo/let.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace coex_test;
using coex::sync_wait;
using coex::task;
using std::chrono::hours;
using std::chrono::milliseconds;

static_assert(coex::sender<task<int>> && coex::sender<task<>> && coex::sender<task<int&>>);
static_assert(completes_with<task<int>, coex::set_value_t(int), can_throw, can_stop>);
static_assert(completes_with<task<int&>, coex::set_value_t(int&), can_throw, can_stop>);
static_assert(completes_with<task<>, coex::set_value_t(), can_throw, can_stop>);
static_assert(completes_with<decltype(coex::when_all(std::declval<task<int>>(), std::declval<task<>>(),
                                                     std::declval<task<char>>())),
                             coex::set_value_t(int, char), can_throw, can_stop>,
              "one value for each result");
static_assert(completes_with<decltype(coex::sleep_for(milliseconds(1))), coex::set_value_t(), can_throw, can_stop>);
static_assert(completes_with<decltype(std::declval<coex::static_thread_pool&>().submit([] { return 1; })),
                             coex::set_value_t(int), can_throw, can_stop>);
static_assert(coex::sender_to<task<int>, recorder<coex::prop<coex::get_scheduler_t, coex::context_scheduler>, int>>);
static_assert(!coex::sender_to<task<int>&, recorder<coex::prop<coex::get_scheduler_t, coex::context_scheduler>, int>>,
              "a task is connected once");

// What operation_frame rests on: a handle made of the promise points to the two function pointers before it.
TEST(operation_frame, lies_in_memory_as_the_compilers_frames_do) {
    static int resumed = 0;
    coex::detail::operation_frame frame([](void*) noexcept { ++resumed; }, nullptr);
    const auto handle = std::coroutine_handle<coex::detail::operation_promise>::from_promise(frame.promise);
    EXPECT_EQ(handle.address(), &frame);
    EXPECT_EQ(&handle.promise(), &frame.promise);
    EXPECT_EQ(&coex::detail::operation_frame::of(frame.promise), &frame);
    EXPECT_FALSE(handle.done());
    handle.resume();
    EXPECT_EQ(resumed, 1);
    std::coroutine_handle<>(handle).resume();
    EXPECT_EQ(resumed, 2);
}

struct task_sender : testing::Test {
    manual_context place;
    coex::context_scheduler here{place};
    coex::inplace_stop_source source;
    auto environment() {
        return coex::env(coex::prop(coex::get_start_scheduler, here),
                         coex::prop(coex::get_stop_token, source.get_token()));
    }
};

task<int> give(int value) {
    co_return value;
}
task<int> give_later(int value) {
    co_await coex::sleep_for(milliseconds(1));
    co_return value;
}

TEST_F(task_sender, completes_with_the_result) {
    EXPECT_EQ(std::get<0>(*run_in<int>(give(3), environment()).values), 3);
    const auto nothing = []() -> task<> { co_return; };
    EXPECT_EQ(run_in<>(nothing(), environment()).how, "value");
    const auto only_moves = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
    auto moved = run_in<std::unique_ptr<int>>(only_moves(), environment());
    EXPECT_EQ(*std::get<0>(*moved.values), 4);
    int object = 0;
    const auto refers = [&object]() -> task<int&> { co_return object; };
    EXPECT_EQ(&std::get<0>(*run_in<int&>(refers(), environment()).values), &object);
}

TEST_F(task_sender, starts_when_it_is_started) {
    bool started = false;
    const auto work = [&started]() -> task<> {
        started = true;
        co_return;
    };
    auto operation = connected_in<>(work(), environment());
    EXPECT_FALSE(started);
    operation.start();
    EXPECT_TRUE(started);
}

TEST_F(task_sender, completes_later) {
    auto operation = connected_in<int>(give_later(3), environment());
    operation.start();
    EXPECT_EQ(operation.result.how, "");
    place.advance(milliseconds(1));
    EXPECT_EQ(std::get<0>(*operation.result.values), 3);
    EXPECT_EQ(operation.result.completions, 1);
}

TEST_F(task_sender, completes_with_the_exception) {
    const auto fails = []() -> task<int> {
        throw std::runtime_error("no");
        co_return 1;
    };
    EXPECT_EQ(run_in<int>(fails(), environment()).error, "no");
    const auto fails_later = []() -> task<int> {
        co_await coex::sleep_for(milliseconds(1));
        throw std::runtime_error("later");
    };
    auto operation = connected_in<int>(fails_later(), environment());
    operation.start();
    place.advance(milliseconds(1));
    EXPECT_EQ(operation.result.error, "later");
}

TEST_F(task_sender, is_stopped_by_the_receivers_token) {
    bool unwound = false;
    const auto waits = [&unwound]() -> task<> {
        struct note {
            bool& flag;
            ~note() { flag = true; }
        } const guard{unwound};
        co_await coex::sleep_for(hours(1));
    };
    auto operation = connected_in<>(waits(), environment());
    operation.start();
    source.request_stop();
    place.run_all();
    EXPECT_EQ(operation.result.how, "stopped");
    EXPECT_TRUE(unwound) << "its frame is gone before the receiver learns of it";
}

TEST_F(task_sender, is_stopped_when_the_request_came_before) {
    source.request_stop();
    const auto waits = []() -> task<> { co_await coex::sleep_for(hours(1)); };
    auto operation = connected_in<>(waits(), environment());
    operation.start();
    place.run_all();
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST_F(task_sender, that_does_not_look_at_the_token_is_not_stopped) {
    source.request_stop();
    EXPECT_EQ(run_in<int>(give(3), environment()).how, "value");
}

TEST_F(task_sender, that_is_never_started_destroys_its_arguments) {
    const int before = counted::live;
    {
        const auto work = [](counted one) -> task<int> { co_return one.value; };
        const auto operation = connected_in<int>(work(counted(1)), environment());
        EXPECT_EQ(counted::live, before + 1);
    }
    EXPECT_EQ(counted::live, before);
}

TEST_F(task_sender, has_the_environments_scheduler_and_token) {
    const auto asks = [this]() -> task<bool> {
        const auto where = co_await coex::read_env(coex::get_scheduler);
        const auto token = co_await coex::read_env(coex::get_stop_token);
        co_return where == here&& token.stop_possible();
    };
    EXPECT_TRUE(std::get<0>(*run_in<bool>(asks(), environment()).values));
    const auto unstoppable = []() -> task<bool> {
        co_return (co_await coex::read_env(coex::get_stop_token)).stop_possible();
    };
    EXPECT_FALSE(std::get<0>(*run_in<bool>(unstoppable(), coex::prop(coex::get_scheduler, here)).values));
}

TEST_F(task_sender, that_hops_completes_where_it_was_started) {
    manual_context elsewhere;
    const coex::context_scheduler there(elsewhere);
    const auto hops = [there]() -> task<int> {
        co_await coex::schedule(there);
        co_return 1;
    };
    auto operation = connected_in<int>(hops(), environment());
    operation.start();
    EXPECT_EQ(elsewhere.run_all(), 1);
    EXPECT_EQ(operation.result.how, "") << "it has ended, but elsewhere";
    EXPECT_EQ(place.run_all(), 1);
    EXPECT_EQ(std::get<0>(*operation.result.values), 1);
}

TEST_F(task_sender, says_that_it_completes_where_it_was_started) {
    const auto work = give(1);
    EXPECT_EQ(coex::get_completion_scheduler<coex::set_value_t>(coex::get_env(work), environment()), here);
}

/// A token of another make, as other libraries have.
class foreign_token {
public:
    bool operator==(const foreign_token&) const noexcept = default;

    template <class Callback>
    class callback {
    public:
        template <class Initializer>
        callback(foreign_token token, Initializer&& initializer)
            : inner_(token.token_, std::forward<Initializer>(initializer)) {}

    private:
        coex::inplace_stop_callback<Callback> inner_;
    };
    template <class Callback>
    using callback_type = callback<Callback>;

    explicit foreign_token(coex::inplace_stop_token token) noexcept : token_(token) {}
    [[nodiscard]] bool stop_requested() const noexcept { return token_.stop_requested(); }
    [[nodiscard]] bool stop_possible() const noexcept { return token_.stop_possible(); }

private:
    coex::inplace_stop_token token_;
};
static_assert(coex::stoppable_token<foreign_token>);

TEST_F(task_sender, is_stopped_by_a_token_of_another_make) {
    const auto waits = []() -> task<> { co_await coex::sleep_for(hours(1)); };
    auto operation =
        connected_in<>(waits(), coex::env(coex::prop(coex::get_start_scheduler, here),
                                          coex::prop(coex::get_stop_token, foreign_token(source.get_token()))));
    operation.start();
    source.request_stop();
    place.run_all();
    EXPECT_EQ(operation.result.how, "stopped");
}

TEST_F(task_sender, a_failure_to_begin_to_wait_is_an_error) {
    place.set_arming(manual_context::arming::throws);
    EXPECT_EQ(run_in<>(coex::sleep_for(milliseconds(1)), environment()).how, "error");
}

TEST(operation_sender, sleeps_submissions_and_when_all_compose) {
    coex::static_thread_pool pool{coex::pool_options{.name = "compose", .threads = 2}};
    EXPECT_EQ(sync_wait(coex::sleep_for(milliseconds(1)) | coex::then([] { return 1; })), std::tuple(1));
    EXPECT_EQ(sync_wait(pool.submit([] { return 2; }) | coex::then([](int x) { return x + 1; })), std::tuple(3));
    auto sum = coex::when_all(give(1), give_later(2)) | coex::then([](int a, int b) { return a + b; });
    EXPECT_EQ(sync_wait(std::move(sum)), std::tuple(3));
    std::vector<task<int>> many;
    for (int i = 0; i < 10; ++i) many.push_back(give(i));
    auto last = coex::when_all(std::move(many)) | coex::then([](const std::vector<int>& all) { return all.back(); });
    EXPECT_EQ(sync_wait(std::move(last)), std::tuple(9));
}

TEST(operation_sender, tasks_nest_in_senders_and_senders_in_tasks) {
    coex::static_thread_pool pool{coex::pool_options{.name = "nest", .threads = 2}};
    const auto there = pool.get_scheduler();
    const std::function<task<int>(int)> nest = [&](int depth) -> task<int> {
        if (depth == 0) co_return 0;
        co_return co_await (coex::starts_on(there, nest(depth - 1)) |
                            coex::let_value([&](int& below) { return give(below + 1); }));
    };
    EXPECT_EQ(sync_wait(nest(200)), std::tuple(200));
}

TEST(operation_sender, may_be_stopped_at_any_moment) {
    constexpr int rounds = 2'000;
    coex::static_thread_pool pool{coex::pool_options{.name = "any", .threads = 2}};
    const auto there = pool.get_scheduler();
    const auto work = [&](int round) -> task<> {
        if (round % 3 == 0) co_await pool.schedule();
        co_await coex::sleep_for(std::chrono::microseconds(round % 50));
    };
    for (int round = 0; round < rounds; ++round) {
        coex::inplace_stop_source source;
        const auto stopper = coex::schedule(there) | coex::then([&source] { source.request_stop(); });
        const auto stops = [&]() -> task<> { co_await stopper; };
        static_cast<void>(sync_wait(coex::when_all(work(round), stops()) | coex::then([] {}), source.get_token()));
    }
}

}  // namespace
