#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coex::inline v0 {

/// What kind of thing holds the data: decides how many operations it is given at once.
enum class device_class : unsigned char {
    hdd,      ///< spins: a seek costs milliseconds, one operation at a time is fastest
    ssd,      ///< solid state behind SATA, SAS, virtio, MMC
    nvme,     ///< solid state with deep queues of its own
    memory,   ///< tmpfs, ramfs, zram: no device at all
    network,  ///< NFS, CIFS, 9p, FUSE over the network
    unknown,  ///< not found out, or not to be trusted
};

[[nodiscard]] std::string_view to_string(device_class kind) noexcept;

/// A physical storage device (or a volume over several), as it was found on this machine, and how it will be used.
struct storage_device {
    std::string name;  ///< the kernel's: "sda", "nvme0", "md0", "tmpfs"
    device_class kind = device_class::unknown;
    unsigned threads = 1;                   ///< workers of its pool
    unsigned in_flight = 1;                 ///< input/output operations at once; 0: no limit
    std::vector<std::string> members;       ///< the disks of a volume that spans several
    std::vector<std::string> mount_points;  ///< where its file systems are mounted
    std::vector<std::string> reasons;       ///< what was read where, and what followed

    /// A few lines for a person: what was found and why, how it is used, how to override it.
    [[nodiscard]] std::string explain() const;
};

}  // namespace coex::inline v0
