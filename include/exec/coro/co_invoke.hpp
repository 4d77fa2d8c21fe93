#pragma once

#include <exec/base/invoke.hpp>
#include <exec/coro/task.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class T>
inline constexpr bool is_task_type = false;
template <class T>
inline constexpr bool is_task_type<task<T>> = true;

// By value: the function and its arguments lie in this coroutine's frame, which lives as long as the task inside.
template <class Task, class Function, class... Args>
Task invoked(Function function, Args... args) {
    co_return co_await detail::invoke_function(std::move(function), std::move(args)...);
}

}  // namespace detail

/// Calls a coroutine function with a lambda's captures, and arguments, that live as long as the task it returns:
/// `co_invoke([file = std::move(file)]() -> task<void> { ... })`. Without it the captures of a lambda that is called on
/// the spot die at the end of the statement, and the task that runs later reads dead memory.
///
/// Nothing is called before the returned task is awaited.
///
/// Errors:     what the function, or its task, throws.
/// Lifetime:   function and arguments are moved into the task's frame.
/// Complexity: one more frame from recycled memory.
template <class Function, class... Args>
    requires std::invocable<std::decay_t<Function>, std::decay_t<Args>...>
[[nodiscard]] auto co_invoke(Function&& function, Args&&... args) {
    using result = std::invoke_result_t<std::decay_t<Function>, std::decay_t<Args>...>;
    static_assert(detail::is_task_type<result>,
                  "coex: co_invoke: the function must be a coroutine that returns a coex::task; call any other one "
                  "directly");
    return detail::invoked<result, std::decay_t<Function>, std::decay_t<Args>...>(std::forward<Function>(function),
                                                                                  std::forward<Args>(args)...);
}

}  // namespace coex::inline v0
