#pragma once

#include <exec/algo/pack.hpp>
#include <exec/coro/named_sender.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

/// The base of what can stand behind a `|`: `struct twice : sender_adaptor_closure<twice> { auto operator()(sender
/// auto&& s) ...; }`. As C++26 `std::execution::sender_adaptor_closure`.
template <class Derived>
    requires std::is_class_v<Derived> && std::same_as<Derived, std::remove_cv_t<Derived>>
class sender_adaptor_closure {};

namespace detail {

template <class T>
concept closure = std::derived_from<std::remove_cvref_t<T>, sender_adaptor_closure<std::remove_cvref_t<T>>>;

/// An adaptor whose arguments but the sender are given: `then(f)` is `bound_adaptor<then_t, F>`.
template <class Adaptor, class... Args>
class bound_adaptor : public sender_adaptor_closure<bound_adaptor<Adaptor, Args...>> {
public:
    template <class... Us>
    constexpr explicit bound_adaptor(std::in_place_t, Us&&... args) : args_(std::in_place, std::forward<Us>(args)...) {}

    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& sender) && {
        return std::move(args_).apply([&sender](auto&&... args) {
            return Adaptor()(std::forward<Sender>(sender), std::forward<decltype(args)>(args)...);
        });
    }
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& sender) const& {
        return args_.apply([&sender](const auto&... args) { return Adaptor()(std::forward<Sender>(sender), args...); });
    }

private:
    [[no_unique_address]] pack<Args...> args_;
};

template <class Adaptor, class... Args>
[[nodiscard]] constexpr auto bind_adaptor(Adaptor, Args&&... args) {
    return bound_adaptor<Adaptor, std::decay_t<Args>...>(std::in_place, std::forward<Args>(args)...);
}

/// Two closures one after the other.
template <class First, class Second>
class composed_closure : public sender_adaptor_closure<composed_closure<First, Second>> {
public:
    template <class F, class S>
    constexpr composed_closure(F&& first, S&& second)
        : first_(std::forward<F>(first)), second_(std::forward<S>(second)) {}

    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& sender) && {
        return std::move(second_)(std::move(first_)(std::forward<Sender>(sender)));
    }
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& sender) const& {
        return second_(first_(std::forward<Sender>(sender)));
    }

private:
    [[no_unique_address]] First first_;
    [[no_unique_address]] Second second_;
};

/// The child of a sender of type `Self` as it is handed on: moved out of an rvalue, copied out of an lvalue.
template <class Self, class Child>
using child_of_t = std::conditional_t<std::is_lvalue_reference_v<Self>, const Child&, Child>;

}  // namespace detail

/// `sender | closure` is `closure(sender)`.
template <sender Sender, detail::closure Closure>
[[nodiscard]] constexpr auto operator|(Sender&& sender, Closure&& closure) {
    return std::forward<Closure>(closure)(std::forward<Sender>(sender));
}

/// For a sender that has to be handed over: says so.
template <detail::named_once_sender Sender, detail::closure Closure>
constexpr auto operator|(Sender&&, Closure&&) {
    static_assert(sizeof(Closure*) == 0,
                  "coex: the sender before this | can be started once only (a task, or one that owns what only moves), "
                  "and is given by its name; hand it over: std::move(sender) | ...");
}

/// `(s | first) | second` is `s | (first | second)`.
template <detail::closure First, detail::closure Second>
[[nodiscard]] constexpr auto operator|(First&& first, Second&& second) {
    return detail::composed_closure<std::remove_cvref_t<First>, std::remove_cvref_t<Second>>(
        std::forward<First>(first), std::forward<Second>(second));
}

}  // namespace coex::inline v0
