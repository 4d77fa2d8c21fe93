#pragma once

#include <exec/base/assert.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/sync/waitable.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <utility>

namespace coex::inline v0 {

class async_mutex;

/// Unlocks an `async_mutex` when it goes. Move-only; empty after it was moved from.
class [[nodiscard]] async_lock {
public:
    async_lock() noexcept = default;
    /// Takes over a mutex that is locked.
    explicit async_lock(async_mutex& locked) noexcept : mutex_(&locked) {}
    async_lock(async_lock&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    async_lock& operator=(async_lock&& other) noexcept {
        async_lock(std::move(other)).swap(*this);
        return *this;
    }
    ~async_lock() { unlock(); }

    void swap(async_lock& other) noexcept { std::swap(mutex_, other.mutex_); }
    /// True while it holds a mutex.
    [[nodiscard]] bool owns_lock() const noexcept { return mutex_ != nullptr; }
    [[nodiscard]] explicit operator bool() const noexcept { return owns_lock(); }
    /// Earlier than its destructor would.
    inline void unlock() noexcept;

private:
    async_mutex* mutex_ = nullptr;
};

namespace detail {

class scoped_lock_awaiter : wait_awaiter<async_mutex> {
public:
    explicit scoped_lock_awaiter(async_mutex& mutex) noexcept : wait_awaiter(mutex), mutex_(&mutex) {}

    using wait_awaiter::await_ready;
    using wait_awaiter::await_suspend;
    [[nodiscard]] async_lock await_resume() noexcept {
        wait_awaiter::await_resume();
        return async_lock(*mutex_);
    }

private:
    async_mutex* mutex_;
};

class [[nodiscard]] scoped_lock_sender : public awaitable_sender<scoped_lock_sender> {
public:
    explicit scoped_lock_sender(async_mutex& mutex) noexcept : mutex_(&mutex) {}
    [[nodiscard]] scoped_lock_awaiter operator co_await() && noexcept { return scoped_lock_awaiter(*mutex_); }

private:
    async_mutex* mutex_;
};

}  // namespace detail

/// Mutual exclusion of tasks, which may await while they hold it: it belongs to no thread.
///
/// Completes:   `auto lock = co_await mutex.scoped_lock()` (a sender, too) with the mutex locked until `lock` goes;
///              `co_await mutex.lock()` until `mutex.unlock()`. First come, first served: nobody overtakes those who
///              wait, `try_lock` neither.
/// Errors:      std::bad_alloc from an await in a task that can be stopped.
/// Cancel:      by the stop token of the awaiting task, which unwinds without the mutex, also when it is free. A task
///              that was given the mutex before the stop goes on, and has it.
/// Thread-safe: yes. Not recursive. For short sections that await nothing a std::mutex is cheaper.
/// Lifetime:    must outlive the waits for it. The thread in `unlock()` touches nothing of it once its effect is seen.
/// Complexity:  a few words of the frame of a waiting task, and one recycled block if the task can be stopped.
class async_mutex : detail::waitable {
public:
    async_mutex() noexcept : waitable(1) {}

    [[nodiscard]] detail::wait_sender<async_mutex> lock() noexcept { return detail::wait_sender<async_mutex>(*this); }
    [[nodiscard]] detail::scoped_lock_sender scoped_lock() noexcept { return detail::scoped_lock_sender(*this); }

    [[nodiscard]] bool try_lock() noexcept { return try_take(); }
    /// Empty when somebody has the mutex.
    [[nodiscard]] async_lock try_scoped_lock() noexcept { return try_take() ? async_lock(*this) : async_lock(); }

    /// Blocks the calling thread until it has the mutex. On a worker, its pool's other work is run meanwhile: which
    /// must not wait for what this thread already holds. Returns false, without the mutex, when `token` was stopped
    /// first.
    bool wait_lock(inplace_stop_token token = {}) noexcept {
        return try_take() || detail::wait_on_thread(*this, &async_mutex::enter, token);
    }

    /// By anybody, for the one who has locked it. The one that has waited longest has it then.
    void unlock() noexcept {
        COEX_REQUIRE(units() == 0, "async_mutex: unlocked, but nobody has locked it");
        give(1);
    }

private:
    friend class detail::wait_awaiter<async_mutex>;

    [[nodiscard]] bool try_pass() noexcept { return try_take(); }
    [[nodiscard]] static entry enter(waitable& self, work_item& waiter) noexcept {
        return static_cast<async_mutex&>(self).take_or_enter(waiter);
    }
};

inline void async_lock::unlock() noexcept {
    if (mutex_ != nullptr) std::exchange(mutex_, nullptr)->unlock();
}

}  // namespace coex::inline v0
