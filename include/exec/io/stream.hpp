#pragma once

#include <exec/io/socket.hpp>
#include <exec/io/socket_operations.hpp>
#include <exec/io/vectored_operations.hpp>

#include <cstddef>
#include <span>

namespace coex::inline v0 {

/// A connected stream of bytes, such as `tcp_stream` and `unix_stream`: what they share.
///
/// One operation in each direction may be in flight at once; two in the same direction would take each other's bytes.
///
/// Errors: std::system_error, which names operation and both ends. A peer that is gone shows as connection_reset or
///         broken_pipe (never as a signal).
/// Cancel: by the stop token of the awaiting task, which then unwinds. An operation has ended before its await does:
///         the buffer is the caller's again.
class stream : public socket {
public:
    using socket::socket;

    /// Receives up to `block.size()` bytes.
    ///
    /// Completes: with the number of bytes, at least one; or 0 when the peer has ended its stream, or for an empty
    ///            block.
    /// Cancel:    nothing was received then.
    [[nodiscard]] auto read_some(std::span<std::byte> block) noexcept {
        return detail::io_sender(pool(), detail::receive_request(*this, block, false));
    }

    /// Receives until `block` is full.
    ///
    /// Errors: io_errc::end_of_stream, with the number of bytes that came before it.
    /// Cancel: some of the bytes may have been received; how many is lost.
    [[nodiscard]] auto read_exactly(std::span<std::byte> block) noexcept {
        return detail::io_sender(pool(), detail::receive_exactly_request(*this, block));
    }

    /// Sends up to `block.size()` bytes; completes with the number that the kernel took, at least one.
    ///
    /// Cancel: nothing was sent then.
    [[nodiscard]] auto write_some(std::span<const std::byte> block) noexcept {
        return detail::io_sender(pool(), detail::send_request(*this, block, false));
    }

    /// Sends all of `block`.
    ///
    /// Cancel: some of the bytes may have been sent; how many is lost, so the stream is of no more use.
    [[nodiscard]] auto write_all(std::span<const std::byte> block) noexcept {
        return detail::io_sender(pool(), detail::send_all_request(*this, block));
    }

    /// Receives into several blocks, one after the other; of more than 1,024 blocks, the first 1,024.
    ///
    /// Completes: as `read_some`. Cancel: nothing was received then.
    /// Lifetime:  the memory of the blocks must outlive the operation; the list of them need not.
    [[nodiscard]] auto read_blocks(std::span<const std::span<std::byte>> blocks) {
        return detail::io_sender(pool(), detail::receive_blocks_request(*this, blocks));
    }

    /// Sends several blocks, one after the other, such as a header and a body in one packet; otherwise as
    /// `read_blocks`. Completes with the number of bytes that the kernel took, which may be less.
    ///
    /// Cancel: nothing was sent then.
    [[nodiscard]] auto write_blocks(std::span<const std::span<const std::byte>> blocks) {
        return detail::io_sender(pool(), detail::send_blocks_request(*this, blocks));
    }

    /// Ends a direction: the peer reads the end of the stream after what was sent; operations of an ended direction
    /// end.
    void shutdown(shutdown_direction direction = shutdown_direction::send);

    /// Where the other end is.
    [[nodiscard]] endpoint remote_endpoint() const;
};

/// How a listening socket is made. All members have defaults.
struct listen_options {
    /// How many connections may wait to be accepted; the kernel cuts it to net.core.somaxconn.
    int backlog = 4096;
    /// Several sockets may listen on one port; the kernel spreads connections over them.
    bool reuse_port = false;
    /// On ::, also take IPv4 connections.
    bool dual_stack = true;
};

namespace detail {

[[nodiscard]] int make_listener(const endpoint& where, const listen_options& options);

}  // namespace detail
}  // namespace coex::inline v0
