#pragma once

#include "device/mount_table.hpp"

#include <exec/device/storage_device.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace coex::inline v0::detail {

/// Where a path lies, as the kernel tells it.
struct path_place {
    std::uint64_t number = 0;    // st_dev; 0: it could not be asked, and errno says why
    std::uint64_t mount_id = 0;  // as in the mount table; 0: unknown
};

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
/// - A volume (device-mapper, md, btrfs) whose members all lie on one disk is that disk. One that spans several disks
/// is
///   a device of its own, named after them, of the slowest member's class; what lies directly on its members is limited
///   separately.
/// - File systems without a block device (btrfs, overlay, tmpfs, network) are looked up in the mount table, which is
/// read
///   again when it does not know a number: file systems come and go.
/// - btrfs gives the files of every subvolume a device number that the mount table does not list. It is found by asking
///   for the numbers of the mount points, else by elimination.
///
/// Thread-safe: no.
class discovery {
public:
    using ask_function = std::function<path_place(const std::filesystem::path&)>;

    discovery(std::filesystem::path root, ask_function ask);

    [[nodiscard]] const std::vector<mount_entry>& mounts() const noexcept { return mounts_; }
    [[nodiscard]] discovered_device find(std::uint64_t number) { return find(number, 0); }

    /// The device number of the file system that a path lies on. Not always that of its file: those of btrfs subvolumes
    /// and of some overlays have numbers that no mount has.
    [[nodiscard]] std::uint64_t file_system_number(const path_place& where);

private:
    // A mount that a device number belongs to, and in what way.
    struct placed_mount {
        mount_entry mount;
        std::string relation;
        std::string evidence;
    };

    [[nodiscard]] discovered_device find(std::uint64_t number, unsigned depth);
    [[nodiscard]] discovered_device find_mounted(std::uint64_t number, unsigned depth);
    [[nodiscard]] discovered_device find_overlay(const mount_entry& mount, unsigned depth);
    [[nodiscard]] discovered_device find_source(const mount_entry& mount, unsigned depth);
    [[nodiscard]] discovered_device find_block(const std::filesystem::path& directory, unsigned depth);
    [[nodiscard]] discovered_device find_loop(const std::filesystem::path& directory, unsigned depth);
    [[nodiscard]] discovered_device find_volume(const std::string& title, const std::vector<std::string>& members,
                                                unsigned depth);
    [[nodiscard]] discovered_device find_disk(const std::filesystem::path& directory) const;
    [[nodiscard]] std::optional<placed_mount> mount_of(std::uint64_t number);
    [[nodiscard]] std::optional<placed_mount> mount_of_subvolume(std::uint64_t number) const;
    void refresh_mounts();
    [[nodiscard]] std::filesystem::path block_directory(const std::string& name) const;

    std::filesystem::path root_;
    ask_function ask_;
    std::vector<mount_entry> mounts_;
};

}  // namespace coex::inline v0::detail
