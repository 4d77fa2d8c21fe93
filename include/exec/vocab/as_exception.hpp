#pragma once

#include <exec/base/exceptions.hpp>

#include <exception>
#include <system_error>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// The exception that an error completion becomes where errors are thrown: itself when it is an exception_ptr, a
/// std::system_error for an error_code, otherwise the error object; or what copying or moving that threw.
template <class Error>
[[nodiscard]] std::exception_ptr as_exception(Error&& error) noexcept {
    using bare = std::remove_cvref_t<Error>;
    if constexpr (std::is_same_v<bare, std::exception_ptr>) {
        return std::forward<Error>(error);
    } else if constexpr (std::is_same_v<bare, std::error_code>) {
        return std::make_exception_ptr(std::system_error(error));
    } else if constexpr (!std::is_copy_constructible_v<bare>) {
        // std::make_exception_ptr copies.
        constexpr bool can_be_thrown = COEX_HAS_EXCEPTIONS || std::is_copy_constructible_v<bare>;
        static_assert(can_be_thrown,
                      "coex: an error that can only be moved becomes an exception only by being thrown, and exceptions "
                      "are off; handle it before by upon_error or let_error, or send one that can be copied");
        COEX_TRY {
            throw_exception(std::forward<Error>(error));
        }
        COEX_CATCH(...) {
            return std::current_exception();
        }
    } else if constexpr (std::is_nothrow_constructible_v<bare, Error>) {
        return std::make_exception_ptr<bare>(std::forward<Error>(error));
    } else {
        // Its parameter is made here, outside of what it catches.
        COEX_TRY {
            return std::make_exception_ptr<bare>(std::forward<Error>(error));
        }
        COEX_CATCH(...) {
            return std::current_exception();
        }
    }
}

}  // namespace coex::inline v0::detail
