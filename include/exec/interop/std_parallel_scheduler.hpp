#pragma once

#include <version>

#if defined(__cpp_lib_senders)

#include <exec/algo/parallel_chunks.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/recycling.hpp>
#include <exec/interop/std_names.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/work_item.hpp>

#include <execution>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <utility>

#define COEX_SENDER_LIBRARY with_std
#include <exec/interop/library/parallel_scheduler.ipp>
#undef COEX_SENDER_LIBRARY

namespace coex::inline v0::interop {

/// A backend for `std::execution::get_parallel_scheduler()` that runs on a coex pool: what the program's own
/// `std::execution::parallel_scheduler_replacement::query_parallel_scheduler_backend()` is to return.
///
/// Errors:   std::bad_alloc.
/// Lifetime: the pool must outlive the backend's work.
[[nodiscard]] inline std::shared_ptr<std::execution::parallel_scheduler_replacement::parallel_scheduler_backend>
make_std_parallel_scheduler_backend(context_scheduler scheduler) {
    return std::make_shared<with_std::detail::pool_backend>(scheduler.context());
}

}  // namespace coex::inline v0::interop

#endif
