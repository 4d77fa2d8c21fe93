#pragma once

#include <exec/vocab/work_item.hpp>

#include <exception>

namespace coex::inline v0::detail {

class pool_core;

// What the templates for plain tasks need of a pool, whose innards users' code does not see.

/// The pool whose worker the calling thread is, or null.
[[nodiscard]] pool_core* current_pool() noexcept;

/// The same; `default_pool()` on a thread outside of all pools.
[[nodiscard]] pool_core& current_or_default_pool();

/// Submits a plain task: on a worker of the pool to its deque, newest first; from elsewhere in order.
///
/// Errors: std::bad_alloc.
void enqueue_task(pool_core& pool, work_item* item);

}  // namespace coex::inline v0::detail
