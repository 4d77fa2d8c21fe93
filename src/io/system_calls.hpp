#pragma once

#include <exec/io/operation.hpp>

#include <atomic>

namespace coex::inline v0::detail {

/// Carries the request out by system calls that don't wait for a device: reads of cached data, opens of cached paths,
/// status of cached inodes. Returns the kernel's answer (a negated errno on error), or -EAGAIN when it would have to
/// wait.
[[nodiscard]] int call_without_waiting(io_request& request) noexcept;

/// Carries the request out, waiting as long as it takes.
[[nodiscard]] int call_and_wait(const io_request& request) noexcept;

/// To be called when the calling thread has completed an operation at once. True after a run of such completions: then
/// the coroutine should let others run, as one that only reads cached data would never suspend otherwise.
[[nodiscard]] bool is_turn_over() noexcept;

/// Lets tests send every operation down the long road, whatever is cached.
inline std::atomic<bool> at_once_enabled{true};

}  // namespace coex::inline v0::detail
