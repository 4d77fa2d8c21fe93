#pragma once

#include <type_traits>

/// How much freedom `bulk` has, as the execution policies of the standard library. Types of our own, because
/// <execution> makes every user link a parallel algorithms library.

namespace coex::inline v0 {

/// One call after the other, on one thread.
struct sequenced_policy {};
/// Calls may run at once, on several threads.
struct parallel_policy {};
/// Calls may run at once, on several threads and interleaved on each.
struct parallel_unsequenced_policy {};
/// Calls may be interleaved, on one thread.
struct unsequenced_policy {};

inline constexpr sequenced_policy seq{};
inline constexpr parallel_policy par{};
inline constexpr parallel_unsequenced_policy par_unseq{};
inline constexpr unsequenced_policy unseq{};

namespace detail {

template <class T>
inline constexpr bool is_parallel =
    std::is_same_v<T, parallel_policy> || std::is_same_v<T, parallel_unsequenced_policy>;

}  // namespace detail

template <class T>
inline constexpr bool is_execution_policy_v =
    detail::is_parallel<T> || std::is_same_v<T, sequenced_policy> || std::is_same_v<T, unsequenced_policy>;

}  // namespace coex::inline v0
