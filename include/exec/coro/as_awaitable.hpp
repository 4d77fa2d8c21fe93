#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/coro/sender_awaiter.hpp>
#include <exec/coro/start_meeting.hpp>
#include <exec/coro/task_result.hpp>
#include <exec/vocab/as_exception.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class Awaiter, class Promise>
concept awaiter_in = requires(Awaiter& awaiter, std::coroutine_handle<Promise> handle) {
    { awaiter.await_ready() } -> std::convertible_to<bool>;
    awaiter.await_suspend(handle);
    awaiter.await_resume();
};

/// What a coroutine with such a promise can await by itself.
template <class T, class Promise>
concept awaits_in = requires(T&& awaited) {
    { std::forward<T>(awaited).operator co_await() } -> awaiter_in<Promise>;
} || requires(T&& awaited) {
    { operator co_await(std::forward<T>(awaited)) } -> awaiter_in<Promise>;
} || awaiter_in<T, Promise>;

/// Promises that say what happens to a coroutine that is stopped.
template <class Promise>
concept takes_stopped = requires(Promise& promise) {
    { promise.unhandled_stopped() } -> std::convertible_to<std::coroutine_handle<>>;
};

/// Awaits a sender in a coroutine of any kind. It resumes where the sender completes.
template <class Sender, class Promise>
class foreign_awaiter : start_meeting {
    using signatures = decltype(get_completion_signatures<Sender, env_of_t<Promise&>>());
    static_assert(
        are_signatures<signatures>,
        "coex: as_awaitable: it is not known how this sender completes in the environment of the coroutine's promise: "
        "give the sender completion_signatures, or the promise a get_env() that answers what the sender asks");
    static_assert(count_of<set_value_t, signatures> <= 1,
                  "coex: as_awaitable: this sender can complete with different kinds of values, so co_await has no one "
                  "type to give; await into_variant(sender) instead");
    using value = typename awaited_value<signatures>::type;

    class receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit receiver(foreign_awaiter& awaiter) noexcept : awaiter_(&awaiter) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            awaiter_->keep(std::forward<Values>(values)...);
            awaiter_->complete();
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            awaiter_->result_.fail(as_exception(std::forward<Error>(error)));
            awaiter_->complete();
        }
        void set_stopped() && noexcept {
            awaiter_->is_stopped_ = true;
            awaiter_->complete();
        }
        [[nodiscard]] env_of_t<Promise&> get_env() const noexcept { return coex::get_env(*awaiter_->promise_); }

    private:
        foreign_awaiter* awaiter_;
    };

public:
    foreign_awaiter(Sender&& sender, Promise& promise)
        : promise_(&promise), operation_(connect(std::forward<Sender>(sender), receiver(*this))) {}

    // Started in here, so that what completes at once needs no transfer from the coroutine to itself: without
    // optimisation, and with sanitizers, g++ 12 makes each one a call, and a loop would use up the stack. Whoever
    // completes it on another thread meanwhile comes first to the meeting, and leaves the rest to await_suspend().
    [[nodiscard]] bool await_ready() noexcept {
        begin();
        start(operation_);
        return completed_at_once() && !is_stopped_;
    }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise>) noexcept {
        // LIFETIME: unless it has completed, the coroutine may be running, or gone, with this awaiter in its frame.
        if (!started()) return std::noop_coroutine();
        return next();
    }
    value await_resume() { return result_.take(); }

private:
    void complete() noexcept {
        if (completed()) next().resume();
    }
    [[nodiscard]] std::coroutine_handle<> next() noexcept {
        if (is_stopped_) return promise_->unhandled_stopped();
        return std::coroutine_handle<Promise>::from_promise(*promise_);
    }

    template <class... Values>
    void keep(Values&&... values) noexcept {
        if constexpr (!std::is_void_v<value>) {
            COEX_TRY {
                result_.emplace(std::forward<Values>(values)...);
            }
            COEX_CATCH(...) {
                result_.unhandled_exception();
            }
        }
    }

    Promise* promise_;
    task_result<value> result_;
    bool is_stopped_ = false;
    connect_result_t<Sender, receiver> operation_;
};

}  // namespace detail

/// What a coroutine with such a promise awaits for `awaited`: for its `await_transform`. As C++26
/// `std::execution::as_awaitable`: what the object's member `as_awaitable(promise)` gives; or the object itself, when
/// it can be awaited; or an awaiter that connects it, when it is a sender. That one gives the value, or a tuple of the
/// values; it throws an error; when the sender was stopped it does not resume the coroutine, but continues what
/// `promise.unhandled_stopped()` returns.
inline constexpr struct as_awaitable_t {
    template <class T, class Promise>
    [[nodiscard]] decltype(auto) operator()(T&& awaited, Promise& promise) const {
        if constexpr (requires { std::forward<T>(awaited).as_awaitable(promise); }) {
            return std::forward<T>(awaited).as_awaitable(promise);
        } else if constexpr (detail::awaits_in<T, Promise>) {
            return std::forward<T>(awaited);
        } else if constexpr (sender<T> && detail::takes_stopped<Promise>) {
            return detail::foreign_awaiter<T, Promise>(std::forward<T>(awaited), promise);
        } else {
            static_assert(!sender<T>,
                          "coex: as_awaitable: a sender may be stopped, and this coroutine's promise does not say what "
                          "then happens; derive it from coex::with_awaitable_senders<Promise>, or give it an "
                          "unhandled_stopped() that returns the coroutine to continue");
            return std::forward<T>(awaited);
        }
    }
} as_awaitable{};

}  // namespace coex::inline v0
