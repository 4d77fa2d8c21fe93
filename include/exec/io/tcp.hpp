#pragma once

#include <exec/base/std_chrono.hpp>
#include <exec/io/stream.hpp>

namespace coex::inline v0 {

/// A TCP connection. Small writes are sent at once (no delay) unless told otherwise.
class tcp_stream : public stream {
public:
    /// Takes over a connected TCP socket.
    tcp_stream(static_thread_pool& pool, int descriptor) noexcept;

    /// Connects to `server`; the connection is bound to `pool`.
    ///
    /// Errors: std::system_error "connect ADDRESS: REASON".
    /// Cancel: the socket is closed.
    [[nodiscard]] static auto connect(static_thread_pool& pool, const endpoint& server) noexcept {
        return detail::io_sender(pool, detail::connect_request<tcp_stream>(pool, server));
    }

    /// False: the kernel may hold small writes back to join them (Nagle's algorithm).
    void set_no_delay(bool on);
    /// Has the kernel ask after `idle` whether a silent peer is still there, and end the connection when it is not.
    void set_keep_alive(std::chrono::seconds idle);
};

/// Accepts TCP connections.
class tcp_listener : public socket {
public:
    using socket::socket;

    /// Listens at `where`; port 0 lets the kernel choose, see `local_endpoint()`. A port whose former connections
    /// linger may be taken at once.
    ///
    /// Errors: std::system_error "listen ADDRESS: REASON", such as address_in_use.
    [[nodiscard]] static tcp_listener listen(static_thread_pool& pool, const endpoint& where,
                                             listen_options options = {}) {
        return {pool, detail::make_listener(where, options)};
    }

    /// Waits for a connection, which is bound to the listener's pool. Several may wait at once.
    ///
    /// Errors: such as too_many_files_open; the connection then stays in the queue.
    /// Cancel: no connection was taken then.
    [[nodiscard]] auto accept() noexcept {
        return detail::io_sender(pool(), detail::accept_request<tcp_stream>(*this));
    }
};

}  // namespace coex::inline v0
