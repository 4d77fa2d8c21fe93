#pragma once

#include <exec/io/endpoint.hpp>
#include <exec/vocab/result.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace coex::inline v0 {

class static_thread_pool;

/// Which direction of a stream to end.
enum class shutdown_direction : unsigned char { receive, send, both };

/// An open socket, bound to a pool, whose workers start its operations; the base of streams, listeners and datagram
/// sockets. Owns its descriptor.
///
/// Errors:      all members that can fail throw std::system_error, which names operation and socket.
/// Thread-safe: options and endpoints, yes; moving and `close`: no, and not while an operation is in flight.
/// Lifetime:    the socket must outlive its operations; the pool must outlive the socket's operations.
class socket {
public:
    /// Takes over `descriptor`, a socket that was made elsewhere.
    socket(static_thread_pool& pool, int descriptor) noexcept;
    socket(socket&& other) noexcept : pool_(other.pool_), descriptor_(std::exchange(other.descriptor_, -1)) {}
    socket& operator=(socket&& other) noexcept {
        socket(std::move(other)).swap(*this);
        return *this;
    }
    ~socket() { close(); }

    void swap(socket& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(descriptor_, other.descriptor_);
    }

    /// Closes the socket now; what was sent is still delivered. Does nothing when it is closed.
    void close() noexcept;

    /// Where this end is; the port that the kernel chose, for one bound to port 0.
    [[nodiscard]] endpoint local_endpoint() const;

    /// The descriptor, or -1 after `close()`. Still owned by the socket.
    [[nodiscard]] int native_handle() const noexcept { return descriptor_; }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
    [[nodiscard]] static_thread_pool& pool() const noexcept { return *pool_; }

    /// Bytes that the kernel keeps of what is received or not yet sent; it may round.
    void set_receive_buffer(int bytes);
    void set_send_buffer(int bytes);

protected:
    void set_option(int level, int option, int value, std::string_view name);

private:
    static_thread_pool* pool_;
    int descriptor_;
};

namespace detail {

/// A new socket for addresses like `address`. Errors: std::system_error "OPERATION ADDRESS: REASON".
[[nodiscard]] int make_socket(const endpoint& address, int type, std::string_view operation);

/// "127.0.0.1:4000 -> 127.0.0.1:80", as far as the kernel still knows; "descriptor 7" otherwise.
[[nodiscard]] std::string describe_socket(int descriptor);

/// The std::system_error of a negative answer of the kernel: "OPERATION SOCKET (DETAILS): REASON".
[[nodiscard]] failure socket_failure(int answer, std::string_view operation, const std::string& which,
                                     const std::string& details = {});
/// Throws it.
[[noreturn]] void throw_socket_error(int answer, std::string_view operation, const std::string& which,
                                     const std::string& details = {});

}  // namespace detail
}  // namespace coex::inline v0
