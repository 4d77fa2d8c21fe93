#pragma once

#include <version>

#if defined(__cpp_lib_senders)

#include <exec/algo/closure.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/interop/as_coex.hpp>
#include <exec/interop/std_queries.hpp>
#include <exec/interop/std_scheduler.hpp>
#include <exec/interop/std_signatures.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>

#include <execution>

#include <concepts>
#include <type_traits>
#include <utility>

#define COEX_SENDER_LIBRARY with_std
#include <exec/interop/library/adaptors.ipp>
#undef COEX_SENDER_LIBRARY

namespace coex::inline v0::interop {

/// Makes a coex sender or scheduler one of std::execution: see `as_library_t`.
inline constexpr with_std::as_library_t as_std{};

template <class Sender>
using std_sender = with_std::library_sender<Sender>;

}  // namespace coex::inline v0::interop

#endif
