#pragma once

#include <exec/pool/scope.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <deque>
#include <span>
#include <type_traits>
#include <vector>

namespace coex::inline v0 {
namespace detail {

/// A scope for each of some pools; they end together.
class scopes_of_pools {
public:
    /// Errors: std::bad_alloc. A null pool aborts.
    scopes_of_pools(std::span<static_thread_pool* const> pools, scope_group& group);

    [[nodiscard]] std::span<scope* const> all() const noexcept { return handles_; }

private:
    std::deque<scope> scopes_;  // which cannot be moved
    std::vector<scope*> handles_;
};

}  // namespace detail

/// Calls `body(scopes)` on the calling thread, where `scopes[i]` runs its tasks on `*pools[i]`, and returns what the
/// body returned once all tasks of all scopes have ended. How many pools there are need not be known before.
///
/// All scopes end together: a task may spawn into any of them. A pool may be listed more than once: its scopes are
/// as good as one. Without pools this is a plain call.
///
/// Errors:   the first exception in time, of the body and all tasks on all pools; the others are dropped. All tasks
///           run. std::bad_alloc before the body is called. A null pool aborts.
/// Lifetime: tasks may borrow what outlives this call. The pools must outlive it too.
///
/// The body may wait for its tasks, also on a pool of one thread, unless the calling thread is that one. While it waits
/// for the end, a worker of any pool works for its own pool.
template <class Body>
    requires std::is_invocable_v<Body, std::span<scope* const>>
std::invoke_result_t<Body, std::span<scope* const>> multi_scope(std::span<static_thread_pool* const> pools,
                                                                Body&& body) {
    detail::scope_group group;
    const detail::scopes_of_pools scopes(pools, group);
    return group.run([&]() -> std::invoke_result_t<Body, std::span<scope* const>> {
        return static_cast<Body&&>(body)(scopes.all());
    });
}

}  // namespace coex::inline v0
