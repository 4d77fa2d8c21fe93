#pragma once

namespace coex::inline v0::detail {

/// Every thread of the process has executed a full memory barrier when this returns: membarrier(2). For protocols in
/// which one side is so frequent that it pays only for the order of its instructions, and the other, seldom one pays
/// for both: some 0.4 us, or 10 us when other threads of the process run.
///
/// Returns false, and orders nothing, where `has_process_wide_barrier()` is false: which may turn out in this call.
[[nodiscard]] bool process_wide_barrier() noexcept;

/// False where membarrier(2) is missing: an old kernel, a seccomp filter; from then on if a thread comes under such a
/// filter later.
[[nodiscard]] bool has_process_wide_barrier() noexcept;

}  // namespace coex::inline v0::detail
