#pragma once

#include <cstddef>
#include <cstdint>

namespace coex::inline v0 {

/// A snapshot of what a pool does and did. Counted per worker without synchronisation: each number is right, or a
/// moment old.
///
/// In a pool with a `queue_limit` a task counts as running once its place in the queue is free again. Only if its
/// worker loses the processor between the two for a thousand looks does it count nevertheless.
struct pool_stats {
    std::size_t threads = 0;     ///< workers; of a pool that may grow: now
    std::size_t running = 0;     ///< workers that run a task or coroutine now; those of a bounded pool: see above
    std::size_t queued = 0;      ///< tasks and ready coroutines that wait for a worker
    std::uint64_t executed = 0;  ///< tasks run and coroutines resumed since the start
    std::uint64_t stolen = 0;    ///< of these, taken from another worker
    std::uint64_t parked = 0;    ///< how often a worker fell asleep
};

}  // namespace coex::inline v0
