#include <exec/io/resolve.hpp>

#include <exec/base/exceptions.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

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
    const int failed = ::getaddrinfo(host_.c_str(), service_.empty() ? nullptr : service_.c_str(), &hints, &first);
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
