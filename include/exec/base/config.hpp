#pragma once

#include <cstddef>

/// Keeps a function out of its caller. Used where a compiler must not move what the function reads or writes into a
/// coroutine frame that another thread may already own.
#define COEX_NOINLINE __attribute__((noinline))

/// Puts a function into its caller, for the few places where a call would cost more than what is called.
#define COEX_ALWAYS_INLINE inline __attribute__((always_inline))

/// Lets a class with a destructor be passed and returned in registers. g++ has nothing of the kind.
#if defined(__clang__)
#define COEX_TRIVIAL_ABI [[clang::trivial_abi]]
#else
#define COEX_TRIVIAL_ABI
#endif

#if defined(__SANITIZE_ADDRESS__)
#define COEX_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COEX_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define COEX_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COEX_THREAD_SANITIZER 1
#endif
#endif
#ifndef COEX_THREAD_SANITIZER
#define COEX_THREAD_SANITIZER 0
#endif
#ifndef COEX_ADDRESS_SANITIZER
#define COEX_ADDRESS_SANITIZER 0
#endif

namespace coex::inline v0 {

/// Distance in bytes that keeps two variables of different writers from sharing a cache line, or a pair of lines that
/// the processor prefetches together.
inline constexpr std::size_t destructive_interference_bytes = 128;

}  // namespace coex::inline v0
