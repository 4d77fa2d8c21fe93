#pragma once

#include <exec/base/assert.hpp>
#include <exec/sync/waitable.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <cstddef>

namespace coex::inline v0 {

/// A number of permits that tasks and threads take and give back: bounds how many are at something at the same time.
///
/// Completes:   `co_await semaphore.acquire()` (a sender, too) with a permit taken: at once when there is one,
///              otherwise when it is given one. First come, first served: nobody overtakes those who wait,
///              `try_acquire` neither.
/// Errors:      std::bad_alloc from an await in a task that can be stopped.
/// Cancel:      by the stop token of the awaiting task, which unwinds without a permit, also when there is one. A task
///              that was given a permit before the stop goes on, and has it.
/// Thread-safe: yes; a permit may be given back by anybody.
/// Lifetime:    must outlive the waits for it. The thread in `release()` touches nothing of it once its effect is seen.
/// Complexity:  one word of the frame of a waiting task, and one recycled block if the task can be stopped; no
///              allocation otherwise.
class semaphore : detail::waitable {
public:
    static constexpr std::size_t max = most_units;

    explicit semaphore(std::size_t permits) noexcept : waitable(checked(permits)) {}

    [[nodiscard]] detail::wait_sender<semaphore> acquire() noexcept { return detail::wait_sender<semaphore>(*this); }

    [[nodiscard]] bool try_acquire() noexcept { return try_take(); }

    /// Blocks the calling thread until it has a permit. On a worker, its pool's other work is run meanwhile. Returns
    /// false, without a permit, when `token` was stopped first.
    bool wait_acquire(inplace_stop_token token = {}) noexcept {
        return try_take() || detail::wait_on_thread(*this, &semaphore::enter, token);
    }

    /// Gives permits back, or adds new ones.
    void release(std::size_t permits = 1) noexcept {
        if (permits > 0) give(checked(permits));
    }

    /// How many permits are free at the moment.
    [[nodiscard]] std::size_t available() const noexcept { return units(); }

private:
    friend class detail::wait_awaiter<semaphore>;

    [[nodiscard]] static std::size_t checked(std::size_t permits) noexcept {
        COEX_REQUIRE(permits <= max, "semaphore: more permits than semaphore::max; is the number negative?");
        return permits;
    }
    [[nodiscard]] bool try_pass() noexcept { return try_take(); }
    [[nodiscard]] static entry enter(waitable& self, work_item& waiter) noexcept {
        return static_cast<semaphore&>(self).take_or_enter(waiter);
    }
};

}  // namespace coex::inline v0
