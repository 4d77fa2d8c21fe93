#pragma once

#include <exec/io/endpoint.hpp>
#include <exec/io/operation.hpp>
#include <exec/io/socket.hpp>
#include <exec/vocab/result.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace coex::inline v0 {

/// What `recv_from` received.
struct datagram {
    std::size_t bytes = 0;   ///< of the block that were filled
    endpoint from;           ///< who sent it; no address for an unnamed local socket
    bool truncated = false;  ///< it was longer than the block, and the rest is lost
};

namespace detail {

/// A `msghdr` of one block and one address.
class message_header {
public:
    /// Points to the others, which must stay where they are.
    void set(void* block, std::size_t bytes, void* address, unsigned address_bytes) noexcept;
    [[nodiscard]] void* get() noexcept { return header_.data(); }
    [[nodiscard]] unsigned address_bytes() const noexcept;
    [[nodiscard]] bool truncated() const noexcept;

private:
    alignas(8) std::array<std::byte, 56> header_{};
    alignas(8) std::array<std::byte, 16> block_{};
};

class send_to_request {
public:
    send_to_request(socket& from, std::span<const std::byte> block, const endpoint& to) noexcept
        : socket_(&from), block_(block), to_(to) {}
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer) const;

private:
    socket* socket_;
    std::span<const std::byte> block_;
    endpoint to_;
    message_header header_;
};

class recv_from_request {
public:
    recv_from_request(socket& on, std::span<std::byte> block) noexcept : socket_(&on), block_(block) {}
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<datagram> result(int answer);

private:
    socket* socket_;
    std::span<std::byte> block_;
    endpoint from_;
    message_header header_;
};

[[nodiscard]] int make_datagram_socket(const endpoint& where);

}  // namespace detail

/// A socket that sends and receives whole messages, such as `udp_socket` and `unix_datagram_socket`: what they share.
///
/// Errors: std::system_error, which names operation, socket and address.
/// Cancel: by the stop token of the awaiting task; nothing was sent or received then.
class datagram_socket : public socket {
public:
    using socket::socket;

    /// Sends one datagram; completes with its size.
    ///
    /// Errors: message_size when it is too long for the network; connection_refused when nobody received an earlier
    ///         one.
    [[nodiscard]] auto send_to(std::span<const std::byte> block, const endpoint& to) noexcept {
        return detail::io_sender(pool(), detail::send_to_request(*this, block, to));
    }

    /// Waits for a datagram, which may be empty.
    [[nodiscard]] auto recv_from(std::span<std::byte> block) noexcept {
        return detail::io_sender(pool(), detail::recv_from_request(*this, block));
    }
};

/// UDP.
class udp_socket : public datagram_socket {
public:
    using datagram_socket::datagram_socket;

    /// Receives at `where`; port 0 lets the kernel choose, see `local_endpoint()`.
    ///
    /// Errors: std::system_error "bind ADDRESS: REASON".
    [[nodiscard]] static udp_socket bind(static_thread_pool& pool, const endpoint& where) {
        return {pool, detail::make_datagram_socket(where)};
    }

    /// Lets datagrams be sent to broadcast addresses.
    void set_broadcast(bool on);
};

/// Datagrams between local sockets, which keep their order and are not lost: a sender waits while the receiver is full.
class unix_datagram_socket : public datagram_socket {
public:
    using datagram_socket::datagram_socket;

    /// Receives at `where`, which `endpoint::local(path)` gives. The path stays when the socket goes.
    ///
    /// Errors: std::system_error "bind unix:PATH: REASON".
    [[nodiscard]] static unix_datagram_socket bind(static_thread_pool& pool, const endpoint& where) {
        return {pool, detail::make_datagram_socket(where)};
    }
};

}  // namespace coex::inline v0
