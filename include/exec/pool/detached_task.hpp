#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/empty_function.hpp>
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
        try {
            self->function_();
        } catch (...) {
            unowned_exception(*self->pool_, std::current_exception());
        }
        recycling_delete(self);
    }

private:
    pool_core* pool_;
    Function function_;
};

template <class Task>
void enqueue_detached(pool_core& pool, queue_place place, Task* item, void (*enqueue)(pool_core&, work_item*)) {
    place.give_to(*item);
    try {
        enqueue(pool, item);
    } catch (...) {
        recycling_delete(item);
        throw;
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
    using closure = std::decay_t<Function>;
    queue_place place = queue_place::wait(gate_of(pool));
    if constexpr (makes_task<closure>) {
        auto* const item = recycling_new<posted_task>(
            pool, context_of(pool), call_as_task<closure>(std::forward<Function>(function)), inplace_stop_token());
        enqueue_detached(pool, std::move(place), item, enqueue);
    } else {
        auto* const item = recycling_new<detached_task<closure>>(pool, std::forward<Function>(function));
        enqueue_detached(pool, std::move(place), item, enqueue);
    }
}

}  // namespace coex::inline v0::detail
