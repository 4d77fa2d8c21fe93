#include "open_files.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace find_duplicates {

std::size_t raise_open_file_limit() noexcept {
    constexpr rlim_t reserved = 48;  // rings, event descriptors, sysfs files, directories being read
    constexpr rlim_t plenty = 4096;  // more than any device's depth
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
    const rlim_t former = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = former;
    const rlim_t usable = std::min(limit.rlim_cur, plenty);
    return usable > reserved ? static_cast<std::size_t>(usable - reserved) : 1;
}

}  // namespace find_duplicates
