#include <exec/device/resource_pools.hpp>

#include "device/discovery.hpp"
#include "device/overrides.hpp"

#include <exec/sys/cpu_count.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <mutex>
#include <system_error>

namespace coex::inline v0 {
namespace {

namespace fs = std::filesystem;

std::uint64_t ask_kernel(const fs::path& path) {
    struct statx status{};
    if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID, &status) != 0) return 0;
    const std::uint64_t number = makedev(status.stx_dev_major, status.stx_dev_minor);
    if (status.stx_dev_major != 0 || (status.stx_mask & STATX_MNT_ID) == 0) return number;
    // A btrfs subvolume has a number of its own, which the mount table does not list: go by the mount.
    for (const detail::mount_entry& mount : detail::read_mount_table("/")) {
        if (mount.id == status.stx_mnt_id) return mount.device;
    }
    return number;
}

// A file that is to be made lies where its directory lies.
std::uint64_t number_of(const std::function<std::uint64_t(const fs::path&)>& ask, const fs::path& path) {
    fs::path at = path.empty() ? fs::path(".") : path;
    for (;;) {
        errno = 0;
        if (const std::uint64_t number = ask(at); number != 0) return number;
        const int reason = errno == 0 ? ENOENT : errno;
        fs::path above = at.parent_path();
        if (above.empty() && at != ".") above = ".";
        if (above.empty() || above == at || (reason != ENOENT && reason != ENOTDIR)) {
            throw std::system_error(reason, std::generic_category(),
                                    "resource_pools: which device holds '" + path.string() + "'");
        }
        at = std::move(above);
    }
}

std::vector<device_override> all_overrides(std::vector<device_override> given) {
    const char* const text = std::getenv("COEX_DEVICES");
    std::vector<device_override> overrides = detail::parse_overrides(text == nullptr ? "" : text);
    for (device_override& each : given) {
        detail::check_override(each);
        overrides.push_back(std::move(each));
    }
    return overrides;
}

struct entry {
    storage_device device;
    std::once_flag started;
    std::unique_ptr<static_thread_pool> pool;
};

}  // namespace

struct resource_pools::state {
    explicit state(resource_options given)
        : options(std::move(given)),
          overrides(all_overrides(options.overrides)),
          cpus(available_cpus(options.root)),
          ask(options.device_number ? options.device_number : ask_kernel),
          machine(options.root, ask) {}

    entry& of(std::uint64_t number);
    entry& add(std::uint64_t number);

    const resource_options options;
    const std::vector<device_override> overrides;
    const unsigned cpus;
    const std::function<std::uint64_t(const fs::path&)> ask;
    const detail::discovery machine;

    mutable std::mutex mutex;
    std::map<std::uint64_t, entry*> by_number;    // OWNER: mutex
    std::vector<std::unique_ptr<entry>> entries;  // OWNER: mutex; what they point to stays
    std::once_flag cpu_started;
    std::unique_ptr<static_thread_pool> cpu;
};

entry& resource_pools::state::of(std::uint64_t number) {
    const std::lock_guard lock(mutex);
    const auto known = by_number.find(number);
    return known != by_number.end() ? *known->second : add(number);
}

entry& resource_pools::state::add(std::uint64_t number) {
    detail::discovered_device found = machine.find(number);
    const auto same = std::find_if(entries.begin(), entries.end(),
                                   [&found](const auto& each) { return each->device.name == found.name; });
    if (same != entries.end()) {
        by_number.emplace(number, same->get());
        return **same;
    }
    auto made = std::make_unique<entry>();
    storage_device& device = made->device;
    device.name = found.name;
    device.kind = found.kind;
    device.reasons = std::move(found.reasons);
    if (found.disks.size() > 1) device.members.assign(found.disks.begin(), found.disks.end());
    detail::apply_resources(device, overrides, found.queue_depth, cpus);
    entries.push_back(std::move(made));
    by_number.emplace(number, entries.back().get());
    return *entries.back();
}

resource_pools::resource_pools(resource_options options) : state_(std::make_unique<state>(std::move(options))) {
    for (const detail::mount_entry& mount : state_->machine.mounts()) {
        // The kernel's own file systems hold no files that anybody stores.
        const bool stores = mount.source.rfind("/dev/", 0) == 0 || mount.type == "tmpfs" || mount.type == "overlay" ||
                            mount.type.rfind("nfs", 0) == 0 || mount.type == "cifs" || mount.type == "btrfs" ||
                            mount.type == "zfs" || mount.type == "9p" || mount.type == "virtiofs";
        if (!stores) continue;
        std::vector<std::string>& points = state_->of(mount.device).device.mount_points;
        if (std::find(points.begin(), points.end(), mount.mount_point) == points.end())
            points.push_back(mount.mount_point);
    }
}

resource_pools::~resource_pools() = default;

static_thread_pool& resource_pools::for_path(const fs::path& path) {
    return for_dev(number_of(state_->ask, path));
}

static_thread_pool& resource_pools::for_dev(std::uint64_t number) {
    entry& found = state_->of(number);
    std::call_once(found.started, [&found] {
        const storage_device& device = found.device;
        found.pool = std::make_unique<static_thread_pool>(
            pool_options{.name = device.name, .threads = device.threads, .io_depth = device.in_flight});
    });
    return *found.pool;
}

const storage_device& resource_pools::device_of(const fs::path& path) {
    return device_of(number_of(state_->ask, path));
}

const storage_device& resource_pools::device_of(std::uint64_t number) {
    return state_->of(number).device;
}

static_thread_pool& resource_pools::cpu() {
    std::call_once(state_->cpu_started,
                   [this] { state_->cpu = std::make_unique<static_thread_pool>(state_->options.cpu); });
    return *state_->cpu;
}

std::vector<std::reference_wrapper<const storage_device>> resource_pools::devices() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<std::reference_wrapper<const storage_device>> known;
    for (const auto& each : state_->entries) known.emplace_back(each->device);
    return known;
}

std::string resource_pools::explain() const {
    std::string text;
    for (const storage_device& device : devices()) text += device.explain() + "\n";
    return text;
}

}  // namespace coex::inline v0
