#pragma once

#include "device/mount_table.hpp"

#include <exec/device/storage_device.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace coex::inline v0::detail {

/// What a device number was found to be. Two with the same name are the same device.
struct discovered_device {
    std::string name;
    device_class kind = device_class::unknown;
    unsigned queue_depth = 0;     // what the hardware takes at once; 0: unknown
    std::set<std::string> disks;  // the physical disks below, by name; empty where there are none
    std::vector<std::string> reasons;
};

/// Finds the physical device of a file system by its device number, from sysfs and the mount table.
///
/// - A partition is its disk. All namespaces of an NVMe controller are one device: they share its queues.
/// - A volume (device-mapper, md) whose members all lie on one disk is that disk. One that spans several disks is a
/// device of its
///   own, named after them, of the slowest member's class; what lies directly on its members is limited separately.
/// - File systems without a block device (btrfs, overlay, tmpfs, network) are looked up in the mount table.
///
/// Thread-safe: no.
class discovery {
public:
    /// The device number of a path; 0 when it cannot be asked.
    using device_number_function = std::function<std::uint64_t(const std::filesystem::path&)>;

    discovery(std::filesystem::path root, device_number_function device_number);

    [[nodiscard]] const std::vector<mount_entry>& mounts() const noexcept { return mounts_; }
    [[nodiscard]] discovered_device find(std::uint64_t number) const { return find(number, 0); }

private:
    [[nodiscard]] discovered_device find(std::uint64_t number, unsigned depth) const;
    [[nodiscard]] discovered_device find_mounted(std::uint64_t number, unsigned depth) const;
    [[nodiscard]] discovered_device find_overlay(const mount_entry& mount, unsigned depth) const;
    [[nodiscard]] discovered_device find_source(const mount_entry& mount, unsigned depth) const;
    [[nodiscard]] discovered_device find_block(const std::filesystem::path& directory, unsigned depth) const;
    [[nodiscard]] discovered_device find_loop(const std::filesystem::path& directory, unsigned depth) const;
    [[nodiscard]] discovered_device find_volume(const std::filesystem::path& directory,
                                                const std::vector<std::string>& members, unsigned depth) const;
    [[nodiscard]] discovered_device find_disk(const std::filesystem::path& directory) const;
    [[nodiscard]] std::filesystem::path block_directory(const std::string& name) const;

    std::filesystem::path root_;
    device_number_function device_number_;
    std::vector<mount_entry> mounts_;
};

}  // namespace coex::inline v0::detail
