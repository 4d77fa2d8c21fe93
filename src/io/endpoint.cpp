#include <exec/io/endpoint.hpp>

#include <exec/base/exceptions.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace coex::inline v0 {
namespace {

static_assert(sizeof(sockaddr_un) <= endpoint::capacity() && sizeof(sockaddr_in6) <= endpoint::capacity());

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t most_path_bytes = sizeof(sockaddr_un::sun_path) - 1;

[[noreturn]] void reject(std::string_view text, std::string_view why) {
    detail::throw_exception(std::invalid_argument("endpoint '" + std::string(text) + "': " + std::string(why) +
                                                  "; write 192.0.2.7:80, [2001:db8::7]:80 or unix:/run/service.sock"));
}

std::uint16_t parse_port(std::string_view text, std::string_view digits) {
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failed == std::errc::result_out_of_range) reject(text, "the port is above 65535");
    if (failed != std::errc{} || end != digits.data() + digits.size()) reject(text, "the port is not a number");
    return port;
}

template <class Address>
void store(endpoint& to, const Address& address) noexcept {
    std::memcpy(to.data(), &address, sizeof address);
    to.resize(sizeof address);
}

// Members are read through copies: the bytes are no object of the address's type.
template <class Address>
Address load(const endpoint& from) noexcept {
    Address address{};
    std::memcpy(&address, from.data(), std::min<std::size_t>(sizeof address, from.size()));
    return address;
}

endpoint make_v4(in_addr address, std::uint16_t port) noexcept {
    sockaddr_in full{};
    full.sin_family = AF_INET;
    full.sin_addr = address;
    full.sin_port = htons(port);
    endpoint made;
    store(made, full);
    return made;
}

endpoint make_v6(in6_addr address, std::uint16_t port, std::uint32_t scope) noexcept {
    sockaddr_in6 full{};
    full.sin6_family = AF_INET6;
    full.sin6_addr = address;
    full.sin6_port = htons(port);
    full.sin6_scope_id = scope;
    endpoint made;
    store(made, full);
    return made;
}

std::uint32_t parse_scope(std::string_view text, std::string_view zone) {
    std::uint32_t scope = 0;
    const auto [end, failed] = std::from_chars(zone.data(), zone.data() + zone.size(), scope);
    if (failed == std::errc{} && end == zone.data() + zone.size()) return scope;
    scope = ::if_nametoindex(std::string(zone).c_str());
    if (scope == 0) reject(text, "there is no network interface '" + std::string(zone) + "'");
    return scope;
}

endpoint parse_v6(std::string_view text) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) reject(text, "the ']' after the address is missing");
    if (text.substr(bracket + 1, 1) != ":") reject(text, "the ':' and port after ']' are missing");
    std::string_view host = text.substr(1, bracket - 1);
    const std::uint16_t port = parse_port(text, text.substr(bracket + 2));
    std::uint32_t scope = 0;
    if (const std::size_t percent = host.find('%'); percent != std::string_view::npos) {
        scope = parse_scope(text, host.substr(percent + 1));
        host = host.substr(0, percent);
    }
    in6_addr address{};
    if (::inet_pton(AF_INET6, std::string(host).c_str(), &address) != 1) reject(text, "this is no IPv6 address");
    return make_v6(address, port, scope);
}

}  // namespace

endpoint endpoint::loopback(std::uint16_t port, address_family family) {
    if (family == address_family::ipv6) return make_v6(in6addr_loopback, port, 0);
    return make_v4({htonl(INADDR_LOOPBACK)}, port);
}

endpoint endpoint::any(std::uint16_t port, address_family family) {
    if (family == address_family::ipv6) return make_v6(in6addr_any, port, 0);
    return make_v4({htonl(INADDR_ANY)}, port);
}

