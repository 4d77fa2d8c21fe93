#include "directory_reader.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>

namespace find_duplicates {
namespace {

constexpr std::size_t block_bytes = std::size_t{64} * 1024;

std::error_code last_error() noexcept {
    return {errno, std::generic_category()};
}

std::error_code status_from(int fd, const char* name, int flags, file_status& status) noexcept {
    constexpr unsigned wanted = STATX_TYPE | STATX_MODE | STATX_UID | STATX_SIZE | STATX_INO | STATX_MTIME;
    struct statx answer;
    if (::statx(fd, name, flags, wanted, &answer) != 0) return last_error();
    status.mode = answer.stx_mode;
    status.owner = answer.stx_uid;
    status.size = answer.stx_size;
    status.modified = answer.stx_mtime.tv_sec * 1'000'000'000 + answer.stx_mtime.tv_nsec;
    status.identity.device = makedev(answer.stx_dev_major, answer.stx_dev_minor);
    status.identity.inode = answer.stx_ino;
    return {};
}

/// One block for each thread, kept: a directory is read at one go, never across a suspension.
char* thread_block() {
    thread_local const std::unique_ptr<char[]> block(new char[block_bytes]);
    return block.get();
}

bool is_dot_or_dot_dot(const char* name) noexcept {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

}  // namespace

std::error_code read_status(int directory_fd, const char* name, link_target link, file_status& status) noexcept {
    const int follow = link == link_target::itself ? AT_SYMLINK_NOFOLLOW : 0;
    return status_from(directory_fd, name, AT_NO_AUTOMOUNT | follow, status);
}

std::error_code read_status(int fd, file_status& status) noexcept {
    return status_from(fd, "", AT_EMPTY_PATH, status);
}

directory_reader::~directory_reader() {
    close();
}

std::error_code directory_reader::open(const char* path, link_target link) noexcept {
    close();
    const int follow = link == link_target::itself ? O_NOFOLLOW : 0;
    fd_ = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | follow);
    return fd_ < 0 ? last_error() : std::error_code();
}

void directory_reader::close() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

std::error_code directory_reader::read_all() {
    entries_.clear();
    names_.clear();
    char* const block = thread_block();
    for (;;) {
        const ssize_t length = ::getdents64(fd_, block, block_bytes);
        if (length < 0) return last_error();
        if (length == 0) break;
        for (const char* at = block; at < block + length;) {
            // The kernel aligns the records; the buffer comes from operator new.
            const auto* record = reinterpret_cast<const dirent64*>(at);
            at += record->d_reclen;
            if (is_dot_or_dot_dot(record->d_name)) continue;
            entries_.push_back({record->d_ino, static_cast<std::uint32_t>(names_.size()), record->d_type});
            names_.append(record->d_name, std::strlen(record->d_name) + 1);
        }
    }
    std::sort(entries_.begin(), entries_.end(), [](const entry& a, const entry& b) { return a.inode < b.inode; });
    return {};
}

}  // namespace find_duplicates
