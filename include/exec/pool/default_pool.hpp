#pragma once

#include <exec/pool/pool_options.hpp>

namespace coex::inline v0 {

class static_thread_pool;

/// The pool that work gets which needs one and was given none: `fork_join` outside of any pool. Made at its first use
/// with default options, and never destroyed, so that it may be used while the process exits.
///
/// Errors:      as the constructor of static_thread_pool; the next call tries again.
/// Thread-safe: yes.
[[nodiscard]] static_thread_pool& default_pool();

/// Makes the default pool, with options. To be called before anything uses it, at the beginning of main().
///
/// Errors:      std::logic_error when the default pool exists already; as the constructor of static_thread_pool: then
///              there is still none, and the next use or call makes it.
/// Thread-safe: yes.
void configure_default_pool(pool_options options);

}  // namespace coex::inline v0
