#pragma once

#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace coex_bench {

/// What of this process lies in memory.
[[nodiscard]] inline std::size_t resident_bytes() {
    std::size_t total_pages = 0;
    std::size_t resident_pages = 0;
    std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
    return resident_pages * static_cast<std::size_t>(getpagesize());
}

}  // namespace coex_bench
