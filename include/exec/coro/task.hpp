#pragma once

#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/recycling.hpp>
#include <exec/base/std_allocator.hpp>
#include <exec/coro/allocated_frame.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/frame_layout.hpp>
#include <exec/coro/result_completion.hpp>
#include <exec/coro/with_error.hpp>
#include <exec/vocab/as_exception.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

template <class T = void, class Environment = env<>>
class task;  // with an Environment: <exec/coro/environment_task.hpp>

namespace detail {

/// Waits in a parent coroutine for a child task.
///
/// **The meeting** [C1]. The detached child's last act and the parent's decision to stay suspended each exchange
/// `meeting_`. The second to arrive continues the parent; so it is continued exactly once, and sees all that the child
/// wrote.
class task_waiter : public completion::waiter {
public:
    task_waiter(const task_waiter&) = delete;
    task_waiter& operator=(const task_waiter&) = delete;

protected:
    task_waiter(std::coroutine_handle<> child, coroutine_base* parent) noexcept
        : waiter(&task_waiter::on_child_ended), child_(child), parent_(parent) {}
    ~task_waiter() {
        if (child_) child_.destroy();
    }

    static coroutine_base* on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept;

    /// Starts the child inside the parent. Returns true when it has ended with a value or an error.
    [[nodiscard]] bool start(coroutine_base& child, completion& own) noexcept {
        const outcome ended = child.start_inline(parent_->context(), parent_->stop_token(), own);
        if (ended != outcome::value && ended != outcome::error) return false;
        child_ = nullptr;
        return true;
    }

    /// After a start that returned false. Returns true when the parent stays suspended, or is being unwound.
    [[nodiscard]] bool wait(completion& own) noexcept;

    [[nodiscard]] coroutine_base* parent() const noexcept { return parent_; }
    void set_parent(coroutine_base& parent) noexcept { parent_ = &parent; }

private:
    enum class meeting : unsigned char { nobody, parent_waits, child_ended };

    void destroy_child() noexcept { std::exchange(child_, nullptr).destroy(); }

    std::coroutine_handle<> child_;
    coroutine_base* parent_;
    std::atomic<meeting> meeting_{meeting::nobody};
};

template <class T>
class task_awaiter : result_completion<T>, task_waiter {
public:
    template <std::derived_from<coroutine_base> Promise>
    explicit task_awaiter(std::coroutine_handle<Promise> child, coroutine_base* parent = nullptr) noexcept
        : result_completion<T>(static_cast<task_waiter&>(*this)),
          task_waiter(child, parent),
          promise_(child.promise()) {}

    // The child starts here, not in await_suspend: a parent whose child ends at once never suspends.
    [[nodiscard]] bool await_ready() noexcept { return parent() != nullptr && start(promise_, *this); }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        if (parent() == nullptr) {
            set_parent(coroutine.promise());
            if (start(promise_, *this)) return false;
        }
        return wait(*this);
    }
    T await_resume() { return this->take(); }
#if !COEX_HAS_EXCEPTIONS
    /// The error with which the task ended, or null. With exceptions, who sends it on catches it from await_resume().
    [[nodiscard]] std::exception_ptr* failure() noexcept {
        return this->known_ending() == outcome::error ? &this->held_error() : nullptr;
    }
#endif

private:
    coroutine_base& promise_;
};

/// What a task's promise does with the result: it leaves it with the waiter.
template <class T>
class result_promise : public coroutine_base {
public:
    template <class Value = T>
        requires constructs_result<T, Value>
    void return_value(Value&& value) noexcept(std::is_nothrow_constructible_v<result_in_place<T>, Value>) {
        outcome& how = this->ending();
        target().emplace(std::forward<Value>(value));
        how = outcome::value;
    }
    void unhandled_exception() noexcept { fail(std::current_exception()); }

protected:
    void fail(std::exception_ptr error) noexcept { target().fail(std::move(error), this->ending()); }

private:
    [[nodiscard]] result_completion<T>& target() const noexcept {
        return static_cast<result_completion<T>&>(this->waiter());
    }
};

