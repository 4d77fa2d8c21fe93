#include <exec/device/resource_pools.hpp>

#include "device/discovery.hpp"
#include "device/overrides.hpp"

#include <exec/base/exceptions.hpp>
#include <exec/sys/cpu_count.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>

namespace coex::inline v0 {
namespace {

namespace fs = std::filesystem;

detail::path_place ask_kernel(const fs::path& path) {
    struct statx status{};
    if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID, &status) != 0) return {};
    const bool has_id = (status.stx_mask & STATX_MNT_ID) != 0;
    return {makedev(status.stx_dev_major, status.stx_dev_minor), has_id ? status.stx_mnt_id : 0};
}

detail::discovery::ask_function asker(const resource_options& options) {
    if (!options.device_number) return ask_kernel;
    return [ask = options.device_number](const fs::path& path) { return detail::path_place{ask(path), 0}; };
}

// A file that is to be made lies where its directory lies.
detail::path_place place_of(const detail::discovery::ask_function& ask, const fs::path& path) {
    fs::path at = path.empty() ? fs::path(".") : path;
    for (;;) {
        errno = 0;
        if (const detail::path_place found = ask(at); found.number != 0) return found;
        const int reason = errno == 0 ? ENOENT : errno;
        fs::path above = at.parent_path();
        if (above.empty() && at != ".") above = ".";
        if (above.empty() || above == at || (reason != ENOENT && reason != ENOTDIR)) {
            detail::throw_exception(std::system_error(reason, std::generic_category(),
                                                      "resource_pools: which device holds '" + path.string() + "'"));
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
    static_thread_pool& running() {
        std::call_once(started, [this] {
            pool = std::make_unique<static_thread_pool>(
                pool_options{.name = device.name, .threads = device.threads, .io_depth = device.in_flight});
        });
        return *pool;
    }

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
          ask(asker(options)),
          machine(options.root, ask) {}

    entry& of(std::uint64_t number);
    entry& of(const fs::path& path);
    entry& add(std::uint64_t number);

    const resource_options options;
    const std::vector<device_override> overrides;
    const unsigned cpus;
    const detail::discovery::ask_function ask;

    mutable std::mutex mutex;
    detail::discovery machine;                    // OWNER: mutex
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

entry& resource_pools::state::of(const fs::path& path) {
    const detail::path_place where = place_of(ask, path);
    const std::lock_guard lock(mutex);
    const auto known = by_number.find(where.number);
    if (known != by_number.end()) return *known->second;
    const std::uint64_t number = machine.file_system_number(where);
    const auto same = by_number.find(number);
    entry& found = same != by_number.end() ? *same->second : add(number);
    by_number.emplace(where.number, &found);
    return found;
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

resource_pools::resource_pools(resource_options options) : state_(new state(std::move(options))) {
    // A copy: discovering a device may read the table again.
    const std::vector<detail::mount_entry> mounts = state_->machine.mounts();
    for (const detail::mount_entry& mount : mounts) {
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

static_thread_pool& resource_pools::for_path(const path_argument& path) {
    return state_->of(fs::path(path.text())).running();
}

static_thread_pool& resource_pools::for_dev(std::uint64_t number) {
    return state_->of(number).running();
}

const storage_device& resource_pools::device_of(const path_argument& path) {
    return state_->of(fs::path(path.text())).device;
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
    const auto known = devices();
    for (const storage_device& device : known) text += device.explain() + "\n";
    for (const device_override& each : state_->overrides) {
        device_class ignored{};
        const bool meets = detail::parse_device_class(each.name, ignored) ||
                           std::any_of(known.begin(), known.end(),
                                       [&each](const storage_device& device) { return device.name == each.name; });
        if (!meets) text += "the override for \"" + each.name + "\" has no effect: no device of that name so far\n";
    }
    return text;
}

}  // namespace coex::inline v0
