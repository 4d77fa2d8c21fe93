#include <exec/base/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace coex::inline v0::detail {

void fail_requirement(const char* condition, const char* message, const char* file, int line) noexcept {
    std::fprintf(stderr, "coex: %s (%s, at %s:%d)\n", message, condition, file, line);
    std::abort();
}

}  // namespace coex::inline v0::detail
