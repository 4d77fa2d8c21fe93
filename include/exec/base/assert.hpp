#pragma once

namespace coex::inline v0::detail {

/// Prints `message` with the place and aborts. Called by the macros below only.
[[noreturn]] void fail_requirement(const char* condition, const char* message, const char* file, int line) noexcept;

}  // namespace coex::inline v0::detail

/// Aborts with `message` when `condition` is false. For preconditions that a caller broke: always checked.
#define COEX_REQUIRE(condition, message) \
    ((condition) ? static_cast<void>(0) : ::coex::detail::fail_requirement(#condition, (message), __FILE__, __LINE__))

/// The same for coex's own invariants: checked in builds without NDEBUG.
#ifdef NDEBUG
#define COEX_ASSERT(condition, message) static_cast<void>(0)
#else
#define COEX_ASSERT(condition, message) COEX_REQUIRE(condition, message)
#endif
