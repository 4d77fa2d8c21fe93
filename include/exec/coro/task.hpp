#pragma once

#include <exec/base/recycling.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task_result.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

template <class T>
class task;

namespace detail {

template <class T>
class task_promise;

/// Waits in a parent coroutine for a child task.
///
/// **The meeting** [C1]. The detached child's last act and the parent's decision to stay suspended each exchange
/// `meeting_`. The second to arrive continues the parent; so it is continued exactly once, and sees all that the child
/// wrote.
class task_waiter : public completion {
public:
    explicit task_waiter(std::coroutine_handle<> child) noexcept
        : completion(&task_waiter::on_child_ended), child_(child) {}

protected:
    ~task_waiter() {
        if (child_) child_.destroy();
    }

    /// Starts the child inside `parent`. Returns true when the parent stays suspended.
    [[nodiscard]] bool wait(coroutine_base& child, coroutine_base& parent) noexcept;

private:
    enum class meeting : unsigned char { nobody, parent_waits, child_ended };

    static coroutine_base* on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept;
    void destroy_child() noexcept { std::exchange(child_, nullptr).destroy(); }

    std::coroutine_handle<> child_;
    coroutine_base* parent_ = nullptr;
    std::atomic<meeting> meeting_{meeting::nobody};
};

template <class T>
class task_awaiter : task_waiter {
public:
    explicit task_awaiter(std::coroutine_handle<task_promise<T>> child) noexcept
        : task_waiter(child), promise_(child.promise()) {}

    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) noexcept {
        return wait(promise_, parent.promise());
    }
    T await_resume() { return promise_.take(); }

private:
    task_promise<T>& promise_;
};

template <class T>
class task_promise final : public coroutine_base, public task_result<T> {
public:
    task_promise() noexcept : coroutine_base(&task_promise::own_handle) {}

    [[nodiscard]] task<T> get_return_object() noexcept;
    [[nodiscard]] static std::suspend_always initial_suspend() noexcept { return {}; }
    [[nodiscard]] auto final_suspend() noexcept {
        struct final_awaiter {
            static bool await_ready() noexcept { return false; }
            static std::coroutine_handle<> await_suspend(std::coroutine_handle<task_promise> self) noexcept {
                task_promise& promise = self.promise();
                return promise.end(promise.failed() ? outcome::error : outcome::value);
            }
            static void await_resume() noexcept {}
        };
        return final_awaiter{};
    }

    template <class Awaited>
    [[nodiscard]] auto await_transform(Awaited&& awaited) {
        return make_awaiter(std::forward<Awaited>(awaited), *this);
    }

    static void* operator new(std::size_t bytes) { return recycling_allocate(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept { recycling_deallocate(frame, bytes); }

private:
    static std::coroutine_handle<> own_handle(coroutine_base& base) noexcept {
        return std::coroutine_handle<task_promise>::from_promise(static_cast<task_promise&>(base));
    }
};

}  // namespace detail

/// A coroutine that gives a `T` (or throws) to the one who awaits it. Lazy: it starts when it is awaited.
///
/// *Where it runs.* It starts where its awaiter is and resumes where it was, whatever it awaits. Only awaiting a
/// `schedule()` moves it, and only itself: `co_await child()` leaves the parent where it was even if the child moved.
///
/// Errors:      an exception that leaves the body is rethrown to the awaiter.
/// Cancel:      a task has the stop token of its awaiter (`co_await read_env(get_stop_token)`). A stop request cancels
/// what it
///              awaits; then the task and its awaiters unwind: destructors run, no exception is thrown, nothing is
///              caught.
/// Thread-safe: no; one awaiter, once.
/// Lifetime:    destroying a task that was not awaited destroys its arguments. References passed to the coroutine must
///              outlive it: a lambda's captures die with the lambda, not with the task that it returned.
/// Complexity:  one frame from recycled memory. Awaiting a task that completes at once is a plain call.
template <class T = void>
class [[nodiscard]] task : public detail::awaitable_sender<task<T>> {
public:
    using promise_type = detail::task_promise<T>;
    using value_type = T;

    task(task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        task(std::move(other)).swap(*this);
        return *this;
    }
    ~task() {
        if (coroutine_) coroutine_.destroy();
    }

    /// False after the task was moved from or awaited.
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(coroutine_); }

    void swap(task& other) noexcept { std::swap(coroutine_, other.coroutine_); }

    /// `co_await std::move(t)`: a task can be awaited once.
    [[nodiscard]] detail::task_awaiter<T> operator co_await() && noexcept { return detail::task_awaiter<T>(release()); }

    /// For those who run tasks: hands over the suspended coroutine, which the caller now owns.
    [[nodiscard]] std::coroutine_handle<promise_type> release() noexcept {
        COEX_REQUIRE(coroutine_, "task: awaited twice, or after it was moved from; a task can be awaited once");
        return std::exchange(coroutine_, nullptr);
    }

private:
    friend promise_type;
    explicit task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

    std::coroutine_handle<promise_type> coroutine_;
};

template <class T>
task<T> detail::task_promise<T>::get_return_object() noexcept {
    return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}

}  // namespace coex::inline v0
