// Replaces stdexec's own backend of get_parallel_scheduler() in every program that links this object.
#include <exec/interop/stdexec_parallel_scheduler.hpp>

#include <exec/pool/default_pool.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <memory>

namespace coex::inline v0::interop {

using stdexec::parallel_scheduler_replacement::parallel_scheduler_backend;

// This is stdexec::parallel_scheduler_replacement::query_parallel_scheduler_backend() under another name. The header
// declares that function weak, which a definition by its own name would be too, and then one that the program has
// inline (as with STDEXEC_PARALLEL_SCHEDULER_HEADER_ONLY) could win.
std::shared_ptr<parallel_scheduler_backend> backend_on_the_default_pool() __asm__(
    "_ZN7stdexec30parallel_scheduler_replacement32query_parallel_scheduler_backendEv");

std::shared_ptr<parallel_scheduler_backend> backend_on_the_default_pool() {
    static const std::shared_ptr<parallel_scheduler_backend> backend =
        make_parallel_scheduler_backend(default_pool().get_scheduler());
    return backend;
}

}  // namespace coex::inline v0::interop
