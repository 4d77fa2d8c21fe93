#pragma once

namespace coex::inline v0::detail {

/// Lets the other thread of a core go ahead, and power rest, for some nanoseconds.
inline void pause_once() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Between two looks for work. PERF: bench hop; seldom enough to leave the memory alone, often enough to see work
/// within 0.1 us.
inline void pause_briefly() noexcept {
    constexpr unsigned pauses = 4;
    for (unsigned i = 0; i < pauses; ++i) pause_once();
}

}  // namespace coex::inline v0::detail
