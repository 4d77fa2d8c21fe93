#pragma once

#include <exec/vocab/sender.hpp>

#include <concepts>
#include <exception>
#include <source_location>
#include <type_traits>

/// What a scope gives to those who put work into it, with the names of C++26.

namespace coex::inline v0 {

/// Keeps a scope from being joined, as long as it lives. One that converts to false keeps nothing: the scope was
/// closed.
template <class T>
concept scope_association =
    std::movable<T> && std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
    std::default_initializable<T> && requires(const T association) {
        { static_cast<bool>(association) } noexcept;
        { association.try_associate() } -> std::same_as<T>;
    };

namespace detail {

/// A sender of which only is known that it is one.
struct any_work {
    using sender_concept = sender_tag;
};

}  // namespace detail

/// A handle by which work is put into a scope: `try_associate()` asks for admission, `wrap(sender)` gives the sender
/// what the scope wants its work to have, such as its stop token.
template <class T>
concept scope_token = std::copyable<T> && requires(const T token) {
    { token.try_associate() } -> scope_association;
    { token.wrap(detail::any_work()) } -> sender;
};

namespace detail {

template <class Token>
using association_of = decltype(std::declval<const Token&>().try_associate());

/// Scopes that take the exceptions of work that nobody awaits, and hand them to who joins them.
template <class Association>
concept takes_exceptions = requires(const Association association, std::exception_ptr error) {
    { association.fail(error) } noexcept;
};

template <class Token>
[[nodiscard]] auto associate_at(const Token& token, const std::source_location& where) {
    if constexpr (requires { token.try_associate(where); }) {
        return token.try_associate(where);
    } else {
        return token.try_associate();
    }
}

}  // namespace detail
}  // namespace coex::inline v0
