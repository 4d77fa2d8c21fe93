#include "io/pollable_calls.hpp"

#include "io/socket_calls.hpp"

#include <exec/io/file.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace coex::inline v0::detail {
namespace {

constexpr std::size_t most_bytes = 0x7ffff000;  // that the kernel transfers by one call

bool writes(const io_request& request) noexcept {
    return readiness_of(request) == POLLOUT;
}

struct blocks {
    explicit blocks(const io_request& request) noexcept : one{request.buffer, std::min(request.length, most_bytes)} {
        if (request.opcode != io_opcode::read_blocks && request.opcode != io_opcode::write_blocks) return;
        first = static_cast<const iovec*>(request.buffer);
        count = static_cast<int>(request.length);
    }
    blocks(const blocks&) = delete;
    blocks& operator=(const blocks&) = delete;

    iovec one;
    const iovec* first = &one;
    int count = 1;
};

int call(const io_request& request, int descriptor, off_t offset, int flags) noexcept {
    const blocks all(request);
    for (;;) {
        const ssize_t result = writes(request) ? ::pwritev2(descriptor, all.first, all.count, offset, flags)
                                               : ::preadv2(descriptor, all.first, all.count, offset, flags);
        if (result >= 0) return static_cast<int>(result);
        if (errno != EINTR) return -errno;
    }
}

int call(const io_request& request, int descriptor, int flags) noexcept {
    const int asked = request.opcode == io_opcode::write ? request.flags : 0;
    const int result = call(request, descriptor, static_cast<off_t>(request.offset), asked | flags);
    // What has no positions is read on from where it is, whatever the offset, as in io_uring.
    return result == -ESPIPE ? call(request, descriptor, -1, asked | flags) : result;
}

int transfer_through_another(const io_request& request) noexcept {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "/proc/self/fd/%d", request.descriptor);
    const int other = ::open(name.data(), (writes(request) ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
    if (other < 0) return errno == ENXIO ? -EPIPE : -EOPNOTSUPP;  // ENXIO: nobody reads any more
    const int result = call(request, other, 0);
    ::close(other);
    return result;
}

}  // namespace

bool may_be_pollable(const io_request& request) noexcept {
    struct ::stat status{};
    if (request.descriptor < 0 || ::fstat(request.descriptor, &status) != 0) return false;
    return !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISBLK(status.st_mode);
}

bool waits_in_call(const io_request& request) noexcept {
    struct ::stat status{};
    if (request.offset != file::own_position || ::fstat(request.descriptor, &status) != 0) return false;
    const bool is_anonymous = (status.st_mode & S_IFMT) == 0;
    return S_ISCHR(status.st_mode) || is_anonymous;
}

int transfer_if_ready(const io_request& request) noexcept {
    const int result = call(request, request.descriptor, RWF_NOWAIT);
    if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
    const int flags = ::fcntl(request.descriptor, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) return call(request, request.descriptor, 0);
    struct ::stat status{};
    const bool is_pipe = ::fstat(request.descriptor, &status) == 0 && S_ISFIFO(status.st_mode);
    return is_pipe ? transfer_through_another(request) : -EOPNOTSUPP;
}

}  // namespace coex::inline v0::detail
