#pragma once

#include <cstddef>

namespace coex::inline v0::detail {

/// Calls `function(argument)` on a fresh stack, as large as that of the calling thread, and returns when it has
/// returned. For a thread that has little left of its own stack. Thread-locals and everything else of the thread stay
/// as they are.
///
/// Errors:     false when there is no memory for a stack: nothing has been called.
/// Complexity: a mapping made and removed, two switches of the context.
[[nodiscard]] bool call_on_spare_stack(void (*function)(void*) noexcept, void* argument) noexcept;

}  // namespace coex::inline v0::detail
