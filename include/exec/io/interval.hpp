#pragma once

#include <exec/io/timer.hpp>

#include <exec/base/assert.hpp>

namespace coex::inline v0 {

/// Ticks at a fixed rate: `interval every(10ms); for (;;) { co_await every.tick(); work(); }` works 100 times a second,
/// however long the work takes.
///
/// Ticks that were missed, as the work took longer, are left out: the next one is that of the grid that lies ahead.
///
/// Thread-safe: no; one task uses it.
class interval {
public:
    /// The first tick is one period after `begin`. The period must be positive.
    explicit interval(timer_clock::duration period, timer_clock::time_point begin = timer_clock::now())
        : period_(period), previous_(begin) {
        COEX_REQUIRE(period > timer_clock::duration::zero(), "interval: the period must be positive");
    }

    /// Waits for the next tick. Cancel: by the stop token of the awaiting task; that tick is then over.
    [[nodiscard]] auto tick() noexcept {
        previous_ = next_tick(timer_clock::now());
        return sleep_until(previous_);
    }

    /// When the next tick after `moment` is due, if there were no earlier one to wait for.
    [[nodiscard]] timer_clock::time_point next_tick(timer_clock::time_point moment) const noexcept {
        const auto missed = moment < previous_ ? 0 : (moment - previous_) / period_;
        return previous_ + period_ * (missed + 1);
    }

private:
    timer_clock::duration period_;
    timer_clock::time_point previous_;
};

}  // namespace coex::inline v0
