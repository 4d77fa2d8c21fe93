#pragma once

#include <exec/io/stream.hpp>

#include <utility>

namespace coex::inline v0 {

/// A connection between two processes of this machine, or within one.
class unix_stream : public stream {
public:
    using stream::stream;

    /// Connects to the socket at `server`.
    ///
    /// Errors: std::system_error "connect unix:PATH: REASON".
    /// Cancel: the socket is closed.
    [[nodiscard]] static auto connect(static_thread_pool& pool, const endpoint& server) noexcept {
        return detail::io_sender(pool, detail::connect_request<unix_stream>(pool, server));
    }

    /// Two streams that are connected to each other.
    ///
    /// Errors: std::system_error.
    [[nodiscard]] static std::pair<unix_stream, unix_stream> pair(static_thread_pool& pool);
};

/// Accepts connections at a path. The path stays when the listener goes: remove it before listening there again.
class unix_listener : public socket {
public:
    using socket::socket;

    /// Listens at `where`, which `endpoint::local(path)` gives.
    ///
    /// Errors: std::system_error "listen unix:PATH: REASON", such as address_in_use when the path is there.
    [[nodiscard]] static unix_listener listen(static_thread_pool& pool, const endpoint& where,
                                              listen_options options = {}) {
        return {pool, detail::make_listener(where, options)};
    }

    /// Waits for a connection, which is bound to the listener's pool. Several may wait at once.
    ///
    /// Cancel: no connection was taken then.
    [[nodiscard]] auto accept() noexcept {
        return detail::io_sender(pool(), detail::accept_request<unix_stream>(*this));
    }
};

}  // namespace coex::inline v0
