#pragma once

#include <exec/pool/default_pool.hpp>
#include <exec/pool/pool_entry.hpp>
#include <exec/pool/scope.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <type_traits>

// The members of static_thread_pool for plain tasks, for the current pool: the one whose worker the calling thread is,
// on other threads `default_pool()`.

namespace coex::inline v0 {

/// `static_thread_pool::scope` of the current pool: on a worker the body is called at once, elsewhere on a worker of
/// the default pool.
template <class Body>
    requires std::is_invocable_v<Body, scope&>
std::invoke_result_t<Body, scope&> with_scope(Body&& body) {
    if (detail::pool_core* const pool = detail::current_pool()) {
        return detail::run_in_place<scope>(*pool, static_cast<Body&&>(body));
    }
    return default_pool().scope(static_cast<Body&&>(body));
}

/// `static_thread_pool::in_place_scope` of the current pool.
template <class Body>
    requires std::is_invocable_v<Body, scope&>
std::invoke_result_t<Body, scope&> in_place_scope(Body&& body) {
    return detail::run_in_place<scope>(detail::current_or_default_pool(), static_cast<Body&&>(body));
}

}  // namespace coex::inline v0
