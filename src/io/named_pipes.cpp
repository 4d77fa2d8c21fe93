#include "io/named_pipes.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace coex::inline v0::detail {
namespace {

int directory_of(const io_request& request) noexcept {
    return request.opcode == io_opcode::open ? AT_FDCWD : request.descriptor;
}

int open_at_once(const io_request& request) noexcept {
    const int flags = request.flags | O_CLOEXEC | O_NONBLOCK;
    const bool has_rules =
        request.opcode == io_opcode::open_below && static_cast<const open_how*>(request.buffer)->resolve != 0;
    long result = 0;
    if (has_rules) {
        open_how how = *static_cast<const open_how*>(request.buffer);
        how.flags = static_cast<std::uint64_t>(flags);
        result = syscall(SYS_openat2, request.descriptor, request.path, &how, sizeof how);
    } else {
        result = ::openat(directory_of(request), request.path, flags, request.mode);
    }
    if (result >= 0) return static_cast<int>(result);
    return errno == ENXIO ? -EAGAIN : -errno;  // ENXIO: an end for writing, and nobody reads
}

// O_NONBLOCK was only for the open itself.
int made_blocking(const io_request& request, int descriptor) noexcept {
    if (::fcntl(descriptor, F_SETFL, request.flags) == 0) return descriptor;
    const int failed = -errno;
    ::close(descriptor);
    return failed;
}

}  // namespace

bool may_wait_for_partner(const io_request& request) noexcept {
    if (request.opcode != io_opcode::open && request.opcode != io_opcode::open_below) return false;
    return (request.flags & O_ACCMODE) != O_RDWR && (request.flags & (O_NONBLOCK | O_DIRECTORY | O_PATH)) == 0;
}

bool is_named_pipe(const io_request& request) noexcept {
    const int how = (request.flags & O_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
    struct ::stat status{};
    return ::fstatat(directory_of(request), request.path, &status, how) == 0 && S_ISFIFO(status.st_mode);
}

int open_if_partner(io_request& request) noexcept {
    if (request.waiting_end < 0) {
        const int opened = open_at_once(request);
        if (opened < 0) return opened;
        // An end for writing opens only if somebody reads.
        if ((request.flags & O_ACCMODE) != O_RDONLY) return made_blocking(request, opened);
        request.waiting_end = opened;
    }
    if (!has_partner(request.waiting_end)) return -EAGAIN;
    return made_blocking(request, std::exchange(request.waiting_end, -1));
}

bool has_partner(int reading_end) noexcept {
    // Poll does not tell of a writer that has written nothing yet. A read does: it ends with EAGAIN while there is one,
    // and with 0 while there is none. It must not take any data: at the address 0 there is no room for it.
    if (::syscall(SYS_read, reading_end, nullptr, std::size_t{1}) != 0) return true;
    pollfd watched{reading_end, POLLIN, 0};
    return ::poll(&watched, 1, 0) > 0;  // POLLHUP: one has come and gone
}

}  // namespace coex::inline v0::detail
