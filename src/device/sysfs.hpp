#pragma once

#include <exec/device/storage_device.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace coex::inline v0::detail {

/// The first line of a file; empty when there is none.
[[nodiscard]] std::string read_line(const std::filesystem::path& path);

/// The number in a file; nothing when there is none.
[[nodiscard]] std::optional<unsigned> read_number(const std::filesystem::path& path);

/// The names in a directory, sorted; none when it is missing.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& directory);

/// "nvme0n1" and "nvme0c1n1" to "nvme0"; anything else to nothing.
[[nodiscard]] std::string nvme_controller(const std::string& name);

/// The kernel name ("dm-3") of the device-mapper volume that is called `label`; nothing when there is none.
[[nodiscard]] std::string device_mapper_name(const std::filesystem::path& root, const std::string& label);

/// The kernel names of all devices of the btrfs that has `member` among them; nothing when there is none.
[[nodiscard]] std::vector<std::string> btrfs_members(const std::filesystem::path& root, const std::string& member);

/// Whether a disk spins, as far as the kernel knows and can be trusted.
void classify_by_rotation(const std::filesystem::path& disk, device_class& kind, std::vector<std::string>& reasons);

}  // namespace coex::inline v0::detail
