#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/coro/fork_join.hpp>
#include <exec/pool/default_pool.hpp>
#include <exec/pool/stack_job.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/fork_deque.hpp>

#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// True on a thread of a pool.
[[nodiscard]] bool on_a_worker() noexcept;

/// A function that does its work itself. For functions that return coroutines see coro/fork_join.hpp.
template <class Function>
concept plain_function = std::is_invocable_v<Function> && !returns_task<Function>;

struct no_result {};

// Two results that come back in registers if they can; std::tuple is returned in memory. Either may itself be the
// results of a forked_rest.
template <class First, class Second>
struct two_results {
    First first;
    Second second;
};

template <class Function>
using result_or_none =
    std::conditional_t<std::is_void_v<std::invoke_result_t<Function>>, no_result, std::invoke_result_t<Function>>;

template <class First, class Second>
using fork_results = two_results<result_or_none<First>, result_or_none<Second>>;

template <class Call>
COEX_ALWAYS_INLINE result_or_none<Call> result_of(Call&& call) {
    if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
        call();
        return {};
    } else {
        return call();
    }
}

// How a function is passed on: a small temporary by value, so that it stays in registers, all else by reference.
template <class Function>
using passed = std::conditional_t<stack_job<Function>::copies, std::remove_cvref_t<Function>, Function&>;

// The forked function is run however the other one ends; of two exceptions, that of the left one wins.
template <class Call>
COEX_NOINLINE void call_and_drop(Call&& call) noexcept {
    COEX_TRY {
        static_cast<void>(call());
    }
    COEX_CATCH(...) {  // the exception of the other one is on its way
    }
}

// Where nothing can be forked: outside of pools, and when the thread's deque is full.
template <class First, class Second>
COEX_NOINLINE fork_results<First, Second> fork_elsewhere(passed<First> first, passed<Second> second);

template <class First, class Second>
inline fork_results<First, Second> fork_pair(passed<First> first, passed<Second> second) {
    fork_deque* forks = this_thread_forks;
    if (forks == nullptr) [[unlikely]] {
        forks = fork_deque::reopen();
        if (forks == nullptr) return fork_elsewhere<First, Second>(first, second);
    }
    stack_job<Second> job(second);
    const std::uint64_t index = forks->push(&job);
    // `second` is called as the job has it, not as a parameter that would have to be saved across the first call.
    return {[&]() -> result_or_none<First> {
                COEX_TRY {
                    return result_of([&]() -> decltype(auto) { return static_cast<First&&>(first)(); });
                }
                COEX_CATCH(...) {
                    if (forks->pop(index)) {
                        call_and_drop([&job]() -> decltype(auto) { return job.call(); });
                    } else {
                        job.drop();
                    }
                    COEX_RETHROW;
                }
            }(),
            result_of([&]() -> decltype(auto) {
                if (forks->pop(index)) [[likely]]
                    return job.call();
                return job.take();
            })};
}

template <class First, class Second>
COEX_NOINLINE fork_results<First, Second> fork_elsewhere(passed<First> first, passed<Second> second) {
    if (!on_a_worker()) return default_pool().install([&] { return fork_pair<First, Second>(first, second); });
    return {[&]() -> result_or_none<First> {
                COEX_TRY {
                    return result_of([&]() -> decltype(auto) { return static_cast<First&&>(first)(); });
                }
                COEX_CATCH(...) {
                    call_and_drop([&]() -> decltype(auto) { return static_cast<Second&&>(second)(); });
                    COEX_RETHROW;
                }
            }(),
            result_of([&]() -> decltype(auto) { return static_cast<Second&&>(second)(); })};
}

// The functions of a fork_join after the first, as one function that forks them.
template <class First, class Second, class... Rest>
class forked_rest {
public:
    explicit forked_rest(First& first, Second& second, Rest&... rest) noexcept
        : first_(first), second_(second), rest_(rest...) {}
    auto operator()() {
        if constexpr (sizeof...(Rest) == 0) {
            return fork_pair<First, Second>(first_, second_);
        } else {
            auto rest =
                std::apply([this](auto&... others) { return forked_rest<Second, Rest...>(second_, others...); }, rest_);
            return fork_pair<First, forked_rest<Second, Rest...>&>(first_, rest);
        }
    }

private:
    First& first_;
    Second& second_;
    std::tuple<Rest&...> rest_;
};

inline std::tuple<> as_tuple(no_result&&) noexcept {
    return {};
}
template <class First, class Second>
auto as_tuple(two_results<First, Second>&& results);
template <class Result>
std::tuple<Result> as_tuple(Result&& result) {
    return std::tuple<Result>(std::forward<Result>(result));
}
template <class First, class Second>
COEX_ALWAYS_INLINE auto as_tuple(two_results<First, Second>&& results) {
    return std::tuple_cat(as_tuple(std::forward<First>(results.first)), as_tuple(std::forward<Second>(results.second)));
}

}  // namespace detail

/// Calls all functions, in parallel where workers are idle, and returns when all have returned. The first is called on
/// the calling thread at once; each other one too, after those before it, unless an idle worker of the same pool has
/// taken it meanwhile.
///
/// Completes:   with a tuple of the results that are not void, in order; with nothing when all are void.
/// Errors:      every function is called, whatever the others throw; then the exception of the leftmost is rethrown.
/// Thread-safe: yes. On a worker, other work of its pool may run on the calling thread while it waits for a function
///              that was taken: hold no lock across the call that such work could want.
/// Lifetime:    the functions and what they refer to are used only until this returns.
/// Complexity:  a function that nobody takes costs a few nanoseconds: no allocation, no lock, no atomic
///              read-modify-write. Recursion is limited by the stack alone.
///
/// Outside of every pool the work is done by `default_pool()`. As `rayon::join`.
template <class First, class Second, class... Rest>
    requires(detail::plain_function<First> && detail::plain_function<Second> && (detail::plain_function<Rest> && ...))
COEX_ALWAYS_INLINE auto fork_join(First&& first, Second&& second, Rest&&... rest) {
    auto results = [&]() __attribute__((always_inline)) {
        if constexpr (sizeof...(Rest) == 0) {
            return detail::fork_pair<First, Second>(first, second);
        } else {
            return detail::forked_rest<First, Second, Rest...>(first, second, rest...)();
        }
    }();
    if constexpr (std::tuple_size_v<decltype(detail::as_tuple(std::move(results)))> != 0) {
        return detail::as_tuple(std::move(results));
    }
}

}  // namespace coex::inline v0
