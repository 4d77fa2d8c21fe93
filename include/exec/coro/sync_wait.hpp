#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/coro/blocking_run.hpp>
#include <exec/coro/named_sender.hpp>
#include <exec/coro/run_loop.hpp>
#include <exec/coro/sender_awaiter.hpp>
#include <exec/vocab/as_exception.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>

#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// The environment of what a thread waits for: its own run loop is where the work starts.
class sync_wait_env {
public:
    sync_wait_env(run_loop& loop, inplace_stop_token token) noexcept : loop_(&loop), token_(token) {}
    [[nodiscard]] inplace_stop_token query(get_stop_token_t) const noexcept { return token_; }
    [[nodiscard]] context_scheduler query(get_scheduler_t) const noexcept { return loop_->get_scheduler(); }
    [[nodiscard]] context_scheduler query(get_start_scheduler_t) const noexcept { return loop_->get_scheduler(); }
    [[nodiscard]] context_scheduler query(get_delegation_scheduler_t) const noexcept { return loop_->get_scheduler(); }

private:
    run_loop* loop_;
    inplace_stop_token token_;
};

template <class Values>
struct sync_wait_state {
    explicit sync_wait_state(inplace_stop_token stop) noexcept : token(stop) {}

    run_loop loop;
    inplace_stop_token token;
    std::optional<Values> values;
    std::exception_ptr error;
};

template <class Values>
class sync_wait_receiver {
public:
    using receiver_concept = receiver_tag;

    explicit sync_wait_receiver(sync_wait_state<Values>& state) noexcept : state_(&state) {}

    // LIFETIME: as soon as finish() lets go of the loop, the waiting thread may destroy the state and the operation.
    template <class... Args>
    void set_value(Args&&... args) && noexcept {
        if constexpr (std::is_nothrow_constructible_v<Values, Args...>) {
            state_->values.emplace(std::forward<Args>(args)...);
        } else {
            COEX_TRY {
                state_->values.emplace(std::forward<Args>(args)...);
            }
            COEX_CATCH(...) {
                state_->error = std::current_exception();
            }
        }
        state_->loop.finish();
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        state_->error = as_exception(std::forward<Error>(error));
        state_->loop.finish();
    }
    void set_stopped() && noexcept { state_->loop.finish(); }
    [[nodiscard]] sync_wait_env get_env() const noexcept { return {state_->loop, state_->token}; }

private:
    sync_wait_state<Values>* state_;
};

template <class Signatures>
struct sync_wait_values {
    using type = std::tuple<>;  // never completes with values
};
template <class... Values, class... Others>
struct sync_wait_values<completion_signatures<set_value_t(Values...), Others...>> {
    using type = std::tuple<std::decay_t<Values>...>;
};
template <class First, class... Others>
struct sync_wait_values<completion_signatures<First, Others...>> : sync_wait_values<completion_signatures<Others...>> {
};

/// Runs a sender on the calling thread's own loop.
template <class Sender>
auto sync_wait_for(Sender&& work, inplace_stop_token token) {
    using signatures = decltype(get_completion_signatures<Sender, sync_wait_env>());
    static_assert(
        are_signatures<signatures>,
        "coex: sync_wait: it is not known how this sender completes: give it `static consteval auto "
        "get_completion_signatures<Self, Env>()` that returns coex::completion_signatures<...>{}, or a member "
        "type completion_signatures");
    static_assert(
        count_of<set_value_t, signatures> <= 1,
        "coex: sync_wait: this sender can complete with different kinds of values, so there is no one tuple to "
        "return; use sync_wait_with_variant");
    using values = typename sync_wait_values<signatures>::type;
    sync_wait_state<values> state(token);
    auto operation = connect(std::forward<Sender>(work), sync_wait_receiver<values>(state));
    start(operation);
    state.loop.run();
    if (state.error != nullptr) detail::rethrow(std::move(state.error));
    return std::move(state.values);
}

}  // namespace detail

/// Runs `work` on the calling thread until it has completed. The thread is the place where the work starts, and where
/// it resumes as long as it doesn't go to a pool.
///
/// Completes:   with a tuple of the values, or with nothing when the work was stopped. A task gives its result, a
///              `when_all` its results one by one.
/// Errors:      rethrows an exception_ptr, throws std::system_error for an error_code, and any other error as it is.
/// Cancel:      by `token`.
/// Thread-safe: yes. Not meant for a pool's worker, which it would block.
/// Lifetime:    returns only when nothing of the work is left.
/// Complexity:  allocates nothing by itself.
template <class Work>
    requires(sender<Work> && !detail::task_awaitable<Work>)
[[nodiscard]] auto sync_wait(Work&& work, inplace_stop_token token = {}) {
    return detail::sync_wait_for(std::forward<Work>(work), token);
}

/// The same for tasks and operations.
template <detail::task_awaitable Work>
auto sync_wait(Work&& work, inplace_stop_token token = {}) {
    using result = await_result_t<Work>;
    detail::blocking_task<result> blocking;
    const bool stopped = !blocking.run(detail::as_task(std::forward<Work>(work)), token);
    if constexpr (std::is_void_v<result>) {
        if (stopped) return std::optional<std::tuple<>>();
        blocking.take();
        return std::optional(std::tuple<>());
    } else if constexpr (detail::sends_tuple_apart<Work>) {
        if (stopped) return std::optional<result>();
        return std::optional<result>(blocking.take());
    } else {
        if (stopped) return std::optional<std::tuple<result>>();
        return std::optional<std::tuple<result>>(std::in_place, blocking.take());
    }
}

/// What can be given to no other: says why.
template <class Work>
    requires(!sender<Work> && !detail::task_awaitable<Work>)
auto sync_wait(Work&&, inplace_stop_token = {}) {
    static_assert(!detail::named_once_sender<Work>,
                  "coex: sync_wait: this sender can be started once only (a task, or one that owns what only moves), "
                  "and is given by its name; hand it over by sync_wait(std::move(sender))");
    static_assert(
        detail::named_once_sender<Work>,
        "coex: sync_wait: this is neither a sender nor a task or operation of coex; give it what a coroutine, "
        "an operation or an algorithm returns (a function is called first), or as_coex(sender) of another "
        "library's");
    return std::optional<std::tuple<>>();
}

}  // namespace coex::inline v0
