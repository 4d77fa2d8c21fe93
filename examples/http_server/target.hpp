#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http_server {

/// The path of a request's target, decoded and relative to the root; empty when it is malformed. That it stays below
/// the root is the kernel's to see to.
[[nodiscard]] std::optional<std::string> path_of(std::string_view target);

/// By the end of the name.
[[nodiscard]] std::string_view media_type_of(std::string_view path);

struct byte_range {
    std::uint64_t first = 0;
    std::uint64_t length = 0;  ///< 0: the range lies outside of the file
};

/// The range that the header asks for, of a file of `size` bytes; empty where the whole file is to be sent: for no or
/// malformed ranges, and for several.
[[nodiscard]] std::optional<byte_range> range_of(std::string_view header, std::uint64_t size);

}  // namespace http_server
