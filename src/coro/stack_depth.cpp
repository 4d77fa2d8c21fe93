#include <exec/base/config.hpp>
#include <exec/coro/coroutine_base.hpp>

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace coex::inline v0::detail {
namespace {

// What must be left for the code that a task calls by itself.
constexpr std::size_t largest_reserve_bytes = std::size_t{512} * 1024;

// ThreadSanitizer keeps a stack of its own, of 65,536 calls, and crashes beyond: use less of the real one under it.
constexpr std::size_t most_used_bytes =
    COEX_THREAD_SANITIZER ? std::size_t{1024} * 1024 : std::numeric_limits<std::size_t>::max();

std::uintptr_t find_limit() noexcept {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
    void* lowest = nullptr;
    std::size_t size = 0;
    const int failed = pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    if (failed != 0) return 0;
    return stack_limit_within(reinterpret_cast<std::uintptr_t>(lowest), size);
}

constexpr std::uintptr_t unknown = std::numeric_limits<std::uintptr_t>::max();

}  // namespace

constinit thread_local std::uintptr_t stack_limit = unknown;

std::uintptr_t stack_limit_within(std::uintptr_t lowest, std::size_t bytes) noexcept {
    const std::size_t used = std::min(bytes - std::min(largest_reserve_bytes, bytes / 2), most_used_bytes);
    return lowest + bytes - used;
}

COEX_NOINLINE bool stack_is_really_deep() noexcept {
    if (stack_limit == unknown) stack_limit = find_limit();
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < stack_limit;
}

}  // namespace coex::inline v0::detail
