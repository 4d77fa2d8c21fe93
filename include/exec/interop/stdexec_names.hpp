#pragma once

// Without stdexec on the include path this header, and its neighbours, are empty.
#if __has_include(<stdexec/execution.hpp>)

#include <stdexec/execution.hpp>

/// Where the façade for stdexec finds the library's names.
namespace coex::inline v0::interop::with_stdexec {

namespace library = ::stdexec;

}  // namespace coex::inline v0::interop::with_stdexec

#endif
