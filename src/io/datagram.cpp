#include <exec/io/datagram.hpp>

#include <exec/io/socket_operations.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace coex::inline v0 {

void udp_socket::set_broadcast(bool on) {
    set_option(SOL_SOCKET, SO_BROADCAST, on ? 1 : 0, "set_broadcast");
}

namespace detail {
namespace {

msghdr load(const void* header) noexcept {
    msghdr copy{};
    std::memcpy(&copy, header, sizeof copy);
    return copy;
}

}  // namespace

void message_header::set(void* block, std::size_t bytes, void* address, unsigned address_bytes) noexcept {
    static_assert(sizeof(msghdr) == sizeof header_ && sizeof(iovec) == sizeof block_);
    const iovec whole{block, bytes};
    std::memcpy(block_.data(), &whole, sizeof whole);
    msghdr header{};
    header.msg_name = address;
    header.msg_namelen = address_bytes;
    header.msg_iov = reinterpret_cast<iovec*>(block_.data());
    header.msg_iovlen = 1;
    std::memcpy(header_.data(), &header, sizeof header);
}

unsigned message_header::address_bytes() const noexcept {
    return load(header_.data()).msg_namelen;
}

bool message_header::truncated() const noexcept {
    return (load(header_.data()).msg_flags & MSG_TRUNC) != 0;
}

void send_to_request::prepare(io_request& request) noexcept {
    header_.set(const_cast<std::byte*>(block_.data()), block_.size(), to_.data(), to_.size());
    request.opcode = io_opcode::send_message;
    request.descriptor = socket_->native_handle();
    request.buffer = header_.get();
}

result<std::size_t> send_to_request::result(int answer) const {
    if (answer < 0) {
        return socket_failure(answer, "send_to", describe_socket(socket_->native_handle()),
                              std::to_string(block_.size()) + " bytes to " + to_.to_string());
    }
    return static_cast<std::size_t>(answer);
}

void recv_from_request::prepare(io_request& request) noexcept {
    header_.set(block_.data(), block_.size(), from_.data(), endpoint::capacity());
    request.opcode = io_opcode::receive_message;
    request.descriptor = socket_->native_handle();
    request.buffer = header_.get();
}

result<datagram> recv_from_request::result(int answer) {
    if (answer < 0) return socket_failure(answer, "recv_from", describe_socket(socket_->native_handle()));
    from_.resize(header_.address_bytes());
    return datagram{static_cast<std::size_t>(answer), from_, header_.truncated()};
}

int make_datagram_socket(const endpoint& where) {
    owned_descriptor made(make_socket(where, SOCK_DGRAM, "bind"));
    if (::bind(made.get(), static_cast<const sockaddr*>(where.data()), where.size()) != 0) {
        throw_socket_error(-errno, "bind", where.to_string());
    }
    return made.take();
}

}  // namespace detail
}  // namespace coex::inline v0
