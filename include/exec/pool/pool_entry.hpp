#pragma once

#include <exec/vocab/priority.hpp>
#include <exec/vocab/work_item.hpp>

#include <exception>

namespace coex::inline v0 {

class execution_context;

namespace detail {

class pool_core;
class queue_gate;

// What the templates for plain tasks need of a pool, whose innards users' code does not see.

/// The pool whose worker the calling thread is, or null.
[[nodiscard]] pool_core* current_pool() noexcept;

/// The same; `default_pool()` on a thread outside of all pools.
[[nodiscard]] pool_core& current_or_default_pool();

[[nodiscard]] execution_context& context_of(pool_core& pool, priority level = priority::normal) noexcept;
/// What bounds the pool's queue; null when nothing does.
[[nodiscard]] queue_gate* gate_of(pool_core& pool) noexcept;

/// Submits a plain task: on a worker of the pool to its deque, newest first; from elsewhere in order.
///
/// Errors: std::bad_alloc.
void enqueue_task(pool_core& pool, work_item* item);

/// The same, but on a worker of the pool its tasks of this kind start in order.
void enqueue_task_fifo(pool_core& pool, work_item* item);

/// Submits several at once, also on a worker in their order. LIFETIME: they may have run when this returns.
void enqueue_batch(pool_core& pool, priority level, work_queue& items) noexcept;

[[nodiscard]] unsigned worker_count(const pool_core& pool) noexcept;

/// Gives each worker, in the order of the indices, one of the items, which nobody else will run. Several such calls
/// reach all workers in the same order. LIFETIME: the items may have run when this returns.
void enqueue_on_every_worker(pool_core& pool, work_queue& items) noexcept;

/// Aborts in a handler for the start or stop of a thread of this pool, which cannot wait for what all workers must do.
void require_not_in_handler(const pool_core& pool, const char* message) noexcept;

/// An exception left a task that nobody waits for.
void unowned_exception(pool_core& pool, std::exception_ptr error) noexcept;

}  // namespace detail
}  // namespace coex::inline v0
