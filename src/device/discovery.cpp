#include "device/discovery.hpp"

#include "device/sysfs.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>

namespace coex::inline v0::detail {
namespace {

namespace fs = std::filesystem;

constexpr unsigned most_depth = 16;  // of volumes on volumes; also ends a loop in a broken tree

template <std::size_t Count>
bool is_one_of(std::string_view text, const std::array<std::string_view, Count>& list) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_memory(std::string_view type) {
    return is_one_of(type, std::array<std::string_view, 5>{"tmpfs", "ramfs", "devtmpfs", "rootfs", "hugetlbfs"});
}

bool is_network(std::string_view type) {
    return is_one_of(type, std::array<std::string_view, 10>{"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs",
                                                            "glusterfs", "coda"});
}

// A process answers each operation, as a server would. Some of them serve a block device, which is then the source.
bool is_served_by_process(const mount_entry& mount) {
    const bool fuse = mount.type == "fuse" || mount.type.rfind("fuse.", 0) == 0;
    return fuse && (mount.source.rfind("/dev/", 0) != 0 || mount.source == "/dev/fuse");
}

// The slowest first: a volume is as slow as its slowest member.
int speed(device_class kind) {
    switch (kind) {
        case device_class::hdd:
            return 0;
        case device_class::unknown:
            return 1;
        case device_class::network:
            return 2;
        case device_class::ssd:
            return 3;
        case device_class::nvme:
            return 4;
        case device_class::memory:
            return 5;
    }
    return 1;
}

discovered_device unknown(std::string name, std::string reason) {
    discovered_device found;
    found.name = std::move(name);
    found.reasons.push_back(std::move(reason));
    return found;
}

}  // namespace

discovery::discovery(fs::path root, ask_function ask)
    : root_(std::move(root)), ask_(std::move(ask)), mounts_(read_mount_table(root_)) {}

discovered_device discovery::find(std::uint64_t number, unsigned depth) {
    if (depth > most_depth) return unknown("unknown", "the chain of volumes does not end");
    const std::string shown = show_device_number(number);
    std::error_code error;
    const fs::path link = root_ / "sys/dev/block" / shown;
    const fs::path directory = fs::canonical(link, error);
    if (error) return find_mounted(number, depth);
    discovered_device found = find_block(directory, depth);
    found.reasons.insert(found.reasons.begin(), "device number " + shown + " is " + directory.filename().string() +
                                                    " (sys/dev/block/" + shown + ")");
    return found;
}

discovered_device discovery::find_mounted(std::uint64_t number, unsigned depth) {
    const std::string shown = show_device_number(number);
    const std::optional<placed_mount> placed = mount_of(number);
    if (!placed) {
        return unknown("dev-" + shown,
                       "sys/dev/block has no " + shown + ", and no mounted file system has that number");
    }
    const mount_entry& mount = placed->mount;
    discovered_device found;
    if (is_memory(mount.type)) {
        found.name = mount.type;
        found.kind = device_class::memory;
    } else if (is_network(mount.type) || is_served_by_process(mount)) {
        found.name = mount.source;
        found.kind = device_class::network;
        if (!is_network(mount.type)) found.reasons.push_back("a process answers its operations, as a server would");
    } else if (mount.type == "overlay") {
        found = find_overlay(mount, depth);
    } else {
        found = find_source(mount, depth);
    }
    found.reasons.insert(found.reasons.begin(), "device number " + shown + " is " + placed->relation + "the " +
                                                    mount.type + " at " + mount.mount_point + " (" + placed->evidence +
                                                    ")");
    return found;
}

std::optional<discovery::placed_mount> discovery::mount_of(std::uint64_t number) {
    const auto listed = [this, number]() -> std::optional<placed_mount> {
        const auto mount = std::find_if(mounts_.begin(), mounts_.end(),
                                        [number](const mount_entry& each) { return each.device == number; });
        if (mount == mounts_.end()) return std::nullopt;
        return placed_mount{*mount, "", "proc/self/mountinfo"};
    };
    if (auto known = listed()) return known;
    refresh_mounts();
    if (auto known = listed()) return known;
    return major(number) == 0 ? mount_of_subvolume(number) : std::nullopt;
}

std::optional<discovery::placed_mount> discovery::mount_of_subvolume(std::uint64_t number) const {
    const mount_entry* only = nullptr;
    bool ambiguous = false;
    for (const mount_entry& each : mounts_) {
        // An overlay over several file systems makes up numbers for its files, too.
        if (each.type == "overlay") ambiguous = true;
        if (each.type != "btrfs") continue;
        if (ask_(each.mount_point).number == number) return placed_mount{each, "a subvolume of ", "by its mount point"};
        if (only != nullptr && only->device != each.device) ambiguous = true;
        only = &each;
    }
    if (only == nullptr || ambiguous) return std::nullopt;
    return placed_mount{*only, "a subvolume of ", "no mount has that number, and no other btrfs is mounted"};
}

std::uint64_t discovery::file_system_number(const path_place& where) {
    if (major(where.number) != 0 || where.mount_id == 0) return where.number;
    refresh_mounts();  // ids are used again after an unmount: what is remembered does not count
    const auto mount = std::find_if(mounts_.begin(), mounts_.end(),
                                    [&where](const mount_entry& each) { return each.id == where.mount_id; });
    return mount == mounts_.end() ? where.number : mount->device;
}

void discovery::refresh_mounts() {
    std::vector<mount_entry> now = read_mount_table(root_);
    // Out of file descriptors, say: the old table is better than none.
    if (!now.empty()) mounts_ = std::move(now);
}

discovered_device discovery::find_overlay(const mount_entry& mount, unsigned depth) {
    std::string layer = option_value(mount.super_options, "upperdir");
    if (layer.empty()) layer = option_value(mount.super_options, "lowerdir");
    layer = layer.substr(0, layer.find(':'));
    const std::uint64_t number = layer.empty() ? 0 : file_system_number(ask_(layer));
    if (number == 0 || number == mount.device) {
        return unknown("overlay", "its layer '" + layer + "' cannot be seen from here, as is usual in a container");
    }
    discovered_device found = find(number, depth + 1);
    found.reasons.insert(found.reasons.begin(), "writes go to the layer '" + layer + "'");
    return found;
}

// btrfs and others give their files a device number of their own; the mount's source is the device.
discovered_device discovery::find_source(const mount_entry& mount, unsigned depth) {
    if (mount.type == "zfs") {
        return unknown("zfs-" + mount.source.substr(0, mount.source.find('/')),
                       "zfs does not tell which block devices it lies on; all data sets of a pool share them");
    }
    if (mount.source.rfind("/dev/", 0) != 0) {
        return unknown(mount.source.empty() ? mount.type : mount.source,
                       "a " + mount.type + " does not tell which block device it lies on");
    }
    std::error_code error;
    const fs::path node = root_ / fs::path(mount.source).relative_path();
    fs::path target = fs::is_symlink(node, error) ? fs::read_symlink(node, error) : node;
    std::string name = target.filename().string();
    fs::path directory = block_directory(name);
    if (directory.empty()) {
        name = device_mapper_name(root_, fs::path(mount.source).filename().string());
        directory = name.empty() ? fs::path() : block_directory(name);
    }
    if (directory.empty()) return unknown(mount.source, "sys/class/block does not know " + mount.source);
    // The source of a btrfs is any one of its devices.
    const std::vector<std::string> members =
        mount.type == "btrfs" ? btrfs_members(root_, directory.filename().string()) : std::vector<std::string>();
    if (members.size() > 1) return find_volume("the btrfs at " + mount.mount_point, members, depth);
    discovered_device found = find_block(directory, depth + 1);
    found.reasons.insert(found.reasons.begin(), "it lies on " + mount.source);
    return found;
}

discovered_device discovery::find_block(const fs::path& directory, unsigned depth) {
    std::error_code error;
    if (depth > most_depth) return unknown("unknown", "the chain of volumes does not end");
    if (fs::exists(directory / "partition", error)) {
        const fs::path disk = directory.parent_path();
        discovered_device found = find_block(disk, depth + 1);
        found.reasons.insert(found.reasons.begin(),
                             directory.filename().string() + " is a partition of " + disk.filename().string());
        return found;
    }
    if (fs::exists(directory / "loop/backing_file", error)) return find_loop(directory, depth);
    const std::vector<std::string> members = names_in(directory / "slaves");
    if (members.empty()) return find_disk(directory);
    const std::string label = read_line(directory / "dm/name");
    return find_volume(directory.filename().string() + (label.empty() ? "" : " (" + label + ")"), members, depth);
}

discovered_device discovery::find_loop(const fs::path& directory, unsigned depth) {
    const std::string name = directory.filename().string();
    const std::string file = read_line(directory / "loop/backing_file");
    const std::uint64_t number = file.empty() ? 0 : file_system_number(ask_(file));
    if (number == 0) return unknown(name, name + " is a loop device on '" + file + "', which cannot be seen from here");
    discovered_device found = find(number, depth + 1);
    found.reasons.insert(found.reasons.begin(), name + " is a loop device on the file '" + file + "'");
    return found;
}

discovered_device discovery::find_volume(const std::string& title, const std::vector<std::string>& members,
                                         unsigned depth) {
    std::string listed;
    std::vector<discovered_device> below;
    for (const std::string& member : members) {
        listed += (listed.empty() ? "" : ", ") + member;
        const fs::path place = block_directory(member);
        below.push_back(place.empty() ? unknown(member, "sys/class/block does not know " + member)
                                      : find_block(place, depth + 1));
    }
    const std::string summary = title + " is a volume over " + listed;
    const bool one =
        std::all_of(below.begin(), below.end(), [&](const auto& each) { return each.name == below[0].name; });
    discovered_device found;
    if (one) {
        found = below[0];
        found.reasons.insert(found.reasons.begin(), summary);
        return found;
    }
    found.kind = device_class::memory;
    found.reasons.push_back(summary);
    for (const discovered_device& each : below) {
        found.disks.insert(each.disks.begin(), each.disks.end());
        // A member that is no disk, or cannot be seen, still tells this volume from the other members.
        if (each.disks.empty()) found.disks.insert(each.name);
        if (speed(each.kind) < speed(found.kind)) found.kind = each.kind;
        found.queue_depth += each.queue_depth;
        found.reasons.insert(found.reasons.end(), each.reasons.begin(), each.reasons.end());
    }
    for (const std::string& disk : found.disks) found.name += (found.name.empty() ? "" : "+") + disk;
    found.reasons.push_back("as slow as its slowest member: " + std::string(to_string(found.kind)) +
                            "; what lies directly on a member is limited separately");
    return found;
}

discovered_device discovery::find_disk(const fs::path& directory) const {
    discovered_device found;
    const std::string name = directory.filename().string();
    found.name = name;
    if (name.rfind("zram", 0) == 0 || name.rfind("ram", 0) == 0 || name.rfind("pmem", 0) == 0) {
        found.kind = device_class::memory;
        found.reasons.push_back(name + " is memory");
        return found;
    }
    if (const std::string controller = nvme_controller(name); !controller.empty()) {
        found.name = controller;
        found.kind = device_class::nvme;
        found.reasons.push_back(name + " is a namespace of the NVMe controller " + controller);
    } else {
        classify_by_rotation(directory, found.kind, found.reasons);
    }
    found.disks.insert(found.name);
    found.queue_depth = read_number(directory / "queue/nr_requests").value_or(0);
    return found;
}

fs::path discovery::block_directory(const std::string& name) const {
    std::error_code error;
    // The kernel writes a '/' in a device's name as '!'.
    std::string entry = name;
    std::replace(entry.begin(), entry.end(), '/', '!');
    const fs::path directory = fs::canonical(root_ / "sys/class/block" / entry, error);
    return error ? fs::path() : directory;
}

}  // namespace coex::inline v0::detail
