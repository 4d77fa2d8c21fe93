#pragma once

#include <exec/sync/waitable.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

namespace coex::inline v0 {

/// A flag that lets one task or thread pass each time it is set: `co_await event`.
///
/// Completes:   `co_await event` and `co_await event.when_set()` (a sender, for algorithms) when a `set()` is given to
///              it; at once when the event is set. What was done before that `set()` is visible to it.
/// Errors:      std::bad_alloc from an await in a task that can be stopped.
/// Cancel:      by the stop token of the awaiting task, which unwinds, also when the event is set; the next one gets
///              the set that it waited for. One that was let through before the stop goes on.
/// Thread-safe: yes.
/// Lifetime:    must outlive the waits for it. The thread in `set()` touches nothing of it once its effect is seen.
/// Complexity:  one word of the frame of a waiting task, and one recycled block if the task can be stopped.
class auto_reset_event : detail::waitable {
public:
    explicit auto_reset_event(bool set = false) noexcept : waitable(set ? 1 : 0) {}

    [[nodiscard]] bool is_set() const noexcept { return units() != 0; }

    /// Lets the one pass that has waited longest; without any, the next that comes. Sets do not add up.
    void set() noexcept { give_the_one(); }

    void reset() noexcept { take_back(); }

    [[nodiscard]] detail::wait_sender<auto_reset_event> when_set() noexcept {
        return detail::wait_sender<auto_reset_event>(*this);
    }
    [[nodiscard]] detail::wait_awaiter<auto_reset_event> operator co_await() noexcept {
        return detail::wait_awaiter<auto_reset_event>(*this);
    }

    /// Blocks the calling thread until it gets a set. On a worker, its pool's other work is run meanwhile. Returns
    /// false when `token` was stopped first.
    bool wait(inplace_stop_token token = {}) noexcept {
        return try_pass() || detail::wait_on_thread(*this, &auto_reset_event::enter, token);
    }

private:
    friend class detail::wait_awaiter<auto_reset_event>;

    [[nodiscard]] bool try_pass() noexcept { return try_take(); }
    [[nodiscard]] static entry enter(waitable& self, work_item& waiter) noexcept {
        return static_cast<auto_reset_event&>(self).take_or_enter(waiter);
    }
};

}  // namespace coex::inline v0
