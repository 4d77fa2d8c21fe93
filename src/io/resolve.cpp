#include <exec/io/resolve.hpp>

#include <exec/base/exceptions.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace coex::inline v0 {
namespace {

class resolve_error_category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "coex.resolve"; }
    [[nodiscard]] std::string message(int value) const override { return ::gai_strerror(value); }
};

int native_family(address_family family) noexcept {
    if (family == address_family::ipv4) return AF_INET;
    return family == address_family::ipv6 ? AF_INET6 : AF_UNSPEC;
}

/// False for a number that is no port: getaddrinfo would cut it to 16 bits, and name some other service.
bool is_port_or_name(const std::string& service) noexcept {
    constexpr long highest_port = 65535;
    char* end = nullptr;
    const long number = std::strtol(service.c_str(), &end, 10);
    const bool is_number = end != service.c_str() && *end == '\0';
    return !is_number || (number >= 0 && number <= highest_port);
}

}  // namespace

const std::error_category& resolve_category() noexcept {
    static const resolve_error_category category;
    return category;
}

result<std::vector<endpoint>> detail::resolve_call::operator()() const {
    addrinfo hints{};
    hints.ai_family = native_family(family_);
    hints.ai_socktype = SOCK_STREAM;  // each address once, not once a protocol
    addrinfo* first = nullptr;
    const int failed =
        !is_port_or_name(service_)
            ? EAI_SERVICE
            : ::getaddrinfo(host_.c_str(), service_.empty() ? nullptr : service_.c_str(), &hints, &first);
    if (failed != 0) {
        const std::string what = "resolve " + host_ + ":" + service_;
        if (failed == EAI_SYSTEM)
            return detail::failure{std::make_exception_ptr(std::system_error(errno, std::generic_category(), what))};
        return detail::failure{std::make_exception_ptr(std::system_error(failed, resolve_category(), what))};
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, &::freeaddrinfo);
    std::vector<endpoint> found;
    for (const addrinfo* each = first; each != nullptr; each = each->ai_next) {
        endpoint address;
        std::memcpy(address.data(), each->ai_addr, each->ai_addrlen);
        address.resize(each->ai_addrlen);
        found.push_back(address);
    }
    return found;
}

}  // namespace coex::inline v0
