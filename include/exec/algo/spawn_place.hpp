#pragma once

#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>

namespace coex::inline v0::detail {

/// The pool whose worker the calling thread is, or null.
[[nodiscard]] execution_context* pool_of_this_thread() noexcept;

/// `context`, or the default pool when it is null. Terminates when that one cannot be made.
[[nodiscard]] execution_context& or_default_pool(execution_context* context) noexcept;

/// Where spawned work is when nobody said so: on the pool whose worker spawned it, elsewhere on the default pool, which
/// is made only when somebody asks.
class spawn_place {
public:
    spawn_place() noexcept : context_(pool_of_this_thread()) {}
    [[nodiscard]] context_scheduler query(get_scheduler_t) const noexcept {
        return context_scheduler(or_default_pool(context_));
    }
    [[nodiscard]] context_scheduler query(get_start_scheduler_t) const noexcept { return query(get_scheduler); }

private:
    execution_context* context_;
};

}  // namespace coex::inline v0::detail
