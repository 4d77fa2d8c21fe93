#pragma once

#include <exec/pool/static_thread_pool.hpp>

namespace coex::inline v0::detail {

/// How higher layers of the library reach what a pool is made of.
struct pool_access {
    [[nodiscard]] static pool_core& core(static_thread_pool& pool) noexcept;
};

}  // namespace coex::inline v0::detail
