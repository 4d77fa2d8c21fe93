#pragma once

#if __has_include(<stdexec/execution.hpp>)

#include <exec/algo/bulk.hpp>
#include <exec/algo/parallel_bulk.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/interop/stdexec_signatures.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/execution_context.hpp>

#include <stdexec/execution.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

#define COEX_SENDER_LIBRARY with_stdexec
#include <exec/interop/library/bulk.ipp>
#undef COEX_SENDER_LIBRARY

#endif
