#include <exec/pool/fork_join.hpp>

#include "pool/worker.hpp"

namespace coex::inline v0::detail {

bool on_a_worker() noexcept {
    return worker::current() != nullptr;
}

}  // namespace coex::inline v0::detail
