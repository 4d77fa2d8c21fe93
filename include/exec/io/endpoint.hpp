#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coex::inline v0 {

/// What kind of address an endpoint is.
enum class address_family : unsigned char { unspecified, ipv4, ipv6, local };

/// An address that a socket can have or reach: IPv4 or IPv6 with a port, or a local (Unix) socket's path.
///
/// A plain value; equal when the kernel would take both for the same address.
class endpoint {
public:
    /// No address at all: what an unnamed local socket has.
    endpoint() noexcept = default;

    /// 127.0.0.1 or ::1, only reachable from this machine. Port 0 lets the kernel choose when it is bound.
    [[nodiscard]] static endpoint loopback(std::uint16_t port, address_family family = address_family::ipv4);
    /// 0.0.0.0 or ::, all addresses of this machine.
    [[nodiscard]] static endpoint any(std::uint16_t port, address_family family = address_family::ipv4);
    /// A local socket at `path`; a path that begins with '@' names an abstract socket, which has no file.
    ///
    /// Errors: std::invalid_argument for a path that is empty, contains a zero byte or is too long (107 bytes).
    [[nodiscard]] static endpoint local(std::string_view path);

    /// Reads "192.0.2.7:80", "[2001:db8::7]:80", "[fe80::1%eth0]:80" or "unix:/run/service.sock" ("unix:@name" for an
    /// abstract one). Names of hosts are not looked up.
    ///
    /// Errors: std::invalid_argument, which says what of the text is wrong and how it should look.
    [[nodiscard]] static endpoint parse(std::string_view text);

    /// Such that `parse()` reads it again; "unnamed" for no address.
    [[nodiscard]] std::string to_string() const;

    [[nodiscard]] address_family family() const noexcept;
    /// 0 where there are no ports.
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// The path of a local socket, with '@' before an abstract one; empty for others.
    [[nodiscard]] std::string path() const;

    [[nodiscard]] friend bool operator==(const endpoint& a, const endpoint& b) noexcept { return a.equals(b); }

    /// For system calls: a `sockaddr`, its size, and room for one that the kernel writes.
    [[nodiscard]] const void* data() const noexcept { return address_.data(); }
    [[nodiscard]] void* data() noexcept { return address_.data(); }
    [[nodiscard]] unsigned size() const noexcept { return size_; }
    [[nodiscard]] static constexpr unsigned capacity() noexcept { return capacity_bytes; }
    /// After the kernel has written `size` bytes at `data()`.
    void resize(unsigned size) noexcept { size_ = size < capacity_bytes ? size : capacity_bytes; }

private:
    static constexpr unsigned capacity_bytes = 112;  // of a sockaddr_un, the largest of them

    [[nodiscard]] bool equals(const endpoint& other) const noexcept;

    alignas(8) std::array<std::byte, capacity_bytes> address_{};
    unsigned size_ = 0;
};

}  // namespace coex::inline v0
