#pragma once

#include <version>

#if defined(__cpp_lib_senders)

#include <exec/algo/bulk.hpp>
#include <exec/algo/parallel_bulk.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/interop/std_signatures.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/execution_context.hpp>

#include <execution>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

#define COEX_SENDER_LIBRARY with_std
#include <exec/interop/library/bulk.ipp>
#undef COEX_SENDER_LIBRARY

#endif
