#pragma once

#include <exec/coro/coroutine_base.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

/// The environment of a task: where it is, and by what it can be stopped.
class task_env {
public:
    explicit task_env(const coroutine_base& coroutine) noexcept : coroutine_(&coroutine) {}
    [[nodiscard]] inplace_stop_token query(get_stop_token_t) const noexcept { return coroutine_->stop_token(); }
    [[nodiscard]] context_scheduler query(get_scheduler_t) const noexcept {
        return context_scheduler(coroutine_->context());
    }

private:
    const coroutine_base* coroutine_;
};

namespace detail {

/// Moves the awaiting task to another execution context.
class hop_awaiter {
public:
    explicit hop_awaiter(schedule_sender sender) noexcept : context_(&sender.context()) {}
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        hop(coroutine.promise(), *context_);
    }
    static void await_resume() noexcept {}

private:
    static void hop(coroutine_base& coroutine, execution_context& context) noexcept;

    execution_context* context_;
};

template <class Query>
class query_awaiter {
public:
    explicit query_awaiter(Query query) noexcept : query_(query) {}
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        coroutine_ = &coroutine.promise();
        return false;
    }
    [[nodiscard]] auto await_resume() const noexcept { return query_(task_env(*coroutine_)); }

private:
    Query query_;
    const coroutine_base* coroutine_ = nullptr;
};

/// Awaiters written for coex tasks: their await_suspend takes the place and the stop token from the coroutine's base,
/// so it does not accept just any coroutine.
template <class Awaiter>
concept task_aware = requires(Awaiter& awaiter) {
    awaiter.await_ready();
    awaiter.await_resume();
} && !requires(Awaiter& awaiter, std::coroutine_handle<> handle) { awaiter.await_suspend(handle); };

template <class T>
concept task_awaitable = requires(T&& awaited) {
    { std::forward<T>(awaited).operator co_await() } -> task_aware;
};

[[nodiscard]] inline hop_awaiter make_awaiter(schedule_sender sender) noexcept {
    return hop_awaiter(sender);
}

template <class Query>
[[nodiscard]] query_awaiter<Query> make_awaiter(read_env_sender<Query> sender) noexcept {
    return query_awaiter<Query>(sender.query());
}

// Awaiters are made as prvalues, in the coroutine's frame: g++ 12 copies one that is passed through by reference.
template <task_awaitable Awaited>
[[nodiscard]] auto make_awaiter(Awaited&& awaited) noexcept(
    noexcept(std::forward<Awaited>(awaited).operator co_await())) {
    return std::forward<Awaited>(awaited).operator co_await();
}

template <class Awaited>
    requires(!task_awaitable<Awaited>)
void make_awaiter(Awaited&&) noexcept {
    static_assert(
        !sizeof(Awaited),
        "coex: this cannot be awaited in a coex::task, which resumes where it was and so must be known to what it "
        "awaits. Await a coex task or operation (a named one with std::move: it is awaited once), or give your type "
        "an operator co_await whose awaiter's await_suspend takes a coroutine derived from coex::coroutine_base");
}

template <class Awaited>
using awaiter_of = decltype(make_awaiter(std::declval<Awaited>()));

}  // namespace detail

namespace detail {

template <class T>
inline constexpr bool is_environment_query = false;
template <class Query>
inline constexpr bool is_environment_query<read_env_sender<Query>> = true;

}  // namespace detail

/// What `co_await std::declval<Awaited>()` gives in a task.
template <class Awaited>
using await_result_t = decltype(std::declval<detail::awaiter_of<Awaited>&>().await_resume());

/// Anything that can be awaited in a coex task.
template <class Awaited>
concept awaitable = detail::task_awaitable<Awaited> || std::same_as<std::remove_cvref_t<Awaited>, schedule_sender> ||
                    detail::is_environment_query<std::remove_cvref_t<Awaited>>;

}  // namespace coex::inline v0
