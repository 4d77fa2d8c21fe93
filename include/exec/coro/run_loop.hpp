#pragma once

#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/scheduler.hpp>

#include <cstddef>

namespace coex::inline v0 {

/// An execution context driven by the thread that calls `run()`: the place of coroutines that no pool runs.
///
/// Thread-safe: `submit`, `finish`, `get_scheduler`, timers from any thread; `run` from one thread.
/// Lifetime:    destroy it only after `run()` has returned and nothing is on it any more.
class run_loop final : public execution_context {
public:
    run_loop();
    ~run_loop();

    [[nodiscard]] context_scheduler get_scheduler() noexcept { return context_scheduler(*this); }

    /// Runs what is submitted, in order, until `finish()` was called and everything submitted before has run.
    void run() noexcept;

    /// Lets `run()` return. After this call the loop may be destroyed by the thread in `run()`.
    void finish() noexcept;

    void submit(work_item* item) noexcept override;
    [[nodiscard]] timer_service& timers() noexcept override;

private:
    struct state;

    // The state lies here, not on the heap: whoever waits for a sender shall allocate nothing.
    static constexpr std::size_t state_bytes = 256;
    [[nodiscard]] state& own() noexcept;

    alignas(std::max_align_t) std::byte storage_[state_bytes];
};

}  // namespace coex::inline v0
