#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/empty_function.hpp>
#include <exec/base/heap_array.hpp>
#include <exec/base/recycling.hpp>
#include <exec/pool/broadcast.hpp>
#include <exec/pool/pool_entry.hpp>
#include <exec/pool/scope.hpp>
#include <exec/pool/scope_group.hpp>

#include <type_traits>
#include <utility>

namespace coex::inline v0 {

namespace detail {

class fifo_lane;

/// A lane for each worker of a pool.
class fifo_lanes {
public:
    explicit fifo_lanes(pool_core& pool);
    fifo_lanes(const fifo_lanes&) = delete;
    fifo_lanes& operator=(const fifo_lanes&) = delete;
    ~fifo_lanes();

    /// Submits a task: on a worker of the pool through its lane, from elsewhere in order anyhow.
    ///
    /// Errors: std::bad_alloc.
    void enqueue(work_item* task);

private:
    pool_core* pool_;
    unsigned count_;
    heap_array<fifo_lane> lanes_;
};

}  // namespace detail

/// As `scope`, but each thread's tasks start in the order in which it spawned them.
///
/// Thread-safe: yes.
class scope_fifo {
public:
    /// Opened by `static_thread_pool::scope_fifo`, `in_place_scope_fifo`, `with_scope_fifo`.
    explicit scope_fifo(detail::pool_core& pool, detail::scope_group& group)
        : pool_(&pool), group_(&group), lanes_(pool) {}
    scope_fifo(const scope_fifo&) = delete;
    scope_fifo& operator=(const scope_fifo&) = delete;

    /// Runs `function(scope_fifo&)`, or `function()`, on a worker of the scope's pool, some time. Of the tasks that one
    /// thread spawns into this scope, an older one starts before a younger one; among those of several threads or
    /// scopes there is no order.
    ///
    /// Among a worker's other tasks, which start newest first, they keep their places as a group: where the newest
    /// stands, the oldest of this scope starts.
    ///
    /// Errors:     std::bad_alloc; what copying the function throws. Null: aborts.
    /// Lifetime:   the function is destroyed on the worker after its call, before the scope ends.
    /// Complexity: as `post`, and two locks that are seldom contended.
    template <class Function>
        requires detail::scope_task<Function, scope_fifo>
    void spawn_fifo(Function&& function) {
        COEX_REQUIRE(!detail::is_empty_function(function), "scope_fifo: spawn_fifo() was given an empty function");
        using task = detail::scoped_task<std::decay_t<Function>, scope_fifo>;
        detail::spawn_into(*group_, detail::recycling_new<task>(*this, *group_, std::forward<Function>(function)),
                           [this](work_item* item) { lanes_.enqueue(item); });
    }

    /// As `scope::spawn_broadcast`.
    template <class Function>
        requires detail::scope_broadcast<Function, scope_fifo>
    void spawn_broadcast(Function&& function) {
        COEX_REQUIRE(!detail::is_empty_function(function), "scope_fifo: spawn_broadcast() was given an empty function");
        detail::spawn_broadcast_into(*pool_, *group_, *this, std::forward<Function>(function));
    }

private:
    detail::pool_core* pool_;
    detail::scope_group* group_;
    detail::fifo_lanes lanes_;
};

}  // namespace coex::inline v0