endpoint endpoint::local(std::string_view path) {
    const auto refuse = [&](std::string_view why) {
        // Only up to a zero byte would anybody see of it anyway.
        detail::throw_exception(std::invalid_argument("endpoint 'unix:" + std::string(path.substr(0, path.find('\0'))) +
                                                      "': " + std::string(why)));
    };
    if (path.empty()) refuse("the path is empty; name a file, or @name for an abstract socket");
    if (path.find('\0') != std::string_view::npos) refuse("here follows a zero byte, which no path contains");
    if (path.size() > most_path_bytes) {
        refuse("the path has " + std::to_string(path.size()) + " bytes, at most " + std::to_string(most_path_bytes) +
               " are possible; use a shorter one, or one relative to the working directory");
    }
    sockaddr_un full{};
    full.sun_family = AF_UNIX;
    std::memcpy(full.sun_path, path.data(), path.size());
    const bool abstract = path.front() == '@';
    if (abstract) full.sun_path[0] = '\0';
    endpoint made;
    std::memcpy(made.data(), &full, sizeof full);
    // An abstract name is as long as it is; a file's name ends with its zero byte.
    made.resize(static_cast<unsigned>(path_offset + path.size() + (abstract ? 0 : 1)));
    return made;
}

endpoint endpoint::parse(std::string_view text) {
    constexpr std::string_view local_prefix = "unix:";
    if (text.starts_with(local_prefix)) return local(text.substr(local_prefix.size()));
    if (text.starts_with('[')) return parse_v6(text);
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) reject(text, "the ':' and port are missing");
    if (text.find(':') != colon) reject(text, "an IPv6 address must stand in brackets");
    in_addr address{};
    if (::inet_pton(AF_INET, std::string(text.substr(0, colon)).c_str(), &address) != 1) {
        reject(text, "this is no IPv4 address (names are not looked up)");
    }
    return make_v4(address, parse_port(text, text.substr(colon + 1)));
}

std::string endpoint::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    switch (family()) {
        case address_family::ipv4: {
            const auto full = load<sockaddr_in>(*this);
            ::inet_ntop(AF_INET, &full.sin_addr, text.data(), text.size());
            return std::string(text.data()) + ":" + std::to_string(port());
        }
        case address_family::ipv6: {
            const auto full = load<sockaddr_in6>(*this);
            ::inet_ntop(AF_INET6, &full.sin6_addr, text.data(), text.size());
            const std::string zone = full.sin6_scope_id == 0 ? "" : "%" + std::to_string(full.sin6_scope_id);
            return "[" + std::string(text.data()) + zone + "]:" + std::to_string(port());
        }
        case address_family::local:
            if (const std::string name = path(); !name.empty()) return "unix:" + name;
            break;
        case address_family::unspecified:
            break;
    }
    return "unnamed";
}

address_family endpoint::family() const noexcept {
    if (size_ < sizeof(sa_family_t)) return address_family::unspecified;
    switch (load<sockaddr>(*this).sa_family) {
        case AF_INET:
            return address_family::ipv4;
        case AF_INET6:
            return address_family::ipv6;
        case AF_UNIX:
            return address_family::local;
        default:
            return address_family::unspecified;
    }
}

std::uint16_t endpoint::port() const noexcept {
    switch (family()) {
        case address_family::ipv4:
            return ntohs(load<sockaddr_in>(*this).sin_port);
        case address_family::ipv6:
            return ntohs(load<sockaddr_in6>(*this).sin6_port);
        default:
            return 0;
    }
}

std::string endpoint::path() const {
    if (family() != address_family::local || size_ <= path_offset) return {};
    const auto full = load<sockaddr_un>(*this);
    const std::size_t bytes = size_ - path_offset;
    if (full.sun_path[0] != '\0') return {full.sun_path, ::strnlen(full.sun_path, bytes)};
    return "@" + std::string(full.sun_path + 1, bytes - 1);
}

bool endpoint::equals(const endpoint& other) const noexcept {
    if (family() != other.family()) return false;
    switch (family()) {
        case address_family::ipv4: {
            const auto a = load<sockaddr_in>(*this);
            const auto b = load<sockaddr_in>(other);
            return a.sin_addr.s_addr == b.sin_addr.s_addr && a.sin_port == b.sin_port;
        }
        case address_family::ipv6: {
            const auto a = load<sockaddr_in6>(*this);
            const auto b = load<sockaddr_in6>(other);
            return std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0 && a.sin6_port == b.sin6_port &&
                   a.sin6_scope_id == b.sin6_scope_id;
        }
        case address_family::local:
            return path() == other.path();
        case address_family::unspecified:
            break;
    }
    return true;
}

}  // namespace coex::inline v0
