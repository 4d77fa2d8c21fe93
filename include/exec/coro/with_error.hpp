#pragma once

#include <type_traits>
#include <utility>

namespace coex::inline v0 {

/// Ends a task with an error without throwing: `co_yield with_error(code)`. As C++26 `std::execution::with_error`.
///
/// The coroutine does not continue after it, and none of its handlers sees the error. Its waiter gets it as it gets
/// one that is thrown: an exception_ptr is rethrown, an error_code thrown as std::system_error, anything else as it is.
/// A `task<T, Environment>` that is used as a sender completes by set_error with the error itself.
///
/// Errors:   in a `task<T>` an error that throws when it is moved ends the program; in a `task<T, Environment>` the
///           co_yield throws that exception.
/// Lifetime: the coroutine's variables are destroyed before its awaiter goes on, or, once it has waited itself, at the
///           latest at the end of the awaiting expression; of a task that is connected to a receiver, after that has
///           been told, with the operation.
template <class Error>
class with_error {
public:
    using type = std::remove_cvref_t<Error>;

    // A constructor, so that g++ 12 does not destroy a temporary with_error twice.
    explicit with_error(type value) noexcept(std::is_nothrow_move_constructible_v<type>) : error(std::move(value)) {}

    type error;
};

template <class Error>
with_error(Error) -> with_error<Error>;

}  // namespace coex::inline v0
