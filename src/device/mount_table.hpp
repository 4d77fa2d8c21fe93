#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace coex::inline v0::detail {

/// A line of /proc/self/mountinfo.
struct mount_entry {
    std::uint64_t id = 0;      // as statx tells it of a path
    std::uint64_t device = 0;  // st_dev of the file system
    std::string mounted_root;  // the part of the file system that is mounted: not "/" for bind mounts and subvolumes
    std::string mount_point;
    std::string type;
    std::string source;
    std::string super_options;
};

/// The mounted file systems, in the order of mounting. Malformed lines are left out; a missing table is empty.
[[nodiscard]] std::vector<mount_entry> read_mount_table(const std::filesystem::path& root);

/// The value of `key=` among comma-separated options, with escapes resolved; empty when it is missing.
[[nodiscard]] std::string option_value(std::string_view options, std::string_view key);

/// "8:1" as a device number. Returns false for anything else.
[[nodiscard]] bool parse_device_number(std::string_view text, std::uint64_t& number) noexcept;

/// "8:1".
[[nodiscard]] std::string show_device_number(std::uint64_t number);

}  // namespace coex::inline v0::detail
