#pragma once

#include <system_error>

namespace coex::inline v0 {

/// What can go wrong with input and output that the kernel has no number for.
enum class io_errc {
    end_of_stream = 1,  ///< the other side has ended its stream, and more was expected
};

/// The category of `io_errc`, named "coex.io".
[[nodiscard]] const std::error_category& io_category() noexcept;

[[nodiscard]] inline std::error_code make_error_code(io_errc code) noexcept {
    return {static_cast<int>(code), io_category()};
}

}  // namespace coex::inline v0

template <>
struct std::is_error_code_enum<coex::io_errc> : std::true_type {};
