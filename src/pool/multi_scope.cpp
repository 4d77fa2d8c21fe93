#include <exec/pool/multi_scope.hpp>

#include "pool/pool_access.hpp"

#include <exec/base/assert.hpp>

namespace coex::inline v0::detail {

scopes_of_pools::scopes_of_pools(std::span<static_thread_pool* const> pools, scope_group& group) {
    handles_.reserve(pools.size());
    for (static_thread_pool* const pool : pools) {
        COEX_REQUIRE(pool != nullptr, "multi_scope: one of the pools is null");
        handles_.push_back(&scopes_.emplace_back(pool_access::core(*pool), group));
    }
}

}  // namespace coex::inline v0::detail
