#pragma once

#include <exec/vocab/priority.hpp>

#include <cstddef>

namespace coex::inline v0 {

struct work_item;
class timer_service;

/// A place where work runs: a thread pool, a run loop, a simulation. All that a coroutine knows of where it is.
///
/// Lifetime: must outlive the work submitted to it and the coroutines that are on it.
class execution_context {
public:
    execution_context() = default;
    execution_context(const execution_context&) = delete;
    execution_context& operator=(const execution_context&) = delete;

    /// Runs `item` on a thread of this context, later: never inside this call.
    ///
    /// Thread-safe: yes. Infallible: allocates nothing.
    virtual void submit(work_item* item) noexcept = 0;

    /// The timers of the coroutines that are on this context.
    [[nodiscard]] virtual timer_service& timers() noexcept = 0;

    /// How many items it can run at the same time: threads. For those who divide work among them.
    [[nodiscard]] virtual std::size_t concurrency() const noexcept { return 1; }

    /// Tells whether two contexts are the same threads, in different roles: then they return the same.
    [[nodiscard]] virtual const execution_context& threads() const noexcept { return *this; }

    /// The priority of what is submitted here, among what runs on the same threads.
    [[nodiscard]] virtual priority level() const noexcept { return priority::normal; }

protected:
    ~execution_context() = default;
};

}  // namespace coex::inline v0
