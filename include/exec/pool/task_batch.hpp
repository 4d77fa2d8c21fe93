#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/empty_function.hpp>
#include <exec/base/recycling.hpp>
#include <exec/base/std_ranges.hpp>
#include <exec/pool/detached_task.hpp>
#include <exec/pool/pool_entry.hpp>
#include <exec/pool/queue_place.hpp>
#include <exec/vocab/priority.hpp>
#include <exec/vocab/work_item.hpp>

#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// The type of the functions of a range, as a pool keeps them.
template <class Functions>
using function_in = std::decay_t<std::ranges::range_reference_t<Functions>>;

/// Tasks that have been made and not posted yet.
template <class Item>
class task_batch {
public:
    task_batch() = default;
    task_batch(const task_batch&) = delete;
    task_batch& operator=(const task_batch&) = delete;
    ~task_batch() {
        while (work_item* const item = items_.pop_front()) recycling_delete(static_cast<Item*>(item));
    }

    void add(Item* item) noexcept { items_.push_back(item); }

    void post_at_once(pool_core& pool, priority level) noexcept { enqueue_batch(pool, level, items_); }

    void post_as_there_is_room(pool_core& pool, priority level, queue_gate* gate) noexcept {
        while (work_item* const item = items_.pop_front()) {
            queue_place place = queue_place::wait(gate);
            place.give_to(*static_cast<Item*>(item));
            work_queue one;
            one.push_back(item);
            enqueue_batch(pool, level, one);
            place.release();
        }
    }

private:
    work_queue items_;
};

/// Posts a range of functions; `token...` is a stop token or nothing.
template <class Functions, class... Token>
void post_all(pool_core& pool, priority level, Functions&& functions, Token... token) {
    constexpr bool owned = !std::is_lvalue_reference_v<Functions> && !std::ranges::view<Functions>;
    task_batch<detached_item<function_in<Functions>, Token...>> batch;
    execution_context& place = context_of(pool, level);
    for (auto&& function : functions) {
        COEX_REQUIRE(
            !is_empty_function(function),
            "static_thread_pool: post_batch() was given an empty function (a std::function without a target, a "
            "null pointer); there is nothing to run");
        if constexpr (owned) {
            batch.add(make_detached(pool, place, std::move(function), token...));
        } else {
            batch.add(make_detached(pool, place, std::forward<decltype(function)>(function), token...));
        }
    }
    if (queue_gate* const gate = gate_of(pool)) {
        batch.post_as_there_is_room(pool, level, gate);
    } else {
        batch.post_at_once(pool, level);
    }
}

}  // namespace coex::inline v0::detail
