#pragma once

#if __has_include(<stdexec/execution.hpp>)

#include <exec/algo/closure.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/interop/as_coex.hpp>
#include <exec/interop/stdexec_queries.hpp>
#include <exec/interop/stdexec_scheduler.hpp>
#include <exec/interop/stdexec_signatures.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>

#include <stdexec/execution.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

#define COEX_SENDER_LIBRARY with_stdexec
#include <exec/interop/library/adaptors.ipp>
#undef COEX_SENDER_LIBRARY

namespace coex::inline v0::interop {

/// Makes a coex sender or scheduler one of stdexec: see `as_library_t`.
inline constexpr with_stdexec::as_library_t as_stdexec{};

template <class Sender>
using stdexec_sender = with_stdexec::library_sender<Sender>;

}  // namespace coex::inline v0::interop

#endif
