#include <exec/io/socket.hpp>

#include <exec/base/exceptions.hpp>
#include <exec/io/backend_kind.hpp>
#include <exec/io/socket_operations.hpp>
#include <exec/io/tcp.hpp>
#include <exec/io/unix.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace coex::inline v0 {
namespace {

// A ring waits for a blocking socket without blocking anybody; without a ring, only a non-blocking one tells that it
// would have to wait.
bool needs_non_blocking() {
    return active_io_backend() == io_backend_kind::fallback;
}

int native_family(address_family family) noexcept {
    switch (family) {
        case address_family::ipv4:
            return AF_INET;
        case address_family::ipv6:
            return AF_INET6;
        case address_family::local:
            return AF_UNIX;
        default:
            return AF_UNSPEC;
    }
}

using name_call = int(int, sockaddr*, socklen_t*);

/// Returns 0 or a negated errno.
int read_name(name_call* call, int descriptor, endpoint& to) noexcept {
    socklen_t size = endpoint::capacity();
    if (call(descriptor, static_cast<sockaddr*>(to.data()), &size) != 0) return -errno;
    to.resize(size);
    return 0;
}

endpoint name_of(name_call* call, int descriptor, std::string_view operation) {
    endpoint name;
    if (const int failed = read_name(call, descriptor, name); failed != 0) {
        detail::throw_socket_error(failed, operation, detail::describe_socket(descriptor));
    }
    return name;
}

}  // namespace

socket::socket(static_thread_pool& pool, int descriptor) noexcept : pool_(&pool), descriptor_(descriptor) {}

void socket::close() noexcept {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

endpoint socket::local_endpoint() const {
    return name_of(&::getsockname, descriptor_, "local_endpoint");
}

void socket::set_receive_buffer(int bytes) {
    set_option(SOL_SOCKET, SO_RCVBUF, bytes, "set_receive_buffer");
}

void socket::set_send_buffer(int bytes) {
    set_option(SOL_SOCKET, SO_SNDBUF, bytes, "set_send_buffer");
}

void socket::set_option(int level, int option, int value, std::string_view name) {
    if (::setsockopt(descriptor_, level, option, &value, sizeof value) == 0) return;
    detail::throw_socket_error(-errno, name, detail::describe_socket(descriptor_), std::to_string(value));
}

endpoint stream::remote_endpoint() const {
    return name_of(&::getpeername, native_handle(), "remote_endpoint");
}

void stream::shutdown(shutdown_direction direction) {
    constexpr std::array native = {SHUT_RD, SHUT_WR, SHUT_RDWR};
    if (::shutdown(native_handle(), native[static_cast<std::size_t>(direction)]) == 0) return;
    detail::throw_socket_error(-errno, "shutdown", detail::describe_socket(native_handle()));
}

tcp_stream::tcp_stream(static_thread_pool& pool, int descriptor) noexcept : stream(pool, descriptor) {
    const int on = 1;
    // A socket that has no such option goes on without it.
    static_cast<void>(::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

void tcp_stream::set_no_delay(bool on) {
    set_option(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0, "set_no_delay");
}

void tcp_stream::set_keep_alive(std::chrono::seconds idle) {
    set_option(IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(idle.count()), "set_keep_alive");
    set_option(SOL_SOCKET, SO_KEEPALIVE, 1, "set_keep_alive");
}

std::pair<unix_stream, unix_stream> unix_stream::pair(static_thread_pool& pool) {
    std::array<int, 2> ends{};
    const int type = SOCK_STREAM | SOCK_CLOEXEC | (needs_non_blocking() ? SOCK_NONBLOCK : 0);
    if (::socketpair(AF_UNIX, type, 0, ends.data()) != 0) {
        detail::throw_exception(std::system_error(errno, std::generic_category(), "unix_stream::pair"));
    }
    return {unix_stream(pool, ends[0]), unix_stream(pool, ends[1])};
}

namespace detail {

int make_socket(const endpoint& address, int type, std::string_view operation) {
    const int flags = SOCK_CLOEXEC | (needs_non_blocking() ? SOCK_NONBLOCK : 0);
    const int descriptor = ::socket(native_family(address.family()), type | flags, 0);
    if (descriptor < 0) throw_socket_error(-errno, operation, address.to_string());
    return descriptor;
}

int make_listener(const endpoint& where, const listen_options& options) {
    owned_descriptor made(make_socket(where, SOCK_STREAM, "listen"));
    const auto check = [&](int result) {
        if (result != 0) throw_socket_error(-errno, "listen", where.to_string());
    };
    const auto set = [&](int level, int option, int value) {
        check(::setsockopt(made.get(), level, option, &value, sizeof value));
    };
    if (where.family() != address_family::local) set(SOL_SOCKET, SO_REUSEADDR, 1);
    if (options.reuse_port) set(SOL_SOCKET, SO_REUSEPORT, 1);
    if (where.family() == address_family::ipv6) set(IPPROTO_IPV6, IPV6_V6ONLY, options.dual_stack ? 0 : 1);
    check(::bind(made.get(), static_cast<const sockaddr*>(where.data()), where.size()));
    check(::listen(made.get(), options.backlog));
    return made.take();
}

std::string describe_socket(int descriptor) {
    endpoint local;
    endpoint remote;
    if (read_name(&::getsockname, descriptor, local) != 0) return "descriptor " + std::to_string(descriptor);
    if (read_name(&::getpeername, descriptor, remote) != 0) return local.to_string();
    return local.to_string() + " -> " + remote.to_string();
}

failure socket_failure(int answer, std::string_view operation, const std::string& which, const std::string& details) {
    std::string what(operation);
    what.append(" ").append(which);
    if (!details.empty()) what.append(" (").append(details).append(")");
    return {std::make_exception_ptr(std::system_error(-answer, std::generic_category(), what))};
}

void throw_socket_error(int answer, std::string_view operation, const std::string& which, const std::string& details) {
    rethrow(socket_failure(answer, operation, which, details).error);
}

}  // namespace detail
}  // namespace coex::inline v0
