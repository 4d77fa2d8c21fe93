#include "physical_order.hpp"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace find_duplicates {
namespace {

/// Returns the address of the file's first extent on its device, in bytes; nothing if the file system doesn't tell or
/// there is none. Blocks.
std::optional<std::uint64_t> first_extent(const char* path) noexcept {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return std::nullopt;
    // The kernel's structure ends in an array without a length; here is room for one element.
    alignas(struct fiemap) std::array<std::byte, sizeof(struct fiemap) + sizeof(struct fiemap_extent)> space{};
    auto* const request = reinterpret_cast<struct fiemap*>(space.data());
    request->fm_length = FIEMAP_MAX_OFFSET;
    request->fm_extent_count = 1;
    const bool is_told = ::ioctl(fd, FS_IOC_FIEMAP, request) == 0 && request->fm_mapped_extents > 0;
    ::close(fd);
    if (!is_told) return std::nullopt;
    const auto* extent = reinterpret_cast<const struct fiemap_extent*>(space.data() + sizeof(struct fiemap));
    if ((extent->fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DATA_INLINE)) != 0) return std::nullopt;
    return extent->fe_physical;
}

/// Returns whether the beginning of the file is in the page cache.
bool is_cached(const char* path) noexcept {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return false;
    char byte = 0;
    const iovec target{&byte, 1};
    const bool is_there = ::preadv2(fd, &target, 1, 0, RWF_NOWAIT) == 1;
    ::close(fd);
    return is_there;
}

/// The files of one file system whose places are asked for.
struct place_queue {
    dev_t device;
    std::vector<candidate*> files;
    std::atomic<std::size_t> next{0};
};

/// Looks at a sample: where (nearly) all files are cached, no disk has to seek, whatever the order, and asking
/// for every place would be most of the work.
bool is_nearly_all_cached(const search_context& context, const place_queue& queue) {
    constexpr std::size_t samples = 64;
    const std::size_t step = queue.files.size() / samples + 1;
    std::size_t asked = 0;
    std::size_t cached = 0;
    for (std::size_t i = 0; i < queue.files.size(); i += step) {
        const std::string path = context.files.path(context.files.files()[queue.files[i]->file]);
        ++asked;
        if (is_cached(path.c_str())) ++cached;
    }
    return asked - cached <= asked / 16;
}

coex::task<> check_cache(search_context& context, place_queue& queue) {
    co_await context.pools.for_dev(queue.device).schedule();
    if (is_nearly_all_cached(context, queue)) queue.files.clear();
}

coex::task<> ask_places(search_context& context, place_queue& queue) {
    co_await context.pools.for_dev(queue.device).schedule();
    while (!context.stop.stop_requested()) {
        const std::size_t index = queue.next.fetch_add(1);
        if (index >= queue.files.size()) co_return;
        candidate& each = *queue.files[index];
        const std::string path = context.files.path(context.files.files()[each.file]);
        if (const std::optional<std::uint64_t> place = first_extent(path.c_str())) each.place = *place;
    }
}

}  // namespace

coex::task<> find_places(search_context& context, std::vector<candidate>& candidates) {
    std::deque<place_queue> queues;
    std::vector<place_queue*> of_device(context.files.device_count());
    for (std::size_t i = 0; i < of_device.size(); ++i) {
        const dev_t device = context.files.device(static_cast<std::uint16_t>(i));
        if (!is_order_important(context, device)) continue;
        of_device[i] = &queues.emplace_back();
        of_device[i]->device = device;
    }
    for (candidate& each : candidates) {
        const file_record& file = context.files.files()[each.file];
        each.place = file.inode;
        if (of_device[file.device] != nullptr) of_device[file.device]->files.push_back(&each);
    }
    std::vector<coex::task<>> checks;
    for (place_queue& queue : queues) checks.push_back(check_cache(context, queue));
    co_await coex::when_all(std::move(checks));
    std::vector<coex::task<>> asking;
    for (place_queue& queue : queues) {
        const unsigned threads = context.pools.for_dev(queue.device).thread_count();
        for (unsigned i = 0; i < threads; ++i) asking.push_back(ask_places(context, queue));
    }
    co_await coex::when_all(std::move(asking));
}

bool is_order_important(search_context& context, dev_t device) {
    const coex::device_class kind = context.pools.device_of(device).kind;
    return kind == coex::device_class::hdd || kind == coex::device_class::unknown;
}

}  // namespace find_duplicates
