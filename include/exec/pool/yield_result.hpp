#pragma once

#include <cstdint>
#include <optional>

namespace coex::inline v0 {

/// What a worker did that was asked to run something else for a moment.
enum class yield_result : std::uint8_t {
    executed,  ///< ran one task, or resumed one coroutine
    idle,      ///< found nothing to run
};

namespace detail {

class pool_core;

// Of a worker of `pool`, or of any pool when that is null; nothing on other threads.
std::optional<yield_result> yield_now(const pool_core* pool);
std::optional<yield_result> yield_local(const pool_core* pool);
[[nodiscard]] std::optional<bool> this_thread_has_pending_tasks(const pool_core* pool) noexcept;

}  // namespace detail
}  // namespace coex::inline v0
