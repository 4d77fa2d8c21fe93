#include <exec/pool/fork_join.hpp>

#include "pool/worker.hpp"

namespace coex::inline v0 {

static_thread_pool& default_pool() {
    static static_thread_pool* const pool = new static_thread_pool(pool_options{.name = "default"});
    return *pool;
}

namespace detail {

bool on_a_worker() noexcept {
    return worker::current() != nullptr;
}

}  // namespace detail
}  // namespace coex::inline v0
