#pragma once

#if __has_include(<stdexec/execution.hpp>)

#include <stdexec/execution.hpp>

#include <exec/vocab/scheduler.hpp>

#include <memory>

namespace coex::inline v0::interop {

/// A backend for stdexec's `get_parallel_scheduler()` that runs on a coex pool.
///
/// To replace the one of a whole program, link the object `coex_stdexec` (the dependency of that name, when coex was
/// built with stdexec at hand): its `query_parallel_scheduler_backend` gives a backend on `coex::default_pool()`. Or
/// define that function yourself, and return what this gives.
///
/// Errors:   std::bad_alloc.
/// Lifetime: the pool must outlive the backend's work.
[[nodiscard]] std::shared_ptr<stdexec::parallel_scheduler_replacement::parallel_scheduler_backend>
make_parallel_scheduler_backend(context_scheduler scheduler);

}  // namespace coex::inline v0::interop

#endif
