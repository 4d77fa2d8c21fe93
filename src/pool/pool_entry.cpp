#include <exec/pool/pool_entry.hpp>

#include "pool/pool_access.hpp"
#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

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

}  // namespace coex::inline v0::detail
