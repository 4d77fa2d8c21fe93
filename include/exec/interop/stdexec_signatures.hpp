#pragma once

#if __has_include(<stdexec/execution.hpp>)

#include <exec/interop/stdexec_names.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/sender.hpp>

#include <stdexec/execution.hpp>

#define COEX_SENDER_LIBRARY with_stdexec
#include <exec/interop/library/signatures.ipp>
#undef COEX_SENDER_LIBRARY

#endif
