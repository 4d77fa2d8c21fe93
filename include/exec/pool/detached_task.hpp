#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/empty_function.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/recycling.hpp>
#include <exec/pool/pool_entry.hpp>
#include <exec/pool/pool_tasks.hpp>
#include <exec/pool/queue_place.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// A posted function, in a recycled block.
template <class Function>
class detached_task final : public work_item {
public:
    template <class Initializer>
    explicit detached_task(pool_core& pool, Initializer&& initializer)
        : work_item(&detached_task::execute), pool_(&pool), function_(std::forward<Initializer>(initializer)) {}

    static void execute(work_item* item) noexcept {
        auto* self = static_cast<detached_task*>(item);
        COEX_TRY {
            self->function_();
        }
        COEX_CATCH(...) {
            unowned_exception(*self->pool_, std::current_exception());
        }
        recycling_delete(self);
    }

private:
    pool_core* pool_;
    Function function_;
};

/// What runs a posted function, or the task that it returns; `Token` is a stop token or nothing.
template <class Function, class... Token>
using detached_item =
    std::conditional_t<makes_task<Function>, posted_task,
                       detached_task<std::conditional_t<sizeof...(Token) == 0, Function, stoppable_call<Function>>>>;

/// Makes one for the pool, where its coroutine is at `place`.
///
/// Errors: std::bad_alloc; what copying the function throws.
template <class Function>
[[nodiscard]] auto* make_detached(pool_core& pool, execution_context& place, Function&& function) {
    using closure = std::decay_t<Function>;
    if constexpr (makes_task<closure>) {
        return recycling_new<posted_task>(pool, place, call_as_task<closure>(std::forward<Function>(function)),
                                          inplace_stop_token());
    } else {
        return recycling_new<detached_item<closure>>(pool, std::forward<Function>(function));
    }
}
template <class Function>
[[nodiscard]] auto* make_detached(pool_core& pool, execution_context& place, Function&& function,
                                  inplace_stop_token token) {
    using closure = std::decay_t<Function>;
    if constexpr (makes_task<closure>) {
        return recycling_new<posted_task>(pool, place, call_as_task<closure>(std::forward<Function>(function)), token);
    } else {
        return recycling_new<detached_item<closure, inplace_stop_token>>(
            pool, stoppable_call<closure>(std::forward<Function>(function), token));
    }
}

template <class Task>
void enqueue_detached(pool_core& pool, queue_place place, Task* item, void (*enqueue)(pool_core&, work_item*)) {
    place.give_to(*item);
    COEX_TRY {
        enqueue(pool, item);
    }
    COEX_CATCH(...) {
        recycling_delete(item);
        COEX_RETHROW;
    }
    place.release();
}

/// Posts a function, or the task that it returns, by `enqueue(pool, item)`.
template <class Function>
void post_detached(pool_core& pool, Function&& function, void (*enqueue)(pool_core&, work_item*)) {
    COEX_REQUIRE(
        !is_empty_function(function),
        "post() or post_fifo() was given an empty function (a std::function without a target, a null pointer); "
        "there is nothing to run");
    queue_place place = queue_place::wait(gate_of(pool));
    auto* const item = make_detached(pool, context_of(pool), std::forward<Function>(function));
    enqueue_detached(pool, std::move(place), item, enqueue);
}

}  // namespace coex::inline v0::detail
