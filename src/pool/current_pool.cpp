#include <exec/pool/current_pool.hpp>

#include "pool/worker.hpp"

namespace coex::inline v0 {

std::optional<unsigned> this_thread_index() noexcept {
    if (const detail::worker* const here = detail::worker::current()) return here->index();
    return std::nullopt;
}

}  // namespace coex::inline v0
