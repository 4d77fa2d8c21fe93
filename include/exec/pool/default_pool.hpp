#pragma once

namespace coex::inline v0 {

class static_thread_pool;

/// The pool that work gets which needs one and was given none: `fork_join` outside of any pool. Made at its first use
/// with default options, and never destroyed, so that it may be used while the process exits.
///
/// Errors:      as the constructor of static_thread_pool; the next call tries again.
/// Thread-safe: yes.
[[nodiscard]] static_thread_pool& default_pool();

}  // namespace coex::inline v0
