#pragma once

#include <exec/sync/waitable.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

namespace coex::inline v0 {

/// A flag that tasks and threads wait for: `co_await event`. Once set it lets everybody pass until it is reset.
///
/// Completes:   `co_await event` and `co_await event.when_set()` (a sender, for algorithms) when the event is set; at
///              once when it is already. What was done before `set()` is visible to those whom it let pass.
/// Errors:      std::bad_alloc from an await in a task that can be stopped.
/// Cancel:      by the stop token of the awaiting task, which unwinds; also when the event is set.
/// Thread-safe: yes.
/// Lifetime:    must outlive the waits for it. The thread in `set()` touches nothing of it once it is seen to be set,
///              so whoever was let through may destroy it.
/// Complexity:  one word of the frame of a waiting task, and one recycled block if the task can be stopped.
class manual_reset_event : detail::waitable {
public:
    explicit manual_reset_event(bool set = false) noexcept : waitable(set ? 1 : 0) {}

    [[nodiscard]] bool is_set() const noexcept { return units() != 0; }

    /// Lets all who wait pass, in the order in which they came, and all who come before the next `reset()`.
    void set() noexcept { let_all_pass(); }

    void reset() noexcept { take_back(); }

    [[nodiscard]] detail::wait_sender<manual_reset_event> when_set() noexcept {
        return detail::wait_sender<manual_reset_event>(*this);
    }
    [[nodiscard]] detail::wait_awaiter<manual_reset_event> operator co_await() noexcept {
        return detail::wait_awaiter<manual_reset_event>(*this);
    }

    /// Blocks the calling thread until the event is set. On a worker, its pool's other work is run meanwhile. Returns
    /// false when `token` was stopped first.
    bool wait(inplace_stop_token token = {}) noexcept {
        return try_pass() || detail::wait_on_thread(*this, &manual_reset_event::enter, token);
    }

private:
    friend class detail::wait_awaiter<manual_reset_event>;

    [[nodiscard]] bool try_pass() const noexcept { return is_set(); }
    [[nodiscard]] static entry enter(waitable& self, work_item& waiter) noexcept {
        return static_cast<manual_reset_event&>(self).pass_or_enter(waiter);
    }
};

}  // namespace coex::inline v0
