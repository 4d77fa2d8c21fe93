#pragma once

#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/sync/waiter_list.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace coex::inline v0::detail {

/// What coroutines and threads wait for: the base of events, mutex and semaphore.
///
/// **One word** [V1] holds all that fast paths look at: a lock bit, whether somebody waits, and above them what the
/// derived class counts. Fast paths exchange it only while the lock bit is clear; who has the lock writes it once more,
/// to unlock. So a change of the count and of the list is one step for all others, and the last thing that a thread
/// does to the object is a write that it makes visible: whoever sees the effect (the event set, the mutex free) may
/// destroy the object.
///
/// **Entering and leaving.** A waiter enters under the lock, after the count was found wanting under the same lock:
/// what comes later finds it in the list, so no wake-up is lost. It is taken out under the lock as well, either to be
/// told or because its stop was requested: exactly one of both happens. A stop that comes before the waiter has entered
/// leaves a mark, and it does not enter.
///
/// The lock is held for a few instructions, which call nothing: who finds it taken yields.
class waitable {
public:
    waitable(const waitable&) = delete;
    waitable& operator=(const waitable&) = delete;

    enum class entry : unsigned char { waits, passed, left };

    /// Takes a waiter that wants to leave out of the list. Returns false when it is being told, or has not entered.
    [[nodiscard]] bool remove(leaving_waiter& waiter) noexcept;

protected:
    static constexpr std::size_t locked = 1;
    static constexpr std::size_t waiting = 2;
    static constexpr std::size_t unit = 4;
    static constexpr std::size_t most_units = SIZE_MAX / unit;

    explicit waitable(std::size_t units) noexcept : state_(units * unit) {}
    ~waitable();

    [[nodiscard]] std::size_t units() const noexcept { return state_.load() / unit; }

    /// Changes the word from `seen`, or updates `seen`. Not while somebody has the lock.
    [[nodiscard]] bool exchange(std::size_t& seen, std::size_t changed) noexcept {
        return state_.compare_exchange_weak(seen, changed);
    }
    [[nodiscard]] std::size_t load() const noexcept { return state_.load(); }

    /// Returns the word without the lock bit.
    std::size_t lock() noexcept;
    /// Writes the word. LIFETIME: *this may be gone when this returns.
    void unlock(std::size_t units) noexcept;

    /// Takes a unit if there is one.
    [[nodiscard]] bool try_take() noexcept;
    /// Takes a unit, or enters `waiter`.
    [[nodiscard]] entry take_or_enter(work_item& waiter) noexcept;
    /// Passes when there is a unit, and leaves it; or enters `waiter`.
    [[nodiscard]] entry pass_or_enter(work_item& waiter) noexcept;
    /// Gives so many units to those who wait, the rest to the count. LIFETIME: *this may be gone when this returns.
    void give(std::size_t units) noexcept;
    /// The same for one unit, of which the count keeps at most one.
    void give_the_one() noexcept;
    /// Lets all who wait pass, and leaves one unit. LIFETIME: as give().
    void let_all_pass() noexcept;
    /// Takes all units back.
    void take_back() noexcept;

private:
    [[nodiscard]] entry enter_locked(work_item& waiter) noexcept;

    std::atomic<std::size_t> state_;
    waiter_list waiters_;  // OWNER: the lock bit
};

/// Waits in a coroutine for a waitable. One word: what is waited for, then the registration of a stop callback, which
/// is allocated only for a coroutine that can be stopped.
///
/// OWNER: the coroutine.
class waiting_coroutine {
public:
    waiting_coroutine(const waiting_coroutine&) = delete;
    waiting_coroutine& operator=(const waiting_coroutine&) = delete;

protected:
    using enter_function = waitable::entry(waitable&, work_item&) noexcept;

    explicit waiting_coroutine(waitable& what) noexcept : word_(reinterpret_cast<std::uintptr_t>(&what)) {}
    ~waiting_coroutine() { end(); }

    [[nodiscard]] waitable& target() const noexcept { return *reinterpret_cast<waitable*>(word_); }

    /// Returns true when the coroutine stays suspended, or is being unwound.
    ///
    /// Errors: std::bad_alloc, of a coroutine that can be stopped.
    [[nodiscard]] bool suspend(coroutine_base& coroutine, enter_function* enter);
    /// No call of the stop callback is in progress afterwards.
    void end() noexcept {
        if ((word_ & registered) != 0) [[unlikely]]
            end_registration();
    }

private:
    static constexpr std::uintptr_t registered = 1;
    class registration;

    [[nodiscard]] bool suspend_stoppable(coroutine_base& coroutine, enter_function* enter);
    void end_registration() noexcept;

    std::uintptr_t word_;
};

/// Blocks the calling thread, or on a worker works for its pool, until a waitable lets it through. Returns false when
/// `token` was stopped first.
[[nodiscard]] bool wait_on_thread(waitable& what, waitable::entry (*enter)(waitable&, work_item&) noexcept,
                                  inplace_stop_token token) noexcept;

/// Awaits a waitable of class `Target`, which has `try_pass()`, and `enter(waiter)`.
template <class Target>
class wait_awaiter : waiting_coroutine {
public:
    explicit wait_awaiter(Target& what) noexcept : waiting_coroutine(what) {}

    // Not ready, ever: a stop request ends a loop that never has to wait, too.
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        coroutine_base& base = coroutine.promise();
        if (!base.stop_token().stop_requested() && own().try_pass()) return false;
        return suspend(base, &Target::enter);
    }
    void await_resume() noexcept { end(); }

private:
    [[nodiscard]] Target& own() const noexcept { return static_cast<Target&>(target()); }
};

/// The same as a sender.
template <class Target>
class [[nodiscard]] wait_sender : public awaitable_sender<wait_sender<Target>> {
public:
    explicit wait_sender(Target& what) noexcept : target_(&what) {}
    [[nodiscard]] wait_awaiter<Target> operator co_await() && noexcept { return wait_awaiter<Target>(*target_); }

private:
    Target* target_;
};

}  // namespace coex::inline v0::detail