template <>
class result_promise<void> : public coroutine_base {
public:
    void return_void() noexcept { ending() = outcome::value; }
    void unhandled_exception() noexcept { fail(std::current_exception()); }

protected:
    void fail(std::exception_ptr error) noexcept {
        static_cast<result_completion<void>&>(waiter()).fail(std::move(error), ending());
    }
};

/// Ends the coroutine that yields it, whose result is already with its waiter.
class end_awaiter {
public:
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
        return self.promise().end_here();
    }
    static void await_resume() noexcept {}
};

/// What the promises of all coroutines have in common that wait for others and give a `T`.
template <class T>
class waiting_promise : public result_promise<T> {
public:
    class final_awaiter {
    public:
        explicit final_awaiter(bool detached) noexcept : detached_(detached) {}
        [[nodiscard]] bool await_ready() const noexcept { return __builtin_expect(!detached_, true); }
        template <std::derived_from<waiting_promise> Promise>
        static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
            return static_cast<waiting_promise&>(self.promise()).end_detached();
        }
        static void await_resume() noexcept {}

    private:
        bool detached_;
    };
    [[nodiscard]] final_awaiter final_suspend() noexcept { return final_awaiter(this->is_detached()); }

    template <class Awaited>
    [[nodiscard]] auto await_transform(Awaited&& awaited) {
        if constexpr (requires { std::forward<Awaited>(awaited).awaiter_in(*this); }) {
            return std::forward<Awaited>(awaited).awaiter_in(*this);
        } else {
            return make_awaiter(std::forward<Awaited>(awaited), *this);
        }
    }

    static void* operator new(std::size_t bytes) { return recycling_allocate(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept { recycling_deallocate(frame, bytes); }
};

template <class T>
class task_promise final : public waiting_promise<T>, public allocated_frame<std::allocator<std::byte>> {
public:
    using allocated_frame::operator new;
    using allocated_frame::operator delete;

    [[nodiscard]] task<T> get_return_object() noexcept;
    [[nodiscard]] static std::suspend_always initial_suspend() noexcept { return {}; }

    template <class Error>
    [[nodiscard]] end_awaiter yield_value(with_error<Error> given) noexcept {
        this->fail(as_exception(std::move(given.error)));
        return {};
    }
};

}  // namespace detail

/// A coroutine that gives a `T` (or throws) to the one who awaits it. Lazy: it starts when it is awaited.
///
/// *Where it runs.* It starts where its awaiter is and resumes where it was, whatever it awaits. Only awaiting a
/// `schedule()` moves it, and only itself: `co_await child()` leaves the parent where it was even if the child moved.
///
/// Errors:      an exception that leaves the body is rethrown to the awaiter; `co_yield with_error(e)` ends the body
///              with an error that it does not throw.
/// Cancel:      a task has the stop token of its awaiter (`co_await read_env(get_stop_token)`). A stop request cancels
///              what it awaits; then the task and its awaiters unwind: destructors run, no exception is thrown, nothing
///              is caught.
/// Thread-safe: no; one awaiter, once.
/// Lifetime:    destroying a task that was not awaited destroys its arguments. References passed to the coroutine must
///              outlive it: a lambda's captures die with the lambda, not with the task that it returned.
/// Complexity:  one frame from recycled memory. Awaiting a task that completes at once is a plain call.
///
/// This is `task<T>`, without an Environment; <exec/coro/environment_task.hpp> has the other ones.
template <class T>
class [[nodiscard]] COEX_TRIVIAL_ABI task<T, env<>> : public detail::awaitable_sender<task<T>> {
public:
    using promise_type = detail::task_promise<T>;
    using value_type = T;
    using allocator_type = std::allocator<std::byte>;
    using start_scheduler_type = context_scheduler;
    using scheduler_type = context_scheduler;
    using stop_source_type = inplace_stop_source;
    using stop_token_type = inplace_stop_token;
    using error_types = completion_signatures<set_error_t(std::exception_ptr)>;

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

    /// The awaiter for a parent that is known already.
    [[nodiscard]] detail::task_awaiter<T> awaiter_in(coroutine_base& parent) && noexcept {
        return detail::task_awaiter<T>(release(), &parent);
    }

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
    static_assert(alignof(task_promise) == alignof(coroutine_base), "the handle is found from the base's address");
    require_sound_frame(this->handle());
    return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}

}  // namespace coex::inline v0
