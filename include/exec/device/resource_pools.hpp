#pragma once

#include <exec/base/owned.hpp>
#include <exec/base/path_argument.hpp>
#include <exec/base/std_function.hpp>
#include <exec/device/storage_device.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace coex::inline v0 {

/// Corrects what discovery found. What is not set stays as found.
struct device_override {
    std::string name;                        ///< a device ("sda", "nvme0", "md0") or a class ("hdd", "ssd", ...)
    std::optional<device_class> kind = {};   ///< for a device only
    std::optional<unsigned> threads = {};    ///< 1 or more
    std::optional<unsigned> in_flight = {};  ///< 0: no limit
};

/// How resource_pools looks at the machine.
struct resource_options {
    /// Where sys/, proc/ and dev/ are found. Tests describe other machines here.
    std::string root = "/";

    /// The pool for computing.
    pool_options cpu = {.name = "cpu"};

    /// Win over the environment variable `COEX_DEVICES` (`sda:class=hdd;ssd:threads=2,depth=64`). An override for a
    /// device wins over one for its class.
    std::vector<device_override> overrides = {};

    /// The device number (`st_dev`) of a path. Empty: asks the kernel. Tests describe other machines here.
    std::function<std::uint64_t(const std::string&)> device_number = {};
};

/// A pool for every storage device of the machine, and one for the CPUs.
///
/// A path belongs to the device that its file system lies on, found by the path's `st_dev` and sysfs, never by its
/// name: partitions of one disk, logical volumes and encrypted volumes on it share the disk's one pool. Pools start on
/// first use. Each has as many workers and lets as many operations fly at once as suits its class.
///
/// Thread-safe: yes.
/// Lifetime:    references to pools and devices stay valid as long as this object, which must outlive the files and
///              coroutines that use the pools.
class resource_pools {
public:
    /// Discovers the devices that hold the mounted file systems. Missing or unreadable parts of sysfs make devices
    /// unknown, not an error.
    ///
    /// Errors: std::invalid_argument for a malformed `COEX_DEVICES` or override.
    explicit resource_pools(resource_options options = {});
    resource_pools(const resource_pools&) = delete;
    resource_pools& operator=(const resource_pools&) = delete;
    ~resource_pools();

    /// The pool of the device that holds `path`; of its nearest existing ancestor when it does not exist yet.
    ///
    /// Errors: std::system_error when not even that can be asked; as static_thread_pool when the pool cannot start.
    [[nodiscard]] static_thread_pool& for_path(const path_argument& path);
    /// The same for a device number (`st_dev`) that is known already.
    [[nodiscard]] static_thread_pool& for_dev(std::uint64_t number);

    /// The device that holds `path`, or that a device number means. Starts nothing.
    [[nodiscard]] const storage_device& device_of(const path_argument& path);
    [[nodiscard]] const storage_device& device_of(std::uint64_t number);

    /// Is it on an SSD?
    [[nodiscard]] device_class class_of(const path_argument& path) { return device_of(path).kind; }

    /// The pool for computing.
    [[nodiscard]] static_thread_pool& cpu();

    /// The devices known so far: those of the mounted file systems, and those asked for since.
    [[nodiscard]] std::vector<std::reference_wrapper<const storage_device>> devices() const;

    /// What is known of all devices, for a person.
    [[nodiscard]] std::string explain() const;

private:
    struct state;
    detail::owned<state> state_;
};

}  // namespace coex::inline v0
