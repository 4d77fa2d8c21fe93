#include "io/ring_entry.hpp"

#include "io/named_pipes.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

namespace coex::inline v0::detail {
namespace {

// What the kernel transfers at most by one call.
unsigned bounded(std::size_t length) noexcept {
    constexpr std::size_t most = 0x7ffff000;
    return static_cast<unsigned>(std::min(length, most));
}

// A named pipe that is open for reading does not tell when somebody opens it for writing, until he writes.
__kernel_timespec until_next_look{0, 5'000'000};

void fill_for_socket(io_uring_sqe* entry, const io_request& request) noexcept {
    // The kernel goes on by itself after a part of a whole transfer, as far as it can.
    const int whole = request.whole ? MSG_WAITALL : 0;
    switch (request.opcode) {
        case io_opcode::receive:
            io_uring_prep_recv(entry, request.descriptor, request.rest(), bounded(request.rest_bytes()), whole);
            break;
        case io_opcode::send:
            io_uring_prep_send(entry, request.descriptor, request.rest(), bounded(request.rest_bytes()),
                               whole | MSG_NOSIGNAL);
            break;
        case io_opcode::receive_message:
            io_uring_prep_recvmsg(entry, request.descriptor, static_cast<msghdr*>(request.buffer), MSG_CMSG_CLOEXEC);
            break;
        case io_opcode::send_message:
            io_uring_prep_sendmsg(entry, request.descriptor, static_cast<msghdr*>(request.buffer), MSG_NOSIGNAL);
            break;
        case io_opcode::accept:
            io_uring_prep_accept(entry, request.descriptor, nullptr, nullptr, SOCK_CLOEXEC);
            break;
        case io_opcode::connect:
            io_uring_prep_connect(entry, request.descriptor, static_cast<const sockaddr*>(request.buffer),
                                  static_cast<socklen_t>(request.length));
            break;
        case io_opcode::receive_many:
            io_uring_prep_recv_multishot(entry, request.descriptor, nullptr, 0, 0);
            io_uring_sqe_set_flags(entry, IOSQE_BUFFER_SELECT);
            entry->buf_group = static_cast<std::uint16_t>(request.mode);
            break;
        case io_opcode::receive_messages:
            io_uring_prep_recvmsg_multishot(entry, request.descriptor, static_cast<msghdr*>(request.buffer),
                                            MSG_CMSG_CLOEXEC);
            io_uring_sqe_set_flags(entry, IOSQE_BUFFER_SELECT);
            entry->buf_group = static_cast<std::uint16_t>(request.mode);
            break;
        case io_opcode::poll_many:
            io_uring_prep_poll_multishot(entry, request.descriptor, static_cast<unsigned>(request.flags));
            break;
        default:
            io_uring_prep_poll_add(entry, request.descriptor, static_cast<unsigned>(request.flags));
            break;
    }
}

}  // namespace

void fill_entry(io_uring_sqe& into, const io_request& request) noexcept {
    io_uring_sqe* const entry = &into;
    if (request.waiting_end >= 0) {
        io_uring_prep_timeout(entry, &until_next_look, 0, 0);
        return;
    }
    const unsigned length = bounded(request.length);
    switch (request.opcode) {
        case io_opcode::open:
            io_uring_prep_openat(entry, AT_FDCWD, request.path, request.flags | O_CLOEXEC, request.mode);
            break;
        case io_opcode::open_below:
            io_uring_prep_openat2(entry, request.descriptor, request.path, static_cast<open_how*>(request.buffer));
            break;
        case io_opcode::read_blocks:
            io_uring_prep_readv(entry, request.descriptor, static_cast<const iovec*>(request.buffer), length,
                                request.offset);
            break;
        case io_opcode::write_blocks:
            io_uring_prep_writev(entry, request.descriptor, static_cast<const iovec*>(request.buffer), length,
                                 request.offset);
            break;
        case io_opcode::read:
            io_uring_prep_read(entry, request.descriptor, request.buffer, length, request.offset);
            break;
        case io_opcode::write:
            io_uring_prep_write(entry, request.descriptor, request.buffer, length, request.offset);
            entry->rw_flags = request.flags;
            break;
        case io_opcode::statx:
            io_uring_prep_statx(entry, request.path == nullptr ? request.descriptor : AT_FDCWD,
                                request.path == nullptr ? "" : request.path,
                                request.flags | (request.path == nullptr ? AT_EMPTY_PATH : 0), STATX_BASIC_STATS,
                                request.status);
            break;
        case io_opcode::fsync:
            io_uring_prep_fsync(entry, request.descriptor, request.flags != 0 ? IORING_FSYNC_DATASYNC : 0);
            break;
        case io_opcode::close:
            io_uring_prep_close(entry, request.descriptor);
            break;
        default:
            fill_for_socket(entry, request);
            break;
    }
    // Tried at once, the kernel would open a named pipe for reading without waiting for a writer.
    if (request.in_thread || may_wait_for_partner(request)) io_uring_sqe_set_flags(entry, IOSQE_ASYNC);
}

}  // namespace coex::inline v0::detail
