#pragma once

#include <exec/io/operation.hpp>

namespace coex::inline v0::detail {

/// True for an open that waits, if its path is a named pipe, until somebody opens the other end.
[[nodiscard]] bool may_wait_for_partner(const io_request& request) noexcept;

/// True if the path of such an open is a named pipe. Looks it up, which may wait for a device.
[[nodiscard]] bool is_named_pipe(const io_request& request) noexcept;

/// Opens a named pipe as far as it goes without waiting. Returns the descriptor (a blocking one) or a negated errno;
/// -EAGAIN when nobody has the other end open, to be asked again: nothing tells when somebody has. An end for reading
/// then stays open in `request.waiting_end`, so that who opens the other end does not wait in turn.
[[nodiscard]] int open_if_partner(io_request& request) noexcept;

/// True if somebody has, or has had, the other end open since `reading_end`, a non-blocking one, was opened.
[[nodiscard]] bool has_partner(int reading_end) noexcept;

}  // namespace coex::inline v0::detail
