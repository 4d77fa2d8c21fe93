#pragma once

#include <exec/base/std_chrono.hpp>
#include <exec/vocab/timer.hpp>

namespace coex::inline v0::detail {

/// The same duration for the timers' clock, not shorter. One that the clock cannot express is as good as no end, and
/// one before now as good as none.
template <class Rep, class Period>
[[nodiscard]] constexpr timer_clock::duration clock_duration(std::chrono::duration<Rep, Period> duration) noexcept {
    if (duration <= std::chrono::duration<Rep, Period>::zero()) return timer_clock::duration::zero();
    if (std::chrono::duration<long double>(duration) >=
        std::chrono::duration<long double>(timer_clock::duration::max())) {
        return timer_clock::duration::max();
    }
    return std::chrono::ceil<timer_clock::duration>(duration);
}

/// The same moment, not earlier. One that the clock cannot express is as good as never, or as the beginning of time.
template <class Duration>
[[nodiscard]] constexpr timer_clock::time_point clock_time(
    std::chrono::time_point<timer_clock, Duration> moment) noexcept {
    using seconds = std::chrono::duration<long double>;
    const seconds since_epoch(moment.time_since_epoch());
    if (since_epoch >= seconds(timer_clock::duration::max())) return timer_clock::time_point::max();
    if (since_epoch <= seconds(timer_clock::duration::min())) return timer_clock::time_point::min();
    return timer_clock::time_point(std::chrono::ceil<timer_clock::duration>(moment.time_since_epoch()));
}

/// The end of a duration that begins now. Beyond the end of time means: never.
[[nodiscard]] inline timer_clock::time_point deadline_after(timer_service& service,
                                                            timer_clock::duration duration) noexcept {
    const auto now = service.now();
    return duration < timer_clock::time_point::max() - now ? now + duration : timer_clock::time_point::max();
}

}  // namespace coex::inline v0::detail
