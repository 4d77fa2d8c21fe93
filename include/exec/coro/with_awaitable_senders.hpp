#pragma once

#include <exec/coro/as_awaitable.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// Awaits through an awaiter that lives elsewhere, as long as the await lasts. g++ 12 would copy one that
/// await_transform returns by reference.
template <class Awaiter>
class awaiter_reference {
public:
    explicit awaiter_reference(Awaiter& awaiter) noexcept : awaiter_(&awaiter) {}
    [[nodiscard]] bool await_ready() noexcept(noexcept(std::declval<Awaiter&>().await_ready())) {
        return static_cast<bool>(awaiter_->await_ready());
    }
    template <class Promise>
    auto await_suspend(std::coroutine_handle<Promise> coroutine) noexcept(
        noexcept(std::declval<Awaiter&>().await_suspend(coroutine))) {
        return awaiter_->await_suspend(coroutine);
    }
    decltype(auto) await_resume() noexcept(noexcept(std::declval<Awaiter&>().await_resume())) {
        return awaiter_->await_resume();
    }

private:
    Awaiter* awaiter_;
};

}  // namespace detail

/// Lets the coroutines of a promise of one's own await senders: `struct promise_type :
/// with_awaitable_senders<promise_type> { ... };`. As C++26 `std::execution::with_awaitable_senders`.
///
/// The coroutine type tells it who waits by `set_continuation`. When an awaited sender was stopped, the coroutine is
/// not resumed: who waits for it is asked by its `unhandled_stopped()` what to continue. One that has none, or nobody
/// at all, is std::terminate.
///
/// A promise that adds a `get_env()` gives what it awaits an environment: coex tasks need its get_scheduler.
template <class Promise>
    requires std::is_class_v<Promise> && std::same_as<Promise, std::remove_cv_t<Promise>>
class with_awaitable_senders {
public:
    template <class Other>
    void set_continuation(std::coroutine_handle<Other> continuation) noexcept {
        static_assert(!std::is_void_v<Other>,
                      "coex: with_awaitable_senders: give set_continuation the handle with its promise type, which is "
                      "asked what to do when this coroutine is stopped");
        continuation_ = continuation;
        if constexpr (detail::takes_stopped<Other>) {
            on_stopped_ = [](void* frame) noexcept -> std::coroutine_handle<> {
                return std::coroutine_handle<Other>::from_address(frame).promise().unhandled_stopped();
            };
        } else {
            on_stopped_ = &with_awaitable_senders::nobody_takes_it;
        }
    }

    [[nodiscard]] std::coroutine_handle<> continuation() const noexcept { return continuation_; }

    [[nodiscard]] std::coroutine_handle<> unhandled_stopped() noexcept { return on_stopped_(continuation_.address()); }

    template <class T>
    [[nodiscard]] decltype(auto) await_transform(T&& awaited) {
        using transformed = decltype(as_awaitable(std::forward<T>(awaited), static_cast<Promise&>(*this)));
        if constexpr (std::is_reference_v<transformed> && detail::awaiter_in<transformed, Promise>) {
            transformed awaiter = as_awaitable(std::forward<T>(awaited), static_cast<Promise&>(*this));
            return detail::awaiter_reference<std::remove_reference_t<transformed>>(awaiter);
        } else {
            return as_awaitable(std::forward<T>(awaited), static_cast<Promise&>(*this));
        }
    }

protected:
    with_awaitable_senders() = default;
    ~with_awaitable_senders() = default;

private:
    [[noreturn]] static std::coroutine_handle<> nobody_takes_it(void*) noexcept { std::terminate(); }

    std::coroutine_handle<> continuation_;
    std::coroutine_handle<> (*on_stopped_)(void*) noexcept = &with_awaitable_senders::nobody_takes_it;
};

}  // namespace coex::inline v0
