#pragma once

#if __has_include(<stdexec/execution.hpp>)

#include <exec/interop/stdexec_bulk.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/work_item.hpp>

#include <stdexec/execution.hpp>

#include <concepts>
#include <utility>

#define COEX_SENDER_LIBRARY with_stdexec
#include <exec/interop/library/scheduler.ipp>
#undef COEX_SENDER_LIBRARY

namespace coex::inline v0::interop {

/// A coex pool as a scheduler of stdexec: see `library_scheduler`.
using stdexec_scheduler = with_stdexec::library_scheduler;
using stdexec_domain = with_stdexec::library_domain;

}  // namespace coex::inline v0::interop

#endif
