#pragma once

#if __has_include(<stdexec/execution.hpp>)

#include <exec/algo/parallel_chunks.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/recycling.hpp>
#include <exec/interop/stdexec_names.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/work_item.hpp>

#include <stdexec/execution.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <utility>

#define COEX_SENDER_LIBRARY with_stdexec
#include <exec/interop/library/parallel_scheduler.ipp>
#undef COEX_SENDER_LIBRARY

namespace coex::inline v0::interop {

/// A backend for stdexec's `get_parallel_scheduler()` that runs on a coex pool.
///
/// To replace the one of a whole program, link the object `coex_stdexec` (the dependency of that name, when coex was
/// built with stdexec at hand): its `query_parallel_scheduler_backend` gives a backend on `coex::default_pool()`. Or
/// define that function yourself, and return what this gives.
///
/// Errors:   std::bad_alloc.
/// Lifetime: the pool must outlive the backend's work.
[[nodiscard]] inline std::shared_ptr<stdexec::parallel_scheduler_replacement::parallel_scheduler_backend>
make_parallel_scheduler_backend(context_scheduler scheduler) {
    return std::make_shared<with_stdexec::detail::pool_backend>(scheduler.context());
}

}  // namespace coex::inline v0::interop

#endif
