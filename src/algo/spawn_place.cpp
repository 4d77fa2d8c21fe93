#include <exec/algo/spawn_place.hpp>

#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <exec/pool/default_pool.hpp>
#include <exec/pool/static_thread_pool.hpp>

namespace coex::inline v0::detail {

execution_context* pool_of_this_thread() noexcept {
    worker* const here = worker::current();
    return here == nullptr ? nullptr : &here->pool();
}

execution_context& or_default_pool(execution_context* context) noexcept {
    return context != nullptr ? *context : default_pool().get_scheduler().context();
}

}  // namespace coex::inline v0::detail
