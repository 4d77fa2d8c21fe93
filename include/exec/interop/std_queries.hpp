#pragma once

#include <version>

#if defined(__cpp_lib_senders)

#include <exec/interop/std_scheduler.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>

#include <execution>

#include <concepts>
#include <type_traits>
#include <utility>

#define COEX_SENDER_LIBRARY with_std
#include <exec/interop/library/queries.ipp>
#undef COEX_SENDER_LIBRARY

#endif
