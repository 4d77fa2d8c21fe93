#include <exec/pool/yield_result.hpp>

#include "pool/worker.hpp"

namespace coex::inline v0::detail {
namespace {

worker* worker_of(const pool_core* pool) noexcept {
    worker* const here = worker::current();
    return here != nullptr && (pool == nullptr || &here->pool() == pool) ? here : nullptr;
}

yield_result result_of(bool ran) noexcept {
    return ran ? yield_result::executed : yield_result::idle;
}

}  // namespace

std::optional<yield_result> yield_now(const pool_core* pool) {
    worker* const here = worker_of(pool);
    if (here == nullptr) return std::nullopt;
    return result_of(here->run_one());
}

std::optional<yield_result> yield_local(const pool_core* pool) {
    worker* const here = worker_of(pool);
    if (here == nullptr) return std::nullopt;
    return result_of(here->run_one_of_its_own());
}

std::optional<bool> this_thread_has_pending_tasks(const pool_core* pool) noexcept {
    const worker* const here = worker_of(pool);
    if (here == nullptr) return std::nullopt;
    return here->has_pending_tasks();
}

}  // namespace coex::inline v0::detail
