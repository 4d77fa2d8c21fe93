#pragma once

#include <version>

#if defined(__cpp_lib_senders)

#include <exec/interop/std_bulk.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/work_item.hpp>

#include <execution>

#include <concepts>
#include <utility>

#define COEX_SENDER_LIBRARY with_std
#include <exec/interop/library/scheduler.ipp>
#undef COEX_SENDER_LIBRARY

namespace coex::inline v0::interop {

/// A coex pool as a scheduler of std::execution: see `library_scheduler`.
using std_scheduler = with_std::library_scheduler;
using std_domain = with_std::library_domain;

}  // namespace coex::inline v0::interop

#endif
