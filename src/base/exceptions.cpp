#include <exec/base/exceptions.hpp>

#include <cstdio>
#include <cstdlib>

namespace coex::inline v0::detail {

void fail_without_exceptions(const char* what) noexcept {
    std::fprintf(
        stderr,
        "coex: %s (nobody can catch this: the program is compiled with -fno-exceptions; ask for the error as a "
        "result, by as_result() or get_result(), where it can be expected)\n",
        what);
    std::abort();
}

}  // namespace coex::inline v0::detail
