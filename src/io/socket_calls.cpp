#include "io/socket_calls.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace coex::inline v0::detail {
namespace {

int negated(long result) noexcept {
    return result < 0 ? -errno : static_cast<int>(result);
}

int transfer_once(const io_request& request) noexcept {
    if (request.opcode == io_opcode::receive) {
        return negated(::recv(request.descriptor, request.rest(), request.rest_bytes(), MSG_DONTWAIT));
    }
    return negated(::send(request.descriptor, request.rest(), request.rest_bytes(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

int transfer(io_request& request) noexcept {
    for (;;) {
        const int result = transfer_once(request);
        if (result <= 0 || !request.whole) return result;
        request.transferred += static_cast<std::size_t>(result);
        if (request.rest_bytes() == 0) return 0;
    }
}

// The first call begins to connect; later ones tell how that stands.
int connect(const io_request& request) noexcept {
    const auto* address = static_cast<const sockaddr*>(request.buffer);
    const int result = negated(::connect(request.descriptor, address, static_cast<socklen_t>(request.length)));
    if (result == -EINPROGRESS || result == -EALREADY) return -EAGAIN;
    return result == -EISCONN ? 0 : result;
}

int poll_now(const io_request& request) noexcept {
    pollfd watched{request.descriptor, static_cast<short>(request.flags), 0};
    const int count = negated(::poll(&watched, 1, 0));
    if (count < 0) return count;
    if ((watched.revents & POLLNVAL) != 0) return -EBADF;
    return watched.revents == 0 ? -EAGAIN : watched.revents;
}

int call_once(io_request& request) noexcept {
    switch (request.opcode) {
        case io_opcode::receive:
        case io_opcode::send:
            return transfer(request);
        case io_opcode::receive_message:
            return negated(
                ::recvmsg(request.descriptor, static_cast<msghdr*>(request.buffer), MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
        case io_opcode::send_message:
            return negated(
                ::sendmsg(request.descriptor, static_cast<const msghdr*>(request.buffer), MSG_DONTWAIT | MSG_NOSIGNAL));
        case io_opcode::accept:
            return negated(::accept4(request.descriptor, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        case io_opcode::connect:
            return connect(request);
        case io_opcode::poll:
            return poll_now(request);
        default:
            return -EINVAL;
    }
}

}  // namespace

int call_if_ready(io_request& request) noexcept {
    for (;;) {
        const int result = call_once(request);
        if (result != -EINTR) return result;
    }
}

unsigned readiness_of(const io_request& request) noexcept {
    switch (request.opcode) {
        case io_opcode::poll:
            return static_cast<unsigned>(request.flags);
        case io_opcode::send:
        case io_opcode::send_message:
        case io_opcode::connect:
        case io_opcode::write:
        case io_opcode::write_blocks:
            return POLLOUT;
        default:
            return POLLIN;
    }
}

}  // namespace coex::inline v0::detail
