// Replaces stdexec's own backend of get_parallel_scheduler() in every program that links this object.
#include <exec/interop/stdexec_parallel_scheduler.hpp>

#include <exec/pool/default_pool.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <memory>

namespace stdexec::parallel_scheduler_replacement {

std::shared_ptr<parallel_scheduler_backend> query_parallel_scheduler_backend() {
    static const std::shared_ptr<parallel_scheduler_backend> backend =
        coex::interop::make_parallel_scheduler_backend(coex::default_pool().get_scheduler());
    return backend;
}

}  // namespace stdexec::parallel_scheduler_replacement
