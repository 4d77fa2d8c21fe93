#pragma once

#include <string>

namespace coex::inline v0 {

/// How many CPUs this process may use: those of its affinity mask, limited by the CPU quota of its control group and of
/// that group's ancestors (version 2 `cpu.max`, version 1 `cpu.cfs_quota_us`), rounded up. At least 1.
///
/// `root` is where /proc and /sys are looked for: "/" but in tests.
[[nodiscard]] unsigned available_cpus(const std::string& root = "/");

/// The number of workers of a pool that does not name one: `COEX_NUM_THREADS` if it is set to a number from 1 to 65535,
/// else available_cpus(). Read at every call. Empty and 0 mean automatic.
///
/// Errors: std::invalid_argument when the variable holds anything else.
[[nodiscard]] unsigned default_thread_count();

}  // namespace coex::inline v0
