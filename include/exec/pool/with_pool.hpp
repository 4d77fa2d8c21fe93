#pragma once

#include <exec/base/invoke.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <utility>

namespace coex::inline v0 {

/// Calls `function(pool)` with a pool that lives as long as the call, and returns what it returns: all that was given
/// to the pool has ended by then, and its threads are gone, so tasks may refer to what the caller owns.
///
/// Errors: as the constructor of static_thread_pool; what the function throws, after all tasks have ended.
template <class Function>
    requires std::is_invocable_v<Function, static_thread_pool&>
std::invoke_result_t<Function, static_thread_pool&> with_pool(pool_options options, Function&& function) {
    static_thread_pool pool(std::move(options));
    return detail::invoke_function(std::forward<Function>(function), pool);
}

}  // namespace coex::inline v0
