#pragma once

#include <exec/io/blocking.hpp>
#include <exec/io/endpoint.hpp>
#include <exec/vocab/result.hpp>

#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace coex::inline v0 {

/// What `resolve` reports when a name has no address: the codes of getaddrinfo (EAI_NONAME, ...) and their texts.
[[nodiscard]] const std::error_category& resolve_category() noexcept;

namespace detail {

class resolve_call {
public:
    resolve_call(std::string_view host, std::string_view service, address_family family)
        : host_(host), service_(service), family_(family) {}
    static constexpr bool fails_by_result = true;
    [[nodiscard]] result<std::vector<endpoint>> operator()() const;

private:
    std::string host_;
    std::string service_;
    address_family family_;
};

}  // namespace detail

/// Looks up the addresses of `host` (a name, or an address as text) with the port of `service` (a number, or a name
/// such as "https"; empty: port 0), the ones to be tried first first. A thread of `blocking()` waits for the answer.
///
/// Completes: with at least one endpoint.
/// Errors:    std::system_error "resolve HOST:SERVICE: REASON", of resolve_category() or of the system; for a number
///            above 65,535, too.
/// Cancel:    as `blocking()`: a look-up that has begun is made to its end.
[[nodiscard]] inline auto resolve(std::string_view host, std::string_view service,
                                  address_family family = address_family::unspecified) {
    return blocking(detail::resolve_call(host, service, family));
}

}  // namespace coex::inline v0
