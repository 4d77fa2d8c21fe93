#pragma once

// Without stdexec on the include path this header, and its neighbours, are empty.
#if __has_include(<stdexec/execution.hpp>)

#include <exec/interop/stdexec_scheduler.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>

#include <stdexec/execution.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

/// What environments and signatures of the one library mean in the other.

namespace coex::inline v0::interop::detail {

using coex::detail::answers;

template <class Scheduler>
concept of_context = requires(const Scheduler& scheduler) {
    { scheduler.context() } -> std::convertible_to<execution_context&>;
};

/// Whether a stdexec query is answered with one of our schedulers.
template <class Query, class... Args>
concept asks_for_ours = requires(const Query& query, const Args&... args) {
    { query(args...) } -> std::same_as<stdexec_scheduler>;
};
/// Whether a coex query is answered with the scheduler of an execution context.
template <class Query, class... Args>
concept asks_for_context = requires(const Query& query, const Args&... args) {
    { query(args...) } -> of_context;
};

template <class Query, class... Others>
concept one_of_queries = (std::same_as<std::remove_cvref_t<Query>, Others> || ...);

template <class Query>
concept coex_query = one_of_queries<Query, get_stop_token_t, get_allocator_t, get_scheduler_t, get_start_scheduler_t,
                                    get_delegation_scheduler_t>;
template <class Query>
concept stdexec_query =
    one_of_queries<Query, stdexec::get_stop_token_t, stdexec::get_allocator_t, stdexec::get_scheduler_t,
                   stdexec::get_start_scheduler_t, stdexec::get_delegation_scheduler_t>;

/// A stdexec environment for coex senders: stop token, allocator, and those schedulers that are coex's. Any other query
/// goes through as it is.
template <class Env>
class coex_env {
public:
    explicit coex_env(Env env) noexcept : env_(std::forward<Env>(env)) {}

    [[nodiscard]] auto query(get_stop_token_t) const noexcept { return stdexec::get_stop_token(env_); }
    [[nodiscard]] auto query(get_allocator_t) const noexcept
        requires std::invocable<stdexec::get_allocator_t, const Env&>
    {
        return stdexec::get_allocator(env_);
    }
    [[nodiscard]] context_scheduler query(get_scheduler_t) const noexcept
        requires asks_for_ours<stdexec::get_scheduler_t, Env>
    {
        return context_scheduler(stdexec::get_scheduler(env_).context());
    }
    [[nodiscard]] context_scheduler query(get_start_scheduler_t) const noexcept
        requires asks_for_ours<stdexec::get_start_scheduler_t, Env>
    {
        return context_scheduler(stdexec::get_start_scheduler(env_).context());
    }
    [[nodiscard]] context_scheduler query(get_delegation_scheduler_t) const noexcept
        requires asks_for_ours<stdexec::get_delegation_scheduler_t, Env>
    {
        return context_scheduler(stdexec::get_delegation_scheduler(env_).context());
    }
    template <class Query, class... Args>
        requires(!coex_query<Query> && answers<Env, Query, Args...>)
    [[nodiscard]] decltype(auto) query(Query query, Args&&... args) const noexcept {
        return env_.query(query, std::forward<Args>(args)...);
    }

private:
    [[no_unique_address]] Env env_;
};

/// The reverse: a coex environment for stdexec senders.
template <class Env>
class stdexec_env {
public:
    explicit stdexec_env(Env env) noexcept : env_(std::forward<Env>(env)) {}

    [[nodiscard]] auto query(stdexec::get_stop_token_t) const noexcept { return get_stop_token(env_); }
    [[nodiscard]] auto query(stdexec::get_allocator_t) const noexcept
        requires answers<Env, get_allocator_t>
    {
        return get_allocator(env_);
    }
    [[nodiscard]] stdexec_scheduler query(stdexec::get_scheduler_t) const noexcept
        requires asks_for_context<get_scheduler_t, Env>
    {
        return stdexec_scheduler(get_scheduler(env_).context());
    }
    [[nodiscard]] stdexec_scheduler query(stdexec::get_start_scheduler_t) const noexcept
        requires asks_for_context<get_start_scheduler_t, Env>
    {
        return stdexec_scheduler(get_start_scheduler(env_).context());
    }
    [[nodiscard]] stdexec_scheduler query(stdexec::get_delegation_scheduler_t) const noexcept
        requires asks_for_context<get_delegation_scheduler_t, Env>
    {
        return stdexec_scheduler(get_delegation_scheduler(env_).context());
    }
    template <class Query, class... Args>
        requires(!stdexec_query<Query> && answers<Env, Query, Args...>)
    [[nodiscard]] decltype(auto) query(Query query, Args&&... args) const noexcept {
        return env_.query(query, std::forward<Args>(args)...);
    }

private:
    [[no_unique_address]] Env env_;
};

}  // namespace coex::inline v0::interop::detail

#endif
