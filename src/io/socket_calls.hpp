#pragma once

#include <exec/io/operation.hpp>

namespace coex::inline v0::detail {

/// Carries out a request that waits for readiness, as far as it goes without waiting. Returns what a ring would, or
/// -EAGAIN when it has to wait: until the descriptor has one of the events of `readiness_of()`. Of a whole transfer
/// what was done is noted in the request.
[[nodiscard]] int call_if_ready(io_request& request) noexcept;

/// POLLIN, POLLOUT, or what a poll asks for.
[[nodiscard]] unsigned readiness_of(const io_request& request) noexcept;

}  // namespace coex::inline v0::detail
