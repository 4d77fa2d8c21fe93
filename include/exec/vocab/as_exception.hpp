#pragma once

#include <exception>
#include <system_error>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// The exception that an error completion becomes where errors are thrown: itself when it is an exception_ptr, a
/// std::system_error for an error_code, otherwise the error object.
template <class Error>
[[nodiscard]] std::exception_ptr as_exception(Error&& error) noexcept {
    using bare = std::remove_cvref_t<Error>;
    if constexpr (std::is_same_v<bare, std::exception_ptr>) {
        return std::forward<Error>(error);
    } else if constexpr (std::is_same_v<bare, std::error_code>) {
        return std::make_exception_ptr(std::system_error(error));
    } else {
        return std::make_exception_ptr(std::forward<Error>(error));
    }
}

}  // namespace coex::inline v0::detail
