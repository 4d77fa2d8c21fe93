#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace coex::inline v0::detail {

/// Reads `cpu.max` of control groups version 2: "MAX PERIOD" in microseconds, as CPUs; nothing for "max" or a malformed
/// text.
[[nodiscard]] std::optional<double> parse_cpu_max(std::string_view text) noexcept;

/// The smallest CPU quota, in CPUs, of this process's control group and its ancestors; nothing without one.
[[nodiscard]] std::optional<double> cgroup_cpu_quota(const std::filesystem::path& root);

/// Reads `COEX_NUM_THREADS`; 0 means automatic. Errors: std::invalid_argument.
[[nodiscard]] unsigned parse_thread_count(std::string_view text);

}  // namespace coex::inline v0::detail
