#pragma once

// Without senders in the standard library this header, and its neighbours, are empty.
#include <version>

#if defined(__cpp_lib_senders)

#include <execution>

/// Where the façade for the standard library finds its names: not all are in std::execution.
namespace coex::inline v0::interop::with_std::library {

using namespace ::std::execution;
using ::std::get_allocator_t;
using ::std::get_stop_token_t;

using ::std::get_allocator;
using ::std::get_stop_token;

}  // namespace coex::inline v0::interop::with_std::library

#endif
