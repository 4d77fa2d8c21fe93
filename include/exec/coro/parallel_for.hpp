#pragma once

#include <exec/base/config.hpp>
#include <exec/base/invoke.hpp>
#include <exec/base/std_ranges.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/fork_slot.hpp>
#include <exec/coro/loop_awaiter.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// Calls the function with the i-th index.
template <class Index, class Function>
class index_calls {
public:
    index_calls(Index first, Function&& function) : first_(first), function_(std::forward<Function>(function)) {}
    decltype(auto) operator()(std::size_t i) {
        return detail::invoke_function(function_, static_cast<Index>(static_cast<std::size_t>(first_) + i));
    }

private:
    Index first_;
    Function function_;
};

/// Calls the function with the i-th element.
template <class Range, class Function>
class element_calls {
public:
    element_calls(Range&& range, Function&& function)
        : range_(std::forward<Range>(range)), function_(std::forward<Function>(function)) {}
    decltype(auto) operator()(std::size_t i) {
        using distance = std::ranges::range_difference_t<Range>;
        return detail::invoke_function(function_, std::ranges::begin(range_)[static_cast<distance>(i)]);
    }

private:
    Range range_;
    Function function_;
};

template <class Calls>
class [[nodiscard]] loop_of_tasks : public awaitable_sender<loop_of_tasks<Calls>> {
    using returned = std::invoke_result_t<Calls&, std::size_t>;
    static_assert(std::is_void_v<typename returned::value_type>,
                  "coex: parallel_for: the coroutines give values, which nobody would get; let each write its own into "
                  "an array of the caller's, or use when_all, which gives a vector of them");

public:
    explicit loop_of_tasks(std::size_t count, Calls&& calls) : count_(count), calls_(std::move(calls)) {}

    [[nodiscard]] loop_awaiter<Calls> operator co_await() && { return loop_awaiter<Calls>(count_, std::move(calls_)); }
    [[nodiscard]] loop_awaiter<Calls> awaiter_in(coroutine_base& parent) && {
        return loop_awaiter<Calls>(count_, std::move(calls_), &parent);
    }

private:
    std::size_t count_;
    Calls calls_;
};

}  // namespace detail

/// Calls `function(i)` for each index of [first, last), runs the coroutines that it returns (`fork_task<void>` or
/// `task<void>`), in parallel where workers are idle, and waits for every one of them: the form of `parallel_for` for
/// functions that return coroutines. None when `last` is not above `first`.
///
///     co_await coex::parallel_for(0, count, [&](int i) { return visit(children[i], results[i]); });
///
/// The function is called on the awaiter's thread, for one index after the other, each as soon as the coroutine before
/// it has ended or suspended; idle workers of the same pool take over halves of what is left. So a coroutine that waits
/// for something holds up nobody, and a loop whose coroutines all wait has begun all of them.
///
/// Errors:      the first exception in time that leaves a coroutine, or the function, is rethrown when all coroutines
///              that had begun have ended; what had not begun by then may be left out.
/// Cancel:      a stop request of the awaiter reaches all coroutines. When one was stopped, what had not begun may be
///              left out, and then the awaiter is stopped, unless some coroutine failed: an error wins.
/// Thread-safe: the function may be called on different threads of the awaiter's pool at once, in no certain order.
/// Lifetime:    a function given as an rvalue is kept until all coroutines have ended, so a coroutine may use the
///              captures of the lambda that returned it. The frame of a coroutine goes when that has ended, on the
///              thread where it was.
/// Complexity:  a frame for each coroutine, from recycled memory, one after the other where none waits; for each that
///              waits some 100 bytes more, and for each time that a worker takes over some. No other allocation.
template <std::integral Index, class Function>
    requires(detail::returns_task_for<Function&, Index>)
[[nodiscard]] auto parallel_for(Index first, std::type_identity_t<Index> last, Function&& function) {
    using calls = detail::index_calls<Index, Function>;
    const std::size_t count = first < last ? static_cast<std::size_t>(last) - static_cast<std::size_t>(first) : 0;
    return detail::loop_of_tasks<calls>(count, calls(first, std::forward<Function>(function)));
}

/// The same for each element of a random-access range, which is kept as the function is: an rvalue until the end.
template <class Range, class Function>
    requires(std::ranges::random_access_range<Range> && std::ranges::sized_range<Range> &&
             detail::returns_task_for<Function&, std::ranges::range_reference_t<Range>>)
[[nodiscard]] auto parallel_for(Range&& range, Function&& function) {
    using calls = detail::element_calls<Range, Function>;
    const auto count = static_cast<std::size_t>(std::ranges::size(range));
    return detail::loop_of_tasks<calls>(count, calls(std::forward<Range>(range), std::forward<Function>(function)));
}

}  // namespace coex::inline v0
