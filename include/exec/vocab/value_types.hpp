#pragma once

#include <exec/vocab/completion_signatures.hpp>

#include <tuple>
#include <type_traits>
#include <variant>

namespace coex::inline v0 {
namespace detail {

template <class... Ts>
using decayed_tuple = std::tuple<std::decay_t<Ts>...>;

/// A variant of distinct types.
template <class Variant, class... Ts>
struct distinct_variant {
    using type = Variant;
};
template <class... Have, class Next, class... More>
struct distinct_variant<std::variant<Have...>, Next, More...>
    : distinct_variant<
          std::conditional_t<(std::is_same_v<Next, Have> || ...), std::variant<Have...>, std::variant<Have..., Next>>,
          More...> {};

/// What a variant of no types is made of: it cannot be created.
struct empty_variant {
    empty_variant() = delete;
};

template <class... Ts>
struct variant_or_empty_of : distinct_variant<std::variant<>, std::decay_t<Ts>...> {};
template <>
struct variant_or_empty_of<> {
    using type = empty_variant;
};
template <class... Ts>
using variant_or_empty = typename variant_or_empty_of<Ts...>::type;

template <class... Ts>
struct types {};

/// The signatures of a set that complete by `Tag`, each as `Each<arguments...>`.
template <class Tag, class Signatures, template <class...> class Each, class Found = types<>>
struct gathered;
template <class Tag, template <class...> class Each, class... Found>
struct gathered<Tag, completion_signatures<>, Each, types<Found...>> {
    template <template <class...> class All>
    using as = All<Found...>;
};
template <class Tag, class... Args, class... Rest, template <class...> class Each, class... Found>
struct gathered<Tag, completion_signatures<Tag(Args...), Rest...>, Each, types<Found...>>
    : gathered<Tag, completion_signatures<Rest...>, Each, types<Found..., Each<Args...>>> {};
template <class Tag, class Other, class... Rest, template <class...> class Each, class... Found>
struct gathered<Tag, completion_signatures<Other, Rest...>, Each, types<Found...>>
    : gathered<Tag, completion_signatures<Rest...>, Each, types<Found...>> {};

template <class... Ts>
struct only;
template <class T>
struct only<T> {
    using type = T;
};
template <class... Ts>
using only_t = typename only<Ts...>::type;

}  // namespace detail

/// The values that a sender can complete with: `Variant<Tuple<Values...>...>`.
template <class Sender, class Env = env<>, template <class...> class Tuple = detail::decayed_tuple,
          template <class...> class Variant = detail::variant_or_empty>
    requires sender_in<Sender, Env>
using value_types_of_t =
    typename detail::gathered<set_value_t, completion_signatures_of_t<Sender, Env>, Tuple>::template as<Variant>;

/// The errors that a sender can complete with: `Variant<Errors...>`.
template <class Sender, class Env = env<>, template <class...> class Variant = detail::variant_or_empty>
    requires sender_in<Sender, Env>
using error_types_of_t = typename detail::gathered<set_error_t, completion_signatures_of_t<Sender, Env>,
                                                   detail::only_t>::template as<Variant>;

}  // namespace coex::inline v0
