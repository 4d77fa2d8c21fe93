#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

// Has a constructor: g++ 12 overwrites the neighbour of an empty element that is made by aggregate initialisation.
template <std::size_t Index, class T>
struct pack_element {
    template <class U>
    constexpr explicit pack_element(std::in_place_t, U&& from) noexcept(std::is_nothrow_constructible_v<T, U>)
        : value(std::forward<U>(from)) {}

    [[no_unique_address]] T value;
};

template <class Indices, class... Ts>
class pack_of;

/// Some values side by side: a tuple with nothing but `apply`, so that it costs the compiler little.
template <std::size_t... Is, class... Ts>
class pack_of<std::index_sequence<Is...>, Ts...> : pack_element<Is, Ts>... {
public:
    template <class... Us>
        requires(sizeof...(Us) == sizeof...(Ts) && (std::is_constructible_v<Ts, Us> && ...))
    constexpr explicit pack_of(std::in_place_t,
                               Us&&... values) noexcept((std::is_nothrow_constructible_v<Ts, Us> && ...))
        : pack_element<Is, Ts>(std::in_place, std::forward<Us>(values))... {}

    /// Calls the function with all values, as lvalues.
    template <class F>
    constexpr decltype(auto) apply(F&& function) & {
        return std::forward<F>(function)(static_cast<pack_element<Is, Ts>&>(*this).value...);
    }
    template <class F>
    constexpr decltype(auto) apply(F&& function) const& {
        return std::forward<F>(function)(static_cast<const pack_element<Is, Ts>&>(*this).value...);
    }
    /// Calls the function with all values, as rvalues.
    template <class F>
    constexpr decltype(auto) apply(F&& function) && {
        return std::forward<F>(function)(std::forward<Ts>(static_cast<pack_element<Is, Ts>&>(*this).value)...);
    }
};

template <class... Ts>
using pack = pack_of<std::index_sequence_for<Ts...>, Ts...>;

/// What can be given to an adaptor, to be kept in its sender.
template <class T>
concept movable_value = std::move_constructible<std::decay_t<T>> && std::constructible_from<std::decay_t<T>, T>;

}  // namespace coex::inline v0::detail
