#pragma once

#include <exec/vocab/env.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

/// The ways in which a sender can complete, as function types: `set_value_t(int)`, `set_error_t(std::exception_ptr)`,
/// `set_stopped_t()`. Each at most once.
template <class... Signatures>
struct completion_signatures {};

namespace detail {

template <class T>
inline constexpr bool is_signature = false;
template <class... Values>
inline constexpr bool is_signature<set_value_t(Values...)> = true;
template <class Error>
inline constexpr bool is_signature<set_error_t(Error)> = true;
template <>
inline constexpr bool is_signature<set_stopped_t()> = true;

template <class T>
inline constexpr bool are_signatures = false;
template <class... Signatures>
inline constexpr bool are_signatures<completion_signatures<Signatures...>> = (is_signature<Signatures> && ...);

/// In place of the signatures of a sender that completes differently in different environments, when none is given.
struct needs_env {};

template <class Sender, class... Env>
concept tells_by_function =
    requires { std::remove_cvref_t<Sender>::template get_completion_signatures<Sender, Env...>(); };

template <class Sender>
concept tells_by_alias = requires { typename std::remove_cvref_t<Sender>::completion_signatures; };

}  // namespace detail

/// The completion signatures of a sender that is connected to a receiver with environment `Env`: those that its
/// `static consteval auto get_completion_signatures<Self, Env...>()` returns, or its member type
/// `completion_signatures`. Without `Env` only for senders that complete alike in every environment.
template <class Sender, class... Env>
    requires(sizeof...(Env) <= 1)
[[nodiscard]] consteval auto get_completion_signatures() {
    if constexpr (detail::tells_by_function<Sender, Env...>) {
        return std::remove_cvref_t<Sender>::template get_completion_signatures<Sender, Env...>();
    } else if constexpr (detail::tells_by_function<Sender>) {
        return std::remove_cvref_t<Sender>::template get_completion_signatures<Sender>();
    } else if constexpr (detail::tells_by_alias<Sender>) {
        return typename std::remove_cvref_t<Sender>::completion_signatures{};
    } else {
        return detail::needs_env{};
    }
}

template <class T>
concept valid_completion_signatures = detail::are_signatures<T>;

/// A sender of which is known how it completes in the environment `Env`.
template <class Sender, class... Env>
concept sender_in = sender<Sender> && (sizeof...(Env) <= 1) &&
                    valid_completion_signatures<decltype(get_completion_signatures<Sender, Env...>())>;

template <class Sender, class... Env>
    requires sender_in<Sender, Env...>
using completion_signatures_of_t = decltype(get_completion_signatures<Sender, Env...>());

/// A sender that must know the environment to tell how it completes.
template <class Sender>
concept dependent_sender =
    sender<Sender> && std::same_as<decltype(get_completion_signatures<Sender>()), detail::needs_env>;

namespace detail {

template <class Receiver, class Signature>
inline constexpr bool takes = false;
template <class Receiver, class Tag, class... Args>
inline constexpr bool takes<Receiver, Tag(Args...)> = requires(Receiver&& receiver, Args&&... args) {
    Tag()(std::forward<Receiver>(receiver), std::forward<Args>(args)...);
};

template <class Receiver, class Signatures>
inline constexpr bool takes_all = false;
template <class Receiver, class... Signatures>
inline constexpr bool takes_all<Receiver, completion_signatures<Signatures...>> =
    (takes<std::remove_cvref_t<Receiver>, Signatures> && ...);

}  // namespace detail

/// A receiver that can be completed in all the ways of `Signatures`.
template <class Receiver, class Signatures>
concept receiver_of = receiver<Receiver> && detail::takes_all<Receiver, Signatures>;

/// A sender and a receiver that fit each other.
template <class Sender, class Receiver>
concept sender_to = sender_in<Sender, env_of_t<Receiver>> &&
                    receiver_of<Receiver, decltype(get_completion_signatures<Sender, env_of_t<Receiver>>())> &&
                    requires(Sender&& sender, Receiver&& receiver) {
                        connect(std::forward<Sender>(sender), std::forward<Receiver>(receiver));
                    };

