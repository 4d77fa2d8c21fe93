#pragma once

#include <string_view>

namespace http_server {

/// The time as a header `Date` says it, which every answer has to have: to the second, in UTC.
///
/// Thread-safe: yes. Lifetime: of the text: until the same thread asks again.
[[nodiscard]] std::string_view date_now() noexcept;

}  // namespace http_server
