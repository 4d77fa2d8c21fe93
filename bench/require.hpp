#pragma once

#include <cstdio>
#include <cstdlib>

namespace coex_bench {

/// Ends the benchmark with the system's reason when something it needs is not there.
inline void require(bool ok, const char* what) {
    if (ok) return;
    std::perror(what);
    std::exit(2);
}

}  // namespace coex_bench
