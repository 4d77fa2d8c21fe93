#pragma once

#include <exec/vocab/env.hpp>
#include <exec/vocab/stop_token.hpp>

#include <type_traits>
#include <utility>

/// What environments can be asked, with the names of C++26 `std::execution`.

namespace coex::inline v0 {

/// Asks an environment for its stop token; one without an answer can never be stopped.
inline constexpr struct get_stop_token_t : forwarding_query_t {
    template <class Env>
    [[nodiscard]] constexpr auto operator()(const Env& env) const noexcept {
        if constexpr (detail::answers<Env, get_stop_token_t>) {
            return env.query(*this);
        } else {
            return never_stop_token{};
        }
    }
} get_stop_token{};

template <class T>
using stop_token_of_t = decltype(get_stop_token(std::declval<T>()));

namespace detail {

/// A query that has an answer only where the environment gives one.
template <class Query>
struct plain_query : forwarding_query_t {
    template <class Env>
        requires answers<Env, Query>
    [[nodiscard]] constexpr auto operator()(const Env& env) const noexcept {
        return env.query(static_cast<const Query&>(*this));
    }
};

}  // namespace detail

/// Asks an environment for the scheduler on which its work should be done.
inline constexpr struct get_scheduler_t : detail::plain_query<get_scheduler_t> {
} get_scheduler{};

/// Asks a receiver's environment for the scheduler on whose place the operation is started.
inline constexpr struct get_start_scheduler_t : detail::plain_query<get_start_scheduler_t> {
} get_start_scheduler{};

/// Asks an environment for a scheduler to which somebody who blocks can hand work: that of `sync_wait`'s own thread.
inline constexpr struct get_delegation_scheduler_t : detail::plain_query<get_delegation_scheduler_t> {
} get_delegation_scheduler{};

/// Asks an environment for the allocator of what must be allocated.
inline constexpr struct get_allocator_t : detail::plain_query<get_allocator_t> {
} get_allocator{};

/// Asks a sender's attributes for the scheduler on whose place it completes by `Tag` (`set_value_t`, ...). `env` is the
/// environment of the receiver that it will have; senders that complete where they were started need it.
template <class Tag>
struct get_completion_scheduler_t : forwarding_query_t {
    template <class Attributes, class... Env>
        requires(detail::answers<Attributes, get_completion_scheduler_t, const Env&...> ||
                 detail::answers<Attributes, get_completion_scheduler_t>)
    [[nodiscard]] constexpr auto operator()(const Attributes& attributes, const Env&... env) const noexcept {
        if constexpr (detail::answers<Attributes, get_completion_scheduler_t, const Env&...>) {
            return attributes.query(*this, env...);
        } else {
            return attributes.query(*this);
        }
    }
};
template <class Tag>
inline constexpr get_completion_scheduler_t<Tag> get_completion_scheduler{};

/// What a scheduler promises about the progress of what runs on it.
enum class forward_progress_guarantee : unsigned char { concurrent, parallel, weakly_parallel };

inline constexpr struct get_forward_progress_guarantee_t {
    template <class Scheduler>
    [[nodiscard]] constexpr forward_progress_guarantee operator()(const Scheduler& scheduler) const noexcept {
        if constexpr (detail::answers<Scheduler, get_forward_progress_guarantee_t>) {
            return scheduler.query(*this);
        } else {
            return forward_progress_guarantee::weakly_parallel;
        }
    }
} get_forward_progress_guarantee{};

namespace detail {

template <class Env>
concept has_start_scheduler = answers<Env, get_start_scheduler_t> || answers<Env, get_scheduler_t>;

/// The scheduler of the place where an operation with environment `env` is started. Environments that know only
/// `get_scheduler` mean the same by it.
template <has_start_scheduler Env>
[[nodiscard]] constexpr auto start_scheduler_of(const Env& env) noexcept {
    if constexpr (answers<Env, get_start_scheduler_t>) {
        return get_start_scheduler(env);
    } else {
        return get_scheduler(env);
    }
}

/// The attributes of senders that complete inside `start()`: where they were started.
struct inline_attributes {
    template <class Tag, has_start_scheduler Env>
    [[nodiscard]] constexpr auto query(get_completion_scheduler_t<Tag>, const Env& env) const noexcept {
        return start_scheduler_of(env);
    }
};

/// The answers of an environment in which work is started on `scheduler`.
template <class Scheduler>
class scheduler_env {
public:
    constexpr explicit scheduler_env(Scheduler scheduler) noexcept : scheduler_(std::move(scheduler)) {}
    [[nodiscard]] constexpr Scheduler query(get_scheduler_t) const noexcept { return scheduler_; }
    [[nodiscard]] constexpr Scheduler query(get_start_scheduler_t) const noexcept { return scheduler_; }

private:
    [[no_unique_address]] Scheduler scheduler_;
};

}  // namespace detail
}  // namespace coex::inline v0
