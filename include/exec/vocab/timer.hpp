#pragma once

#include <exec/base/std_chrono.hpp>

#include <cstdint>

namespace coex::inline v0 {

/// The clock of all time-outs and timers. Read it through `timer_service::now()`, which a simulation replaces.
using timer_clock = std::chrono::steady_clock;

/// An armed deadline: part of the operation that waits for it.
///
/// Lifetime: must stay where it is from `arm()` until `expired` was called or `cancel()` returned true.
struct timer_node {
    using expired_function = void(timer_node*) noexcept;

    explicit timer_node(expired_function* function) noexcept : expired(function) {}
    timer_node(const timer_node&) = delete;
    timer_node& operator=(const timer_node&) = delete;

    static constexpr std::uint32_t not_armed = static_cast<std::uint32_t>(-1);

    timer_clock::time_point deadline{};
    expired_function* expired;           // called under the service's lock: hand over, don't compute
    std::uint32_t position = not_armed;  // OWNER: the service's lock; index in its heap
    bool stopped = false;                // OWNER: the service's lock; the wait was cancelled before its deadline

protected:
    ~timer_node() = default;
};

/// The timers of an execution context.
///
/// Thread-safe: yes.
class timer_service {
public:
    [[nodiscard]] virtual timer_clock::time_point now() noexcept = 0;

    /// Calls `node.expired` once, at `node.deadline` or a little later, from a thread of the context, or with
    /// `node.stopped` set when the context shuts down. Returns false, and never calls it, when `cancel(node)` came
    /// first.
    ///
    /// Errors: std::bad_alloc; the timer is then not armed.
    [[nodiscard]] virtual bool arm(timer_node& node) = 0;

    /// Makes an armed timer end now: sets `node.stopped` and calls `node.expired`. A timer that has expired is left
    /// alone; one that is not armed yet will be refused by `arm()`.
    virtual void cancel(timer_node& node) noexcept = 0;

protected:
    ~timer_service() = default;
};

}  // namespace coex::inline v0
