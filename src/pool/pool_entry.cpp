#include <exec/pool/pool_entry.hpp>

#include "pool/pool_access.hpp"
#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <exec/base/assert.hpp>
#include <exec/pool/default_pool.hpp>

namespace coex::inline v0::detail {

pool_core* current_pool() noexcept {
    const worker* const here = worker::current();
    return here == nullptr ? nullptr : &here->pool();
}

pool_core& current_or_default_pool() {
    if (pool_core* const pool = current_pool()) return *pool;
    return pool_access::core(default_pool());
}

void enqueue_task(pool_core& pool, work_item* item) {
    pool.submit_task(item);
}

void enqueue_task_fifo(pool_core& pool, work_item* item) {
    if (worker* const here = pool.current_worker()) {
        pool.submit_task(here->lane(), item);
    } else {
        pool.place().submit(item);
    }
}

unsigned worker_count(const pool_core& pool) noexcept {
    return pool.options().threads;
}

void enqueue_on_every_worker(pool_core& pool, work_queue& items) noexcept {
    pool.submit_shares(items);
}

void require_not_in_handler(const pool_core& pool, const char* message) noexcept {
    const worker* const here = pool.current_worker();
    COEX_REQUIRE(here == nullptr || here->may_help(), message);
}

execution_context& context_of(pool_core& pool, priority level) noexcept {
    return pool.place(level);
}

void enqueue_batch(pool_core& pool, priority level, work_queue& items) noexcept {
    pool.submit_batch(level, items);
}

queue_gate* gate_of(pool_core& pool) noexcept {
    return pool.gate();
}

}  // namespace coex::inline v0::detail
