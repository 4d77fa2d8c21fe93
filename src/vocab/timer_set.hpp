#pragma once

#include "vocab/timer_heap.hpp"

#include <atomic>
#include <mutex>

namespace coex::inline v0::detail {

/// The armed timers of one execution context, shared by its threads: what `timer_service` promises, less the waiting.
///
/// Thread-safe: yes.
/// Lifetime:    `expired` runs under the lock, so when `empty()` returns true every earlier hand-over is complete.
class timer_set {
public:
    enum class arm_result { refused, armed, armed_earliest };

    [[nodiscard]] arm_result arm(timer_node& node);
    void cancel(timer_node& node) noexcept;

    /// Ends the timers whose deadline is not after `now`; returns how many.
    std::size_t expire(timer_clock::time_point now) noexcept;
    /// Ends all timers as stopped, and refuses those that come later.
    void close() noexcept;

    /// The earliest deadline, or `timer_clock::time_point::max()` when no timer is armed. No lock: may be stale.
    [[nodiscard]] timer_clock::time_point next_deadline() const noexcept {
        // seq_cst: a thread about to park must see a deadline armed before it announced itself (see pool/idle.md).
        return timer_clock::time_point(timer_clock::duration(next_.load()));
    }
    [[nodiscard]] bool empty() noexcept;

private:
    void publish_next() noexcept;
    void end(timer_node& node) noexcept;

    std::mutex mutex_;
    timer_heap heap_;      // OWNER: mutex_
    bool closed_ = false;  // OWNER: mutex_
    std::atomic<timer_clock::rep> next_{timer_clock::time_point::max().time_since_epoch().count()};
};

}  // namespace coex::inline v0::detail
