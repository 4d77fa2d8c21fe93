#pragma once

#include <exec/io/operation.hpp>

namespace coex::inline v0::detail {

/// True for what reads and writes: with an offset, unlike those of sockets.
[[nodiscard]] constexpr bool is_transfer(io_opcode opcode) noexcept {
    return opcode == io_opcode::read || opcode == io_opcode::read_blocks || opcode == io_opcode::write ||
           opcode == io_opcode::write_blocks;
}

/// False when the transfer's descriptor is a file, a directory, a disk, or none: what is never waited for by readiness.
[[nodiscard]] bool may_be_pollable(const io_request& request) noexcept;

/// True for a transfer at the descriptor's own position that may wait in the call though it was told not to: of
/// terminals, other character devices, and inotify descriptors. io_uring looks whether such a descriptor is ready and
/// then makes the call, which waits if somebody else was quicker, on the thread that submits: a worker.
[[nodiscard]] bool waits_in_call(const io_request& request) noexcept;

/// Carries out a transfer from or to a pipe, a terminal, an eventfd or the like, as far as it goes without waiting,
/// though the descriptor itself is a blocking one (which is nobody's to change: other processes may share it).
///
/// Returns the kernel's answer; -EAGAIN when it would have to wait until the descriptor is ready; -EOPNOTSUPP when it
/// cannot be told from here, so that a thread has to make the call which may wait if somebody else is quicker.
///
/// Of the ways to do it, the first that the kernel knows for this descriptor:
///   1. RWF_NOWAIT: eventfds, signalfds and sockets; pipes from Linux 6.5 on.
///   2. The plain call, where the descriptor is a non-blocking one already.
///   3. Named pipes, and pipes on older kernels: the plain call on a description of its own, opened non-blocking
///      through /proc/self/fd, and closed again at once so that the pipe's other end still learns of the end of this.
///      It needs /proc and the permission to open the pipe.
/// Terminals and inotify descriptors have none of these, and opening the controlling side of a terminal anew would
/// make a new terminal.
[[nodiscard]] int transfer_if_ready(const io_request& request) noexcept;

}  // namespace coex::inline v0::detail
