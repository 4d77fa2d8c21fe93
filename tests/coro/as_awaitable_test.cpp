#include <exec/coro/as_awaitable.hpp>
#include <exec/coro/with_awaitable_senders.hpp>

#include "coro/manual_context.hpp"

#include <exec/coro/task.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/read_env.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>

#include <gtest/gtest.h>

#include <coroutine>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace {

using namespace coex_test;

/// A user's own coroutine type: eager, it starts with the call, and keeps what happens to it.
class foreign {
public:
    struct promise_type : coex::with_awaitable_senders<promise_type> {
        foreign get_return_object() { return foreign(std::coroutine_handle<promise_type>::from_promise(*this)); }
        static std::suspend_never initial_suspend() noexcept { return {}; }
        static std::suspend_always final_suspend() noexcept { return {}; }
        void return_value(int given) noexcept { value = given; }
        void unhandled_exception() noexcept { error = std::current_exception(); }
        [[nodiscard]] std::coroutine_handle<> unhandled_stopped() noexcept {
            stopped = true;
            return std::noop_coroutine();
        }
        [[nodiscard]] auto get_env() const noexcept {
            return coex::prop(coex::get_scheduler, coex::context_scheduler(*place));
        }

        coex::execution_context* place = current_place;
        std::optional<int> value;
        std::exception_ptr error;
        bool stopped = false;
    };

    explicit foreign(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}
    foreign(foreign&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    foreign& operator=(foreign&&) = delete;
    ~foreign() {
        if (coroutine_) coroutine_.destroy();
    }
    [[nodiscard]] promise_type& operator*() const noexcept { return coroutine_.promise(); }

    static inline coex::execution_context* current_place = nullptr;

private:
    std::coroutine_handle<promise_type> coroutine_;
};

/// Completes at once with what it holds.
template <class Tag, class... Values>
class ready {
public:
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<Tag(Values...)>;

    explicit ready(Tag, Values... values) : values_(std::move(values)...) {}

    template <class Receiver>
    class operation {
    public:
        using operation_state_concept = coex::operation_state_tag;
        operation(std::tuple<Values...> values, Receiver receiver)
            : values_(std::move(values)), receiver_(std::move(receiver)) {}
        void start() & noexcept {
            std::apply([this](auto&... each) { Tag()(std::move(receiver_), std::move(each)...); }, values_);
        }

    private:
        std::tuple<Values...> values_;
        Receiver receiver_;
    };
    template <coex::receiver Receiver>
    operation<Receiver> connect(Receiver receiver) const {
        return {values_, std::move(receiver)};
    }

private:
    std::tuple<Values...> values_;
};

TEST(with_awaitable_senders, a_coroutine_of_ones_own_gets_the_values_of_a_sender) {
    const auto run = []() -> foreign {
        co_await ready(coex::set_value);
        const int one = co_await ready(coex::set_value, 1);
        const auto [two, text] = co_await ready(coex::set_value, 2, std::string("x"));
        co_return text == "x" ? one + 10 * two : -1;
    };
    EXPECT_EQ((*run()).value, 21);
}

TEST(with_awaitable_senders, an_error_is_thrown) {
    const auto run = []() -> foreign {
        try {
            co_await ready(coex::set_error, 7);
        } catch (int error) {
            co_return error;
        }
        co_return 0;
    };
    EXPECT_EQ((*run()).value, 7);
}

TEST(with_awaitable_senders, a_stopped_sender_does_not_resume_the_coroutine) {
    const auto run = []() -> foreign {
        co_await ready(coex::set_stopped);
        co_return 1;
    };
    const foreign coroutine = run();
    EXPECT_TRUE((*coroutine).stopped);
    EXPECT_FALSE((*coroutine).value);
}

TEST(with_awaitable_senders, it_resumes_where_the_sender_completes) {
    manual_context place;
    const auto run = [](coex::context_scheduler scheduler) -> foreign {
        co_await coex::schedule(scheduler);
        co_return 5;
    };
    const foreign coroutine = run(coex::context_scheduler(place));
    EXPECT_FALSE((*coroutine).value);
    place.run_all();
    EXPECT_EQ((*coroutine).value, 5);
}

coex::task<int> hops(coex::context_scheduler to) {
    co_await coex::schedule(to);
    co_return 3;
}

TEST(with_awaitable_senders, a_coex_task_is_awaited_with_the_scheduler_of_the_promise) {
    manual_context place;
    manual_context other;
    foreign::current_place = &place;
    const auto run = [](coex::context_scheduler to) -> foreign { co_return co_await hops(to); };
    const foreign coroutine = run(coex::context_scheduler(other));
    other.run_all();
    place.run_all();
    EXPECT_EQ((*coroutine).value, 3);
    foreign::current_place = nullptr;
}

TEST(with_awaitable_senders, what_can_be_awaited_by_itself_is) {
    const auto run = []() -> foreign {
        co_await std::suspend_never();
        co_return 2;
    };
    EXPECT_EQ((*run()).value, 2);
}

struct has_its_own {
    template <class Promise>
    [[nodiscard]] std::suspend_never as_awaitable(Promise&) const noexcept {
        return {};
    }
};

TEST(as_awaitable, asks_the_object_first) {
    const auto run = []() -> foreign {
        co_await has_its_own();
        co_return 4;
    };
    EXPECT_EQ((*run()).value, 4);
}

TEST(with_awaitable_senders, a_million_senders_that_complete_at_once_keep_the_stack_flat) {
    const auto run = []() -> foreign {
        int sum = 0;
        for (int i = 0; i < 1'000'000; ++i) sum += co_await ready(coex::set_value, 1);
        co_return sum;
    };
    EXPECT_EQ((*run()).value, 1'000'000);
}

/// A lazy one, awaited by another: the stop goes from one to the next.
class lazy {
public:
    struct promise_type : coex::with_awaitable_senders<promise_type> {
        lazy get_return_object() { return lazy(std::coroutine_handle<promise_type>::from_promise(*this)); }
        static std::suspend_always initial_suspend() noexcept { return {}; }
        static std::suspend_always final_suspend() noexcept { return {}; }
        static void return_void() noexcept {}
        static void unhandled_exception() noexcept { std::terminate(); }
    };
    explicit lazy(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}
    lazy(const lazy&) = delete;
    lazy& operator=(const lazy&) = delete;
    ~lazy() { coroutine_.destroy(); }

    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <class Promise>
    [[nodiscard]] std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) noexcept {
        coroutine_.promise().set_continuation(parent);
        EXPECT_EQ(coroutine_.promise().continuation(), std::coroutine_handle<>(parent));
        return coroutine_;
    }
    static void await_resume() noexcept {}

private:
    std::coroutine_handle<promise_type> coroutine_;
};

lazy stops() {
    co_await ready(coex::set_stopped);
}

TEST(with_awaitable_senders, a_stop_continues_what_the_waiting_coroutine_says) {
    const auto run = []() -> foreign {
        auto child = stops();
        co_await child;
        co_return 1;
    };
    const foreign coroutine = run();
    EXPECT_TRUE((*coroutine).stopped);
    EXPECT_FALSE((*coroutine).value);
}

}  // namespace
