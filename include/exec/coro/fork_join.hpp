#pragma once

#include <exec/base/config.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/children_awaiter.hpp>
#include <exec/coro/fork_slot.hpp>
#include <exec/coro/fork_waiter.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class... Functions>
class fork_join_awaiter : public children_awaiter<fork_waiter, fork_slot<Functions>...> {
public:
    explicit fork_join_awaiter(std::tuple<Functions...>& functions, coroutine_base* parent = nullptr)
        : fork_join_awaiter(functions, parent, std::index_sequence_for<Functions...>()) {}
    COEX_ALWAYS_INLINE ~fork_join_awaiter() = default;

private:
    template <std::size_t... Is>
    fork_join_awaiter(std::tuple<Functions...>& functions, coroutine_base* parent, std::index_sequence<Is...>)
        : children_awaiter<fork_waiter, fork_slot<Functions>...>(
              parent, fork_source<Functions>(std::get<Is>(functions), *this)...) {}
};

template <class... Functions>
class [[nodiscard]] fork_join_pack : public awaitable_sender<fork_join_pack<Functions...>> {
public:
    static constexpr bool sends_tuple_apart = true;

    explicit fork_join_pack(Functions&&... functions) : functions_(std::forward<Functions>(functions)...) {}

    [[nodiscard]] fork_join_awaiter<Functions...> operator co_await() && {
        return fork_join_awaiter<Functions...>(functions_);
    }
    [[nodiscard]] fork_join_awaiter<Functions...> awaiter_in(coroutine_base& parent) && {
        return fork_join_awaiter<Functions...>(functions_, &parent);
    }

private:
    std::tuple<Functions...> functions_;
};

}  // namespace detail

/// Calls all functions and runs the coroutines that they return, in parallel where workers are idle, and waits for
/// every one of them: the form of `fork_join` for functions that return a `fork_task` or a `task`. The first function
/// is called on the awaiter's thread at once; each other one too, as soon as the coroutine before it has ended or
/// suspended, unless an idle worker of the same pool has taken it meanwhile.
///
/// Completes:   with a tuple of the results that are not void, in order; with nothing when all are void.
/// Errors:      every coroutine runs to its end, whatever the others throw; then the exception of the leftmost is
///              rethrown. A function that throws counts as its coroutine.
/// Cancel:      a stop request of the awaiter reaches all coroutines. When one was stopped, the others still run to
///              their ends; then the awaiter is stopped, unless some coroutine failed: an error wins.
/// Thread-safe: the functions may be called on different threads of the awaiter's pool at once.
/// Lifetime:    functions given as rvalues are kept until all coroutines have ended, so a coroutine may use the
///              captures of the lambda that returned it; all else must outlive the await.
/// Complexity:  a frame for each coroutine, from recycled memory; no other allocation. A fork_task that nobody takes
///              starts, ends and gives its result without an indirect call or an atomic read-modify-write.
///
/// Against `when_all`: it takes functions in place of tasks, so what is not started yet has no frame; and it lets the
/// others end in peace when one fails.
template <class... Functions>
    requires(sizeof...(Functions) != 0 && (detail::returns_task<Functions> && ...))
[[nodiscard]] COEX_ALWAYS_INLINE detail::fork_join_pack<Functions...> fork_join(Functions&&... functions) {
    return detail::fork_join_pack<Functions...>(std::forward<Functions>(functions)...);
}

}  // namespace coex::inline v0
