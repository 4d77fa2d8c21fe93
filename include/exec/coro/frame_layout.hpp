#pragma once

#include <exec/base/assert.hpp>

#include <coroutine>
#include <cstdint>

namespace coex::inline v0::detail {

// g++ 12 puts what a condition awaits in front of everything else in the frame of a coroutine that declares no
// variable. Then neither the promise nor who resumes finds the frame: it never runs, or runs wild.
#if defined(__GNUC__) && !defined(__clang__)
inline constexpr bool frames_may_be_misplaced = true;
#else
inline constexpr bool frames_may_be_misplaced = false;
#endif

/// Aborts when the handle that a promise finds is not the frame's: frames are aligned for every fundamental type, and
/// what was put in front moves them by a word. (Two words, by many such conditions, go unnoticed.)
inline void require_sound_frame(std::coroutine_handle<> coroutine) noexcept {
    if constexpr (frames_may_be_misplaced) {
        COEX_REQUIRE(
            reinterpret_cast<std::uintptr_t>(coroutine.address()) % __STDCPP_DEFAULT_NEW_ALIGNMENT__ == 0,
            "coroutine: g++ 12 breaks the frame of one that awaits in the condition of an if, while, for or "
            "switch and declares no variable; name the condition: `const bool more = co_await ...; if (more)`");
    }
}

}  // namespace coex::inline v0::detail
