#pragma once

#include <exec/coro/awaiting.hpp>
#include <exec/coro/blocking_run.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/vocab/stop_token.hpp>

#include <utility>

namespace coex::inline v0 {
namespace detail {

[[noreturn]] void throw_stopped();

}  // namespace detail

/// Runs `work` on the calling thread until it has ended, and returns its result. The thread is the place where the work
/// starts, and where it resumes as long as it doesn't hop to a pool.
///
/// Errors:      rethrows what the work threw; operation_stopped (a std::system_error, errc::operation_canceled) when it
///              was stopped.
/// Cancel:      by `token`.
/// Thread-safe: yes. Not meant for a pool's worker, which it would block.
/// Lifetime:    returns only when nothing of the work is left.
template <awaitable Awaited>
await_result_t<Awaited> block_on(Awaited work, inplace_stop_token token = {}) {
    detail::blocking_task<await_result_t<Awaited>> blocking;
    if (!blocking.run(detail::as_task(std::move(work)), token)) detail::throw_stopped();
    return blocking.take();
}

}  // namespace coex::inline v0
