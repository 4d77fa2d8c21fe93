#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/empty_function.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/recycling.hpp>
#include <exec/pool/broadcast.hpp>
#include <exec/pool/pool_entry.hpp>
#include <exec/pool/scope_group.hpp>
#include <exec/vocab/work_item.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

namespace detail {

/// What can be spawned into a scope: a function of the scope, or of nothing.
template <class Function, class Scope>
concept scope_task =
    std::is_invocable_v<std::decay_t<Function>&, Scope&> || std::is_invocable_v<std::decay_t<Function>&>;

/// A task of a scope, in a recycled block.
template <class Function, class Scope>
class scoped_task final : public work_item {
public:
    template <class Initializer>
    scoped_task(Scope& owner, scope_group& group, Initializer&& initializer)
        : work_item(&scoped_task::call),
          owner_(&owner),
          group_(&group),
          function_(std::forward<Initializer>(initializer)) {}

private:
    static void call(work_item* item) noexcept {
        auto* self = static_cast<scoped_task*>(item);
        scope_group& group = *self->group_;
        COEX_TRY {
            if constexpr (std::is_invocable_v<Function&, Scope&>) {
                self->function_(*self->owner_);
            } else {
                self->function_();
            }
        }
        COEX_CATCH(...) {
            group.fail(std::current_exception());
        }
        // What the function holds may refer to what the owner of the scope destroys next.
        recycling_delete(self);
        group.finish();
        // LIFETIME: the scope may be gone.
    }

    Scope* owner_;
    scope_group* group_;
    Function function_;
};

/// Adds a task to a group and gives it to `enqueue`.
template <class Task, class Enqueue>
void spawn_into(scope_group& group, Task* task, Enqueue enqueue) {
    group.add();
    COEX_TRY {
        enqueue(task);
    }
    COEX_CATCH(...) {
        recycling_delete(task);
        group.finish();
        COEX_RETHROW;
    }
}

/// What can be broadcast in a scope: a function of the scope and the context, or one that `broadcast` takes.
template <class Function, class Scope>
concept scope_broadcast =
    std::is_invocable_v<const std::decay_t<Function>&, Scope&, broadcast_context> || broadcast_function<Function>;

/// The owner of a broadcast that belongs to a scope.
template <class Scope>
class scoped_broadcast {
public:
    explicit scoped_broadcast(Scope& owner, scope_group& group) noexcept : owner_(&owner), group_(&group) {}

    void begin() const noexcept { group_->add(); }
    template <class Function>
    void call(const Function& function, broadcast_context context) const {
        if constexpr (std::is_invocable_v<const Function&, Scope&, broadcast_context>) {
            function(*owner_, context);
        } else {
            static_cast<void>(call_broadcast(function, context));
        }
    }
    void fail(std::exception_ptr error) const noexcept { group_->fail(std::move(error)); }
    void finish() const noexcept { group_->finish(); }

private:
    Scope* owner_;
    scope_group* group_;
};

template <class Scope, class Function>
void spawn_broadcast_into(pool_core& pool, scope_group& group, Scope& owner, Function&& function) {
    detached_broadcast<std::decay_t<Function>, scoped_broadcast<Scope>>::start(
        pool, scoped_broadcast<Scope>(owner, group), std::forward<Function>(function));
}

}  // namespace detail

/// Tasks that may borrow from the stack of whoever opened the scope, which ends only when all of them have ended, and
/// those that they spawned: `static_thread_pool::scope`, `in_place_scope`, `multi_scope`, `with_scope`.
///
/// Of the exceptions that leave the tasks and the body the first in time is rethrown where the scope ends; the others
/// are dropped. All tasks run, whatever the others throw.
///
/// Thread-safe: yes.
/// Lifetime:    usable by the body and the tasks, and by what they wait for. Tasks posted in any other way do not
///              belong to it.
class scope {
public:
    /// Opened by the functions named above.
    explicit scope(detail::pool_core& pool, detail::scope_group& group) noexcept : pool_(&pool), group_(&group) {}
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

    /// Runs `function(scope&)`, or `function()`, on a worker of the scope's pool, some time. On a worker of that pool
    /// the last spawned starts first there, and other workers take the oldest; so that nothing starves, one task in 64
    /// is the oldest there too. From any other thread, tasks start in the order in which they were spawned.
    ///
    /// Errors:     std::bad_alloc; what copying the function throws. Null: aborts.
    /// Lifetime:   the function is destroyed on the worker after its call, before the scope ends.
    /// Complexity: as `post`.
    template <class Function>
        requires detail::scope_task<Function, scope>
    void spawn(Function&& function) {
        COEX_REQUIRE(!detail::is_empty_function(function), "scope: spawn() was given an empty function");
        using task = detail::scoped_task<std::decay_t<Function>, scope>;
        detail::spawn_into(*group_, detail::recycling_new<task>(*this, *group_, std::forward<Function>(function)),
                           [this](work_item* item) { detail::enqueue_task(*pool_, item); });
    }

    /// Runs `function(scope&, broadcast_context)`, or `function(broadcast_context)`, or `function()`, on every worker
    /// of the scope's pool, as `static_thread_pool::post_broadcast` does. All these calls are tasks of the scope.
    template <class Function>
        requires detail::scope_broadcast<Function, scope>
    void spawn_broadcast(Function&& function) {
        COEX_REQUIRE(!detail::is_empty_function(function), "scope: spawn_broadcast() was given an empty function");
        detail::spawn_broadcast_into(*pool_, *group_, *this, std::forward<Function>(function));
    }

private:
    detail::pool_core* pool_;
    detail::scope_group* group_;
};

namespace detail {

/// Opens a scope on this thread, calls the body with it, and waits for its tasks.
template <class Scope, class Body>
std::invoke_result_t<Body, Scope&> run_in_place(pool_core& pool, Body&& body) {
    scope_group group;
    Scope opened(pool, group);
    return group.run([&]() -> std::invoke_result_t<Body, Scope&> { return static_cast<Body&&>(body)(opened); });
}

}  // namespace detail
}  // namespace coex::inline v0
