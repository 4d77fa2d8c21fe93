#pragma once

#include <exec/pool/broadcast.hpp>
#include <exec/pool/detached_task.hpp>
#include <exec/pool/pool_entry.hpp>
#include <exec/pool/scope.hpp>
#include <exec/pool/scope_fifo.hpp>
#include <exec/pool/yield_result.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

/// The part of static_thread_pool that is about work with a structure: scopes, whose tasks may borrow from the stack;
/// broadcasts, which every worker does once; tasks in order; and what a worker may do for others in between. The same
/// for the pool of the calling thread: `<exec/pool/current_pool.hpp>`.
///
/// `pool_options::queue_limit` bounds what is posted, also by `post_fifo`; tasks of scopes and broadcasts, for whose
/// end somebody waits, do not count.
///
/// Thread-safe: yes.
template <class Pool>
class structured_work {
public:
    structured_work(const structured_work&) = delete;
    structured_work& operator=(const structured_work&) = delete;

    /// Opens a scope on a worker of this pool (see `install`), calls `body(coex::scope&)` there, and returns what that
    /// returned once all tasks of the scope have ended. The tasks may borrow whatever outlives this call.
    ///
    /// Errors: the first exception in time, of the body and the tasks; the others are dropped. All tasks run.
    ///
    /// On a pool of one thread the body must not block until one of its tasks has done something: `in_place_scope` may.
    template <class Body>
        requires std::is_invocable_v<Body, coex::scope&>
    std::invoke_result_t<Body, coex::scope&> scope(Body&& body) {
        return pool().install(
            [&]() -> std::invoke_result_t<Body, coex::scope&> { return in_place_scope(static_cast<Body&&>(body)); });
    }

    /// The same with the body on the calling thread; only the tasks run on this pool. A thread outside of all pools
    /// then blocks until they have ended; a worker, also of another pool, works for its own pool meanwhile.
    template <class Body>
        requires std::is_invocable_v<Body, coex::scope&>
    std::invoke_result_t<Body, coex::scope&> in_place_scope(Body&& body) {
        return detail::run_in_place<coex::scope>(core(), static_cast<Body&&>(body));
    }

    /// As `scope`, but each thread's tasks start in the order in which it spawned them.
    template <class Body>
        requires std::is_invocable_v<Body, coex::scope_fifo&>
    std::invoke_result_t<Body, coex::scope_fifo&> scope_fifo(Body&& body) {
        return pool().install([&]() -> std::invoke_result_t<Body, coex::scope_fifo&> {
            return in_place_scope_fifo(static_cast<Body&&>(body));
        });
    }

    /// As `in_place_scope`, but each thread's tasks start in the order in which it spawned them.
    template <class Body>
        requires std::is_invocable_v<Body, coex::scope_fifo&>
    std::invoke_result_t<Body, coex::scope_fifo&> in_place_scope_fifo(Body&& body) {
        return detail::run_in_place<coex::scope_fifo>(core(), static_cast<Body&&>(body));
    }

    /// As `post`, but the tasks that a worker of this pool posts so start in the order of their posts. Among its other
    /// tasks, which start newest first, they keep their places as a group: where the newest stands, the oldest starts.
    ///
    /// Errors: as `post`.
    template <class Function>
        requires std::is_invocable_v<std::decay_t<Function>&>
    void post_fifo(Function&& function) {
        detail::post_detached(core(), std::forward<Function>(function), &detail::enqueue_task_fifo);
    }

    /// Calls one and the same function as `function(broadcast_context)`, or `function()`, on every worker at the same
    /// time, and returns once all calls have returned, with a vector of the results in the order of the indices, or
    /// with nothing if they are void.
    ///
    /// Each worker does its share when its own tasks and what it has ready are done, also while it waits in a task for
    /// something else; at the latest after 64 items, and 64 more for each share before it. All workers get broadcasts
    /// in the same order. The calling worker does its share while it waits.
    ///
    /// Errors:   every call is made; then the exception with the lowest index is rethrown. std::bad_alloc before any
    ///           call. An empty function aborts; so does calling it in a handler for the start or stop of a thread of
    ///           this pool.
    /// Lifetime: the function is used only until this returns.
    ///
    /// Waits for ever if a worker never ends what it runs.
    template <class Function>
        requires detail::broadcast_function<Function>
    auto broadcast(Function&& function) {
        return detail::run_broadcast(core(), function);
    }

    /// The same without waiting. The function is copied, and destroyed after its last call. Exceptions go to
    /// `pool_options::on_exception`, as those of `post`.
    template <class Function>
        requires detail::broadcast_function<Function>
    void post_broadcast(Function&& function) {
        detail::start_broadcast(core(), std::forward<Function>(function));
    }

    /// On a worker of this pool, runs at most one other task or coroutine that is ready, and returns whether it did;
    /// elsewhere does nothing and returns nothing. Its own newest task comes first, then what is ready, its share of a
    /// broadcast, work from outside, what it has forked, and what other workers have.
    ///
    /// Not for waiting: a worker that goes round with this uses a processor. Does not let other threads run.
    std::optional<yield_result> yield_now() { return detail::yield_now(&core()); }

    /// The same for what is the worker's own: its newest task, a function that it has forked, or its share of a
    /// broadcast.
    std::optional<yield_result> yield_local() { return detail::yield_local(&core()); }

    /// On a worker of this pool, whether it has posted, spawned or forked something that nobody has taken yet; what
    /// came from outside and shares of broadcasts do not count. Elsewhere nothing. A moment later it may be otherwise.
    [[nodiscard]] std::optional<bool> this_thread_has_pending_tasks() const noexcept {
        return detail::this_thread_has_pending_tasks(&core());
    }

protected:
    structured_work() = default;
    ~structured_work() = default;

private:
    [[nodiscard]] Pool& pool() noexcept { return static_cast<Pool&>(*this); }
    [[nodiscard]] detail::pool_core& core() const noexcept { return *static_cast<const Pool&>(*this).core_; }
};

}  // namespace coex::inline v0
