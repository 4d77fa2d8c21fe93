#include <exec/io/file_calls.hpp>

#include <exec/io/file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

namespace coex::inline v0::detail {
namespace {

constexpr std::size_t copy_block_bytes = std::size_t{128} << 10;

std::string range(std::uint64_t offset, std::uint64_t length) {
    return " (" + std::to_string(length) + " bytes at offset " + std::to_string(offset) + ")";
}

template <class Call>
auto uninterrupted(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

// What the kernel answers where it cannot copy between these two files, though they could be read and written.
bool must_copy_by_hand(int error) noexcept {
    return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

struct copy_places {
    int from;
    off_t from_offset;
    int to;
    off_t to_offset;
    std::size_t length;
};

// Returns the bytes copied; or -1, with errno set, when the first call fails.
ssize_t copy_by_hand(const copy_places& places) {
    std::vector<std::byte> block(std::min(places.length, copy_block_bytes));
    const ssize_t count =
        uninterrupted([&] { return ::pread(places.from, block.data(), block.size(), places.from_offset); });
    if (count <= 0) return count;
    return uninterrupted(
        [&] { return ::pwrite(places.to, block.data(), static_cast<std::size_t>(count), places.to_offset); });
}

ssize_t copy_in_kernel(const copy_places& places) {
    off_t from_offset = places.from_offset;
    off_t to_offset = places.to_offset;
    return uninterrupted(
        [&] { return ::copy_file_range(places.from, &from_offset, places.to, &to_offset, places.length, 0); });
}

}  // namespace

result<void> allocate_call::operator()() const {
    constexpr std::array modes = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE};
    const int mode = modes[static_cast<std::size_t>(how_)];
    const int failed = uninterrupted([&] {
        return ::fallocate(file_->native_handle(), mode, static_cast<off_t>(offset_), static_cast<off_t>(length_));
    });
    if (failed != 0) return io_failure(-errno, "allocate", file_->path(), range(offset_, length_));
    return {};
}

result<void> resize_call::operator()() const {
    const int failed = uninterrupted([&] { return ::ftruncate(file_->native_handle(), static_cast<off_t>(size_)); });
    if (failed != 0) return io_failure(-errno, "resize", file_->path(), " (to " + std::to_string(size_) + " bytes)");
    return {};
}

result<void> advise_call::operator()() const {
    constexpr std::array advices = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                    POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    const int error = ::posix_fadvise(file_->native_handle(), static_cast<off_t>(offset_), static_cast<off_t>(length_),
                                      advices[static_cast<std::size_t>(advice_)]);
    if (error != 0) return io_failure(-error, "advise", file_->path(), range(offset_, length_));
    return {};
}

result<std::size_t> copy_range_call::operator()() const {
    const copy_places places{from_->native_handle(), static_cast<off_t>(from_offset_), to_->native_handle(),
                             static_cast<off_t>(to_offset_), length_};
    ssize_t count = copy_in_kernel(places);
    if (count < 0 && must_copy_by_hand(errno)) count = copy_by_hand(places);
    // Files of /proc and /sys seem empty to the kernel's copying.
    if (count == 0 && length_ != 0) count = copy_by_hand(places);
    if (count >= 0) return static_cast<std::size_t>(count);
    return io_failure(
        -errno, "copy_range", from_->path(),
        range(from_offset_, length_) + " to '" + to_->path() + "' at offset " + std::to_string(to_offset_));
}

}  // namespace coex::inline v0::detail
