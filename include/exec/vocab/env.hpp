#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

/// Environments: small objects that answer queries about a sender, a receiver or a scheduler, as in C++26.

namespace coex::inline v0 {

/// Asks a query object whether adaptors pass it on, from a receiver to the senders inside and the other way round.
/// A query says so by deriving from `forwarding_query_t`, or by a constexpr member `query(forwarding_query_t)`.
inline constexpr struct forwarding_query_t {
    template <class Query>
    [[nodiscard]] constexpr bool operator()(const Query& query) const noexcept {
        if constexpr (requires { query.query(*this); }) {
            return query.query(*this);
        } else {
            return std::derived_from<Query, forwarding_query_t>;
        }
    }
} forwarding_query{};

namespace detail {

template <class Env, class Query, class... Args>
concept answers =
    requires(const Env& env, Query query, Args&&... args) { env.query(query, std::forward<Args>(args)...); };

template <class Query>
inline constexpr bool is_forwarded = std::derived_from<Query, forwarding_query_t>;
template <class Query>
    requires requires { typename std::bool_constant<Query().query(forwarding_query)>; }
inline constexpr bool is_forwarded<Query> = Query().query(forwarding_query);

}  // namespace detail

/// An environment with one answer: `prop(get_stop_token, token)`.
template <class Query, class Value>
class prop {
public:
    constexpr prop(Query, Value value) : value_(std::forward<Value>(value)) {}
    [[nodiscard]] constexpr const Value& query(Query) const noexcept { return value_; }

private:
    [[no_unique_address]] Value value_;
};

template <class Query, class Value>
prop(Query, Value) -> prop<Query, std::unwrap_reference_t<Value>>;

/// Several environments in one: the first that can answer a query does. `env<>` answers nothing.
template <class... Envs>
class env;

template <>
class env<> {};

template <class First, class... Rest>
class env<First, Rest...> {
public:
    constexpr env(First first, Rest... rest) : first_(std::forward<First>(first)), rest_(std::forward<Rest>(rest)...) {}

    template <class Query, class... Args>
        requires detail::answers<First, Query, Args...>
    [[nodiscard]] constexpr decltype(auto) query(Query query, Args&&... args) const noexcept {
        return static_cast<const First&>(first_).query(query, std::forward<Args>(args)...);
    }
    template <class Query, class... Args>
        requires(!detail::answers<First, Query, Args...> && detail::answers<env<Rest...>, Query, Args...>)
    [[nodiscard]] constexpr decltype(auto) query(Query query, Args&&... args) const noexcept {
        return rest_.query(query, std::forward<Args>(args)...);
    }

private:
    [[no_unique_address]] First first_;
    [[no_unique_address]] env<Rest...> rest_;
};

template <class... Envs>
env(Envs...) -> env<std::unwrap_reference_t<Envs>...>;

/// The environment without answers.
using empty_env = env<>;

/// Asks an object for its environment: `object.get_env()`, or the empty one.
inline constexpr struct get_env_t {
    template <class T>
    [[nodiscard]] constexpr decltype(auto) operator()(const T& object) const noexcept {
        if constexpr (requires { object.get_env(); }) {
            static_assert(noexcept(object.get_env()),
                          "coex: get_env() may throw, but is asked where nothing can be thrown; declare it noexcept");
            return object.get_env();
        } else {
            return env<>{};
        }
    }
} get_env{};

/// What `get_env` gives.
template <class T>
using env_of_t = decltype(get_env(std::declval<T>()));

namespace detail {

/// What an adaptor lets through of the environment of its receiver, or of the attributes of its child: the queries that
/// want to be forwarded. Holds a reference when `Env` is one.
template <class Env>
class forwarded_env {
public:
    constexpr explicit forwarded_env(Env&& env) noexcept : env_(std::forward<Env>(env)) {}

    template <class Query, class... Args>
        requires(is_forwarded<Query> && answers<Env, Query, Args...>)
    [[nodiscard]] constexpr decltype(auto) query(Query query, Args&&... args) const noexcept {
        return static_cast<const std::remove_reference_t<Env>&>(env_).query(query, std::forward<Args>(args)...);
    }

private:
    [[no_unique_address]] Env env_;
};

template <class Env>
inline constexpr bool is_forwarded_env = false;
template <>
inline constexpr bool is_forwarded_env<env<>> = true;
template <class Env>
inline constexpr bool is_forwarded_env<forwarded_env<Env>> = true;

template <class Env>
struct forwarded {
    using type = forwarded_env<Env>;
};
template <class Env>
    requires is_forwarded_env<std::remove_cvref_t<Env>>
struct forwarded<Env> {
    using type = std::remove_cvref_t<Env>;
};

/// What `forward_env_of` gives for an object whose environment is `Env`.
template <class Env>
using forwarded_t = typename forwarded<Env>::type;

/// The forwarded part of `get_env(object)`.
template <class T>
[[nodiscard]] constexpr auto forward_env_of(const T& object) noexcept {
    return forwarded_t<decltype(get_env(object))>(get_env(object));
}

}  // namespace detail
}  // namespace coex::inline v0
