#include "pool/futex_parker.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

namespace coex::inline v0::detail {
namespace {

constexpr std::uint32_t empty = 0;
constexpr std::uint32_t parked = 1;
constexpr std::uint32_t notified = 2;

}  // namespace

void futex_parker::park(timer_clock::time_point deadline) noexcept {
    std::uint32_t expected = empty;
    if (!state_.compare_exchange_strong(expected, parked)) {
        state_.exchange(empty);
        return;
    }
    timespec until{};
    const bool bounded = deadline != timer_clock::time_point::max();
    if (bounded) {
        const auto since_boot = std::chrono::ceil<std::chrono::nanoseconds>(deadline.time_since_epoch());
        until.tv_sec = static_cast<time_t>(since_boot.count() / 1'000'000'000);
        until.tv_nsec = static_cast<long>(since_boot.count() % 1'000'000'000);
    }
    // FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, which is what steady_clock counts.
    syscall(SYS_futex, &state_, FUTEX_WAIT_BITSET_PRIVATE, parked, bounded ? &until : nullptr, nullptr,
            FUTEX_BITSET_MATCH_ANY);
    // An exchange, not a store: what the waker did before unpark() is visible from here on.
    state_.exchange(empty);
}

void futex_parker::unpark() noexcept {
    if (state_.exchange(notified) == parked) {
        syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
}

}  // namespace coex::inline v0::detail
