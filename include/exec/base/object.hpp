#pragma once

#include <cstddef>

namespace coex::inline v0::detail {

/// As std::addressof: the address of an object whose type may have an operator & of its own.
template <class T>
[[nodiscard]] constexpr T* address_of(T& object) noexcept {
    return __builtin_addressof(object);
}
template <class T>
const T* address_of(const T&&) = delete;

/// Ends the lifetime of an object, and leaves its memory to the caller. As std::destroy_at, but not for arrays.
template <class T>
constexpr void destroy(T* object) noexcept {
    object->~T();
}

/// The largest of some sizes.
template <std::size_t First, std::size_t... Rest>
inline constexpr std::size_t largest_of = First;
template <std::size_t First, std::size_t Second, std::size_t... Rest>
inline constexpr std::size_t largest_of<First, Second, Rest...> =
    largest_of<(First > Second ? First : Second), Rest...>;

}  // namespace coex::inline v0::detail
