#pragma once

#include <exec/base/std_allocator.hpp>
#include <exec/coro/error_slot.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

/// What the Environment of a `task<T, Environment>` says, and what it leaves to the defaults.

namespace coex::inline v0::detail {

/// `Member<Environment>` where the Environment has that member type, and else `Default`.
template <class Environment, template <class> class Member, class Default>
struct member_or {
    using type = Default;
};
template <class Environment, template <class> class Member, class Default>
    requires requires { typename Member<Environment>; }
struct member_or<Environment, Member, Default> {
    using type = Member<Environment>;
};
template <class Environment, template <class> class Member, class Default>
using member_or_t = typename member_or<Environment, Member, Default>::type;

template <class Environment>
using allocator_member = typename Environment::allocator_type;
template <class Environment>
using scheduler_member = typename Environment::scheduler_type;
template <class Environment>
using start_scheduler_member = typename Environment::start_scheduler_type;
template <class Environment>
using stop_source_member = typename Environment::stop_source_type;
template <class Environment>
using errors_member = typename Environment::error_types;

template <class Signatures>
inline constexpr bool are_errors = false;
template <class... Errors>
inline constexpr bool are_errors<completion_signatures<set_error_t(Errors)...>> = true;

template <class Environment>
struct environment_traits {
    using allocator_type = member_or_t<Environment, allocator_member, std::allocator<std::byte>>;
    // Both names may be there, for libraries that know only one of them.
    using start_scheduler_type =
        member_or_t<Environment, start_scheduler_member, member_or_t<Environment, scheduler_member, context_scheduler>>;
    using stop_source_type = member_or_t<Environment, stop_source_member, inplace_stop_source>;
    using stop_token_type = decltype(std::declval<stop_source_type&>().get_token());
    using error_types = member_or_t<Environment, errors_member, completion_signatures<set_error_t(std::exception_ptr)>>;

    static_assert(scheduler<start_scheduler_type> && std::constructible_from<start_scheduler_type, context_scheduler>,
                  "coex: task: the start_scheduler_type (or scheduler_type) of this Environment cannot be made of a "
                  "coex::context_scheduler, and a task's place is an execution context of coex; leave it out, or give "
                  "it such a constructor");
    static_assert(stoppable_token<stop_token_type>,
                  "coex: task: the stop_source_type of this Environment needs a get_token() that returns a stop token");
    static_assert(are_errors<error_types>,
                  "coex: task: the error_types of this Environment must be coex::completion_signatures of set_error_t");

    /// False when the token that the task has anyway is what its Environment wants.
    static constexpr bool has_own_stop_source = !std::same_as<stop_token_type, inplace_stop_token>;

    template <class Error>
    static constexpr bool sends = contains<set_error_t(Error), error_types>;

    [[nodiscard]] static start_scheduler_type scheduler_of(execution_context& context) noexcept {
        return start_scheduler_type(context_scheduler(context));
    }

    template <class Env>
    struct env_choice {
        using type = env<>;
    };
    template <class Env>
        requires requires { typename Environment::template env_type<Env>; }
    struct env_choice<Env> {
        using type = typename Environment::template env_type<Env>;
    };
    /// What is kept beside an Environment that is made of the environment `Env`.
    template <class Env>
    using own_env = typename env_choice<Env>::type;

    template <class Env>
    [[nodiscard]] static own_env<Env> make_own_env(const std::remove_cvref_t<Env>& from) {
        if constexpr (std::constructible_from<own_env<Env>, const std::remove_cvref_t<Env>&>) {
            return own_env<Env>(from);
        } else {
            return own_env<Env>();
        }
    }
    template <class OwnEnv, class Env>
    [[nodiscard]] static Environment make(const OwnEnv& own, const Env& from) {
        if constexpr (std::constructible_from<Environment, const OwnEnv&>) {
            return Environment(own);
        } else if constexpr (std::constructible_from<Environment, const Env&>) {
            return Environment(from);
        } else {
            return Environment();
        }
    }
};

/// A stop source of a type of the user's, which a stop of the task stops too, while linked.
template <class Source, class Token>
class chosen_stop_source {
    struct request {
        Source* source;
        void operator()() const noexcept { source->request_stop(); }
    };

public:
    [[nodiscard]] Token get_token() const noexcept { return source_.get_token(); }
    void link(inplace_stop_token outer) noexcept {
        if constexpr (!unstoppable_token<Token>) link_.emplace(outer, request{&source_});
    }
    void unlink() noexcept { link_.reset(); }

private:
    Source source_;
    std::optional<inplace_stop_callback<request>> link_;
};

/// The task's own token does.
template <class Source>
class chosen_stop_source<Source, inplace_stop_token> {
public:
    static void link(inplace_stop_token) noexcept {}
    static void unlink() noexcept {}
};

/// What the waiter of a task with an environment keeps for it.
template <class Environment>
class environment_state {
    using traits = environment_traits<Environment>;

public:
    template <class OwnEnv, class Env>
    environment_state(const OwnEnv& own, const Env& from) : environment(traits::make(own, from)) {}

    Environment environment;
    chosen_stop_source<typename traits::stop_source_type, typename traits::stop_token_type> stop;
    error_slot<typename traits::error_types> error;
};

}  // namespace coex::inline v0::detail
