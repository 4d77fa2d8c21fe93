#pragma once

#include <exec/base/std_chrono.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/vocab/clock_duration.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/timer.hpp>

#include <concepts>
#include <coroutine>

namespace coex::inline v0 {
namespace detail {

/// Waits in a coroutine for a deadline, with the timers of the place where the coroutine is.
class sleep_awaiter : timer_node, late_stop_callback {
public:
    explicit sleep_awaiter(timer_clock::duration duration) noexcept
        : sleep_awaiter(timer_clock::time_point(duration), meaning::since_start) {}
    explicit sleep_awaiter(timer_clock::time_point until) noexcept : sleep_awaiter(until, meaning::moment) {}

    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        return start(coroutine.promise());
    }
    void await_resume() noexcept { release(); }

private:
    /// What `deadline` says until the awaiter starts.
    enum class meaning : bool { moment, since_start };

    sleep_awaiter(timer_clock::time_point until, meaning meant) noexcept
        : timer_node(&sleep_awaiter::on_end), late_stop_callback(&sleep_awaiter::on_stop), meaning_(meant) {
        deadline = until;
    }

    [[nodiscard]] bool start(coroutine_base& coroutine);
    static void on_end(timer_node* node) noexcept;
    static void on_stop(stop_callback_base* callback) noexcept;

    meaning meaning_;
    coroutine_base* coroutine_ = nullptr;
};

template <class When>
class [[nodiscard]] sleep_sender : public awaitable_sender<sleep_sender<When>> {
public:
    explicit sleep_sender(When when) noexcept : when_(when) {}
    [[nodiscard]] sleep_awaiter operator co_await() && noexcept { return sleep_awaiter(when_); }

private:
    When when_;
};

}  // namespace detail

/// Waits for at least `duration`, holding no thread.
///
/// Cancel: by the stop token of the awaiting task; at once. Also when the pool on which the task is shuts down.
/// Errors: std::bad_alloc.
template <class Rep, class Period>
[[nodiscard]] auto sleep_for(std::chrono::duration<Rep, Period> duration) noexcept {
    return detail::sleep_sender(detail::clock_duration(duration));
}

/// Waits until `deadline`, holding no thread.
[[nodiscard]] inline auto sleep_until(timer_clock::time_point deadline) noexcept {
    return detail::sleep_sender(deadline);
}

}  // namespace coex::inline v0
