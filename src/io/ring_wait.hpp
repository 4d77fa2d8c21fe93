#pragma once

#include <liburing.h>

namespace coex::inline v0::detail {

/// Submits what is prepared, and sleeps in the kernel until a completion is there, `longest` is over (null: without a
/// limit) or a signal has come, all by one system call. When not everything was accepted it does not sleep; the rest is
/// left in the ring. Where the kernel can (Linux 6.15), such a sleep does not count as waiting for a device: otherwise
/// a server that waits for its clients shows as "iowait" of up to 100 %.
void submit_and_wait(io_uring& ring, const __kernel_timespec* longest) noexcept;

}  // namespace coex::inline v0::detail
