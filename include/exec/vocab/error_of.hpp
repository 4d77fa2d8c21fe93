#pragma once

#include <exception>
#include <string>
#include <system_error>

namespace coex::inline v0 {

/// What an exception tells as a code, without throwing it: of a std::system_error its code; of std::bad_alloc
/// errc::not_enough_memory, of std::invalid_argument errc::invalid_argument; errc::state_not_recoverable of any other.
/// Empty for null. For programs without exceptions, and for those that would only throw it to look at it.
/// Without exceptions only libstdc++ lets it be told what an exception is: elsewhere it is any other.
///
/// Thread-safe: yes; as are all uses of one exception that don't change it.
[[nodiscard]] std::error_code error_code_of(const std::exception_ptr& error) noexcept;

/// What the exception says (`what()`); "unknown exception" of one that is no std::exception. Empty for null.
///
/// Errors:      std::bad_alloc.
/// Thread-safe: as error_code_of.
[[nodiscard]] std::string error_message_of(const std::exception_ptr& error);

}  // namespace coex::inline v0