namespace detail {

// --- computing with signatures
// ----------------------------------------------------------------------------------------

template <class Set, class... More>
struct added;
template <class... Have>
struct added<completion_signatures<Have...>> {
    using type = completion_signatures<Have...>;
};
template <class... Have, class Next, class... More>
struct added<completion_signatures<Have...>, Next, More...>
    : added<std::conditional_t<(std::is_same_v<Next, Have> || ...), completion_signatures<Have...>,
                               completion_signatures<Have..., Next>>,
            More...> {};

template <class... Sets>
struct united {
    using type = needs_env;
};
template <>
struct united<> {
    using type = completion_signatures<>;
};
template <class... Signatures>
struct united<completion_signatures<Signatures...>> : added<completion_signatures<>, Signatures...> {};
template <class... First, class... Second, class... Sets>
struct united<completion_signatures<First...>, completion_signatures<Second...>, Sets...>
    : united<typename added<completion_signatures<First...>, Second...>::type, Sets...> {};

/// All signatures of several sets, each once; `needs_env` when that is among the sets.
template <class... Sets>
using united_t = typename united<Sets...>::type;

/// A map that leaves each signature as it is. Derive, and hide what shall change: each member gives a set.
struct keep_signatures {
    template <class... Values>
    using on_value = completion_signatures<set_value_t(Values...)>;
    template <class Error>
    using on_error = completion_signatures<set_error_t(Error)>;
    template <class Map>
    using on_stopped = completion_signatures<set_stopped_t()>;
};

template <class Signature, class Map>
struct mapped;
template <class... Values, class Map>
struct mapped<set_value_t(Values...), Map> {
    using type = typename Map::template on_value<Values...>;
};
template <class Error, class Map>
struct mapped<set_error_t(Error), Map> {
    using type = typename Map::template on_error<Error>;
};
template <class Map>
struct mapped<set_stopped_t(), Map> {
    using type = typename Map::template on_stopped<Map>;
};

template <class Signatures, class Map, class... Extra>
struct mapped_all {
    using type = needs_env;
};
template <class... Signatures, class Map, class... Extra>
struct mapped_all<completion_signatures<Signatures...>, Map, Extra...>
    : united<typename mapped<Signatures, Map>::type..., completion_signatures<Extra...>> {};

/// Each signature replaced by the set that `Map` gives for it, plus `Extra` signatures.
template <class Signatures, class Map, class... Extra>
using mapped_t = typename mapped_all<Signatures, Map, Extra...>::type;

template <class Result>
struct value_signature {
    using type = set_value_t(Result);
};
template <>
struct value_signature<void> {
    using type = set_value_t();
};
/// The signature of a function's result that is sent.
template <class Result>
using value_signature_t = typename value_signature<Result>::type;

template <class Tag, class Signature>
inline constexpr bool is_completion_of = false;
template <class Tag, class... Args>
inline constexpr bool is_completion_of<Tag, Tag(Args...)> = true;

/// How many signatures of a set complete by `Tag`.
template <class Tag, class Signatures>
inline constexpr int count_of = 0;
template <class Tag, class... Signatures>
inline constexpr int count_of<Tag, completion_signatures<Signatures...>> =
    (0 + ... + static_cast<int>(is_completion_of<Tag, Signatures>));

template <class Signature, class Signatures>
inline constexpr bool contains = false;
template <class Signature, class... Signatures>
inline constexpr bool contains<Signature, completion_signatures<Signatures...>> =
    (std::is_same_v<Signature, Signatures> || ...);

/// Stands for any receiver with environment `Env` where only types are asked for.
template <class Env>
struct receiver_archetype {
    using receiver_concept = receiver_tag;

    template <class... Values>
    void set_value(Values&&...) && noexcept;
    template <class Error>
    void set_error(Error&&) && noexcept;
    void set_stopped() && noexcept;
    [[nodiscard]] Env get_env() const noexcept;
};

template <class Sender, class Receiver>
inline constexpr bool is_nothrow_connectable = noexcept(connect(std::declval<Sender>(), std::declval<Receiver>()));

}  // namespace detail

/// Whether a sender can complete as stopped.
template <class Sender, class... Env>
    requires sender_in<Sender, Env...>
inline constexpr bool sends_stopped =
    detail::contains<set_stopped_t(), decltype(get_completion_signatures<Sender, Env...>())>;

}  // namespace coex::inline v0
