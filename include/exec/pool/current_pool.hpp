#pragma once

#include <exec/pool/broadcast.hpp>
#include <exec/pool/default_pool.hpp>
#include <exec/pool/detached_task.hpp>
#include <exec/pool/pool_entry.hpp>
#include <exec/pool/scope.hpp>
#include <exec/pool/scope_fifo.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/pool/yield_result.hpp>

#include <optional>
#include <type_traits>
#include <utility>

// The members of static_thread_pool for plain tasks, for the *current pool*: the one whose worker the calling thread
// is; on other threads `default_pool()`, which the first such call starts.

namespace coex::inline v0 {

/// `static_thread_pool::post` of the current pool.
template <class Function>
    requires std::is_invocable_v<std::decay_t<Function>&>
void post(Function&& function) {
    detail::post_detached(detail::current_or_default_pool(), std::forward<Function>(function), &detail::enqueue_task);
}

/// `static_thread_pool::post_fifo` of the current pool.
template <class Function>
    requires std::is_invocable_v<std::decay_t<Function>&>
void post_fifo(Function&& function) {
    detail::post_detached(detail::current_or_default_pool(), std::forward<Function>(function),
                          &detail::enqueue_task_fifo);
}

/// `static_thread_pool::broadcast` of the current pool.
template <class Function>
    requires detail::broadcast_function<Function>
auto broadcast(Function&& function) {
    return detail::run_broadcast(detail::current_or_default_pool(), function);
}

/// `static_thread_pool::post_broadcast` of the current pool.
template <class Function>
    requires detail::broadcast_function<Function>
void post_broadcast(Function&& function) {
    detail::start_broadcast(detail::current_or_default_pool(), std::forward<Function>(function));
}

/// `static_thread_pool::scope` of the current pool: on a worker the body is called at once, elsewhere on a worker of
/// the default pool.
template <class Body>
    requires std::is_invocable_v<Body, scope&>
std::invoke_result_t<Body, scope&> with_scope(Body&& body) {
    if (detail::pool_core* const pool = detail::current_pool()) {
        return detail::run_in_place<scope>(*pool, static_cast<Body&&>(body));
    }
    return default_pool().scope(static_cast<Body&&>(body));
}

/// `static_thread_pool::scope_fifo` of the current pool, likewise.
template <class Body>
    requires std::is_invocable_v<Body, scope_fifo&>
std::invoke_result_t<Body, scope_fifo&> with_scope_fifo(Body&& body) {
    if (detail::pool_core* const pool = detail::current_pool()) {
        return detail::run_in_place<scope_fifo>(*pool, static_cast<Body&&>(body));
    }
    return default_pool().scope_fifo(static_cast<Body&&>(body));
}

/// `static_thread_pool::in_place_scope` of the current pool.
template <class Body>
    requires std::is_invocable_v<Body, scope&>
std::invoke_result_t<Body, scope&> in_place_scope(Body&& body) {
    return detail::run_in_place<scope>(detail::current_or_default_pool(), static_cast<Body&&>(body));
}

/// `static_thread_pool::in_place_scope_fifo` of the current pool.
template <class Body>
    requires std::is_invocable_v<Body, scope_fifo&>
std::invoke_result_t<Body, scope_fifo&> in_place_scope_fifo(Body&& body) {
    return detail::run_in_place<scope_fifo>(detail::current_or_default_pool(), static_cast<Body&&>(body));
}

/// How many workers the current pool has.
[[nodiscard]] inline unsigned thread_count() {
    return detail::worker_count(detail::current_or_default_pool());
}

/// The index of the calling thread among the workers of its pool; nothing on a thread outside of all pools.
[[nodiscard]] std::optional<unsigned> this_thread_index() noexcept;

/// `static_thread_pool::this_thread_has_pending_tasks` of the calling worker's pool; nothing outside of all pools.
[[nodiscard]] inline std::optional<bool> this_thread_has_pending_tasks() noexcept {
    return detail::this_thread_has_pending_tasks(nullptr);
}

/// `static_thread_pool::yield_now` of the calling worker's pool; does nothing outside of all pools.
inline std::optional<yield_result> yield_now() {
    return detail::yield_now(nullptr);
}

/// `static_thread_pool::yield_local` of the calling worker's pool; does nothing outside of all pools.
inline std::optional<yield_result> yield_local() {
    return detail::yield_local(nullptr);
}

}  // namespace coex::inline v0
