// Included by the headers of each façade, stdexec_*.hpp and std_*.hpp: COEX_SENDER_LIBRARY is the façade's namespace,
// in which `library` names that of the other library's senders.

/// What environments and signatures of the one library mean in the other.

namespace coex::inline v0::interop::COEX_SENDER_LIBRARY::detail {

using coex::detail::answers;

template <class Scheduler>
concept of_context = requires(const Scheduler& scheduler) {
    { scheduler.context() } -> std::convertible_to<execution_context&>;
};

/// Whether a query of the library is answered with one of our schedulers.
template <class Query, class... Args>
concept asks_for_ours = requires(const Query& query, const Args&... args) {
    { query(args...) } -> std::same_as<library_scheduler>;
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
concept library_query =
    one_of_queries<Query, library::get_stop_token_t, library::get_allocator_t, library::get_scheduler_t,
                   library::get_start_scheduler_t, library::get_delegation_scheduler_t>;

/// An environment of the library for coex senders: stop token, allocator, and those schedulers that are coex's. Any
/// other query goes through as it is.
template <class Env>
class coex_env {
public:
    explicit coex_env(Env env) noexcept : env_(std::forward<Env>(env)) {}

    [[nodiscard]] auto query(get_stop_token_t) const noexcept { return library::get_stop_token(env_); }
    [[nodiscard]] auto query(get_allocator_t) const noexcept
        requires std::invocable<library::get_allocator_t, const Env&>
    {
        return library::get_allocator(env_);
    }
    [[nodiscard]] context_scheduler query(get_scheduler_t) const noexcept
        requires asks_for_ours<library::get_scheduler_t, Env>
    {
        return context_scheduler(library::get_scheduler(env_).context());
    }
    [[nodiscard]] context_scheduler query(get_start_scheduler_t) const noexcept
        requires asks_for_ours<library::get_start_scheduler_t, Env>
    {
        return context_scheduler(library::get_start_scheduler(env_).context());
    }
    [[nodiscard]] context_scheduler query(get_delegation_scheduler_t) const noexcept
        requires asks_for_ours<library::get_delegation_scheduler_t, Env>
    {
        return context_scheduler(library::get_delegation_scheduler(env_).context());
    }
    template <class Query, class... Args>
        requires(!coex_query<Query> && answers<Env, Query, Args...>)
    [[nodiscard]] decltype(auto) query(Query query, Args&&... args) const noexcept {
        return env_.query(query, std::forward<Args>(args)...);
    }

private:
    [[no_unique_address]] Env env_;
};

/// The reverse: a coex environment for the library's senders.
template <class Env>
class library_env {
public:
    explicit library_env(Env env) noexcept : env_(std::forward<Env>(env)) {}

    [[nodiscard]] auto query(library::get_stop_token_t) const noexcept { return get_stop_token(env_); }
    [[nodiscard]] auto query(library::get_allocator_t) const noexcept
        requires answers<Env, get_allocator_t>
    {
        return get_allocator(env_);
    }
    [[nodiscard]] library_scheduler query(library::get_scheduler_t) const noexcept
        requires asks_for_context<get_scheduler_t, Env>
    {
        return library_scheduler(get_scheduler(env_).context());
    }
    [[nodiscard]] library_scheduler query(library::get_start_scheduler_t) const noexcept
        requires asks_for_context<get_start_scheduler_t, Env>
    {
        return library_scheduler(get_start_scheduler(env_).context());
    }
    [[nodiscard]] library_scheduler query(library::get_delegation_scheduler_t) const noexcept
        requires asks_for_context<get_delegation_scheduler_t, Env>
    {
        return library_scheduler(get_delegation_scheduler(env_).context());
    }
    template <class Query, class... Args>
        requires(!library_query<Query> && answers<Env, Query, Args...>)
    [[nodiscard]] decltype(auto) query(Query query, Args&&... args) const noexcept {
        return env_.query(query, std::forward<Args>(args)...);
    }

private:
    [[no_unique_address]] Env env_;
};

}  // namespace coex::inline v0::interop::COEX_SENDER_LIBRARY::detail
