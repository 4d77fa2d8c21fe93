#pragma once

#include <chrono>
#include <cstdint>

namespace granularity {

/// Computes: a number of steps, of which each needs the result of the one before.
inline void spin(std::uint64_t steps) noexcept {
    std::uint64_t value = steps;
    for (std::uint64_t i = 0; i < steps; ++i) {
        value = value * 6364136223846793005U + 1442695040888963407U;
#if defined(__GNUC__)
        asm volatile("" : "+r"(value));  // keeps the compiler from finding a formula
#endif
    }
}

/// How many steps take that long on this machine, at least one.
[[nodiscard]] std::uint64_t steps_of(std::chrono::nanoseconds length);

/// The time that so many tasks of `steps` steps take on plain threads, each with an even share.
[[nodiscard]] std::chrono::nanoseconds time_on_threads(std::size_t tasks, std::uint64_t steps, unsigned threads);

}  // namespace granularity
