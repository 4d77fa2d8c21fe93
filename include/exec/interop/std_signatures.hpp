#pragma once

#include <version>

#if defined(__cpp_lib_senders)

#include <exec/interop/std_names.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/sender.hpp>

#include <execution>

#define COEX_SENDER_LIBRARY with_std
#include <exec/interop/library/signatures.ipp>
#undef COEX_SENDER_LIBRARY

#endif
