#pragma once

#include <exec/base/assert.hpp>

#include <exception>
#include <utility>

// The one place that knows whether exceptions exist. A translation unit that is compiled with -fno-exceptions has no
// `try` and no `throw`: the first part of a COEX_TRY always runs there, the handlers never, and what the library would
// throw ends the program with the exception's message. Errors are still passed on as std::exception_ptr, in `result`
// and by set_error.
#if defined(__cpp_exceptions)
#define COEX_HAS_EXCEPTIONS 1
#define COEX_TRY try
#define COEX_CATCH(...) catch (__VA_ARGS__)
#define COEX_RETHROW throw
#else
#define COEX_HAS_EXCEPTIONS 0
#define COEX_TRY if (true)
#define COEX_CATCH(...) if (false)
#define COEX_RETHROW static_cast<void>(0)
#endif

namespace coex::inline v0::detail {

/// Prints `what` and aborts: for what would be thrown, were there exceptions.
[[noreturn]] void fail_without_exceptions(const char* what) noexcept;

#if COEX_HAS_EXCEPTIONS
template <class Exception>
[[noreturn]] void throw_exception(Exception&& exception) {
    throw std::forward<Exception>(exception);
}
[[noreturn]] inline void rethrow(std::exception_ptr error) {
    std::rethrow_exception(std::move(error));
}
#else
template <class Exception>
[[noreturn]] void throw_exception(Exception&& exception) {
    fail_without_exceptions(exception.what());
}
[[noreturn]] void rethrow(std::exception_ptr error);
#endif

}  // namespace coex::inline v0::detail
