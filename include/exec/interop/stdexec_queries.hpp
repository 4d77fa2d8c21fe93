#pragma once

#if __has_include(<stdexec/execution.hpp>)

#include <exec/interop/stdexec_scheduler.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>

#include <stdexec/execution.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

#define COEX_SENDER_LIBRARY with_stdexec
#include <exec/interop/library/queries.ipp>
#undef COEX_SENDER_LIBRARY

#endif
