#include "io/system_calls.hpp"

#include "io/named_pipes.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace coex::inline v0::detail {
namespace {

constexpr unsigned completions_in_a_row = 64;

int negated(long result) noexcept {
    return result < 0 ? -errno : static_cast<int>(result);
}

// The kernel transfers at most this much by one call; asking for more is cut, as by read(2).
std::size_t bounded(std::size_t length) noexcept {
    constexpr std::size_t most = 0x7ffff000;
    return std::min(length, most);
}

// A named pipe opened for reading has to wait until somebody writes. Closing it again before it is opened by a call
// that waits would break the pipe under a writer that came in between.
bool waits_for_writer(const io_request& request, int descriptor) noexcept {
    return may_wait_for_partner(request) && ::fcntl(descriptor, F_GETPIPE_SZ) >= 0 && !has_partner(descriptor);
}

// Of an open_below, `rules` says how the path is resolved.
int open_cached(io_request& request, int directory, std::uint64_t rules) noexcept {
    if ((request.flags & (O_CREAT | O_TRUNC | O_TMPFILE)) != 0) return -EAGAIN;
    open_how how{};
    how.flags = static_cast<std::uint64_t>(request.flags) | O_CLOEXEC | O_NONBLOCK;
    how.resolve = rules | RESOLVE_CACHED;
    const int descriptor = negated(syscall(SYS_openat2, directory, request.path, &how, sizeof how));
    // ENOSYS and EINVAL: a kernel before 5.12 does not know RESOLVE_CACHED; EPERM: a filter that does not know openat2.
    if (descriptor == -ENOSYS || descriptor == -EINVAL || descriptor == -EPERM || descriptor == -ENXIO) return -EAGAIN;
    if (descriptor < 0) return descriptor;
    if (waits_for_writer(request, descriptor)) {
        request.waiting_end = descriptor;
        return -EAGAIN;
    }
    // O_NONBLOCK was only for the open itself, and its absence is part of what the caller asked for.
    if (::fcntl(descriptor, F_SETFL, request.flags) < 0) {
        const int failed = -errno;
        ::close(descriptor);
        return failed;
    }
    return descriptor;
}

int read_cached(io_request& request) noexcept {
    // Past the cache there is nothing to find: the call would wait for the device, whatever its flags say.
    if (request.direct) return -EAGAIN;
    const iovec target{request.buffer, bounded(request.length)};
    const int result =
        negated(::preadv2(request.descriptor, &target, 1, static_cast<off_t>(request.offset), RWF_NOWAIT));
    if (result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL) return -EAGAIN;
    return result;
}

int status_of(const io_request& request, int descriptor) noexcept {
    return negated(::statx(descriptor, "", request.flags | AT_EMPTY_PATH, STATX_BASIC_STATS, request.status));
}

int status_cached(const io_request& request) noexcept {
    if (request.path == nullptr) return status_of(request, request.descriptor);
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    if ((request.flags & AT_SYMLINK_NOFOLLOW) != 0) how.flags |= O_NOFOLLOW;
    how.resolve = RESOLVE_CACHED;
    // Opening by path alone touches no device when the path is cached, and then the inode is in memory too.
    const int descriptor = negated(syscall(SYS_openat2, AT_FDCWD, request.path, &how, sizeof how));
    if (descriptor < 0) return -EAGAIN;
    const int result = status_of(request, descriptor);
    ::close(descriptor);
    return result;
}

// The offset -1 means the descriptor's own position, as in io_uring; pipes have no other.
int read_waiting(const io_request& request) noexcept {
    const auto offset = static_cast<off_t>(request.offset);
    const std::size_t length = bounded(request.length);
    if (offset == -1) return negated(::read(request.descriptor, request.buffer, length));
    return negated(::pread(request.descriptor, request.buffer, length, offset));
}

int write_waiting(const io_request& request) noexcept {
    const auto offset = static_cast<off_t>(request.offset);
    const std::size_t length = bounded(request.length);
    if (request.flags != 0) {
        const iovec source{request.buffer, length};
        return negated(::pwritev2(request.descriptor, &source, 1, offset, request.flags));
    }
    if (offset == -1) return negated(::write(request.descriptor, request.buffer, length));
    return negated(::pwrite(request.descriptor, request.buffer, length, offset));
}

const open_how& how_of(const io_request& request) noexcept {
    return *static_cast<const open_how*>(request.buffer);
}

int open_below(const io_request& request) noexcept {
    const open_how& how = how_of(request);
    // Where nothing is forbidden the older call does, which more kernels and filters know.
    if (how.resolve == 0) {
        return negated(::openat(request.descriptor, request.path, static_cast<int>(how.flags), request.mode));
    }
    return negated(syscall(SYS_openat2, request.descriptor, request.path, &how, sizeof how));
}

int transfer_blocks(const io_request& request) noexcept {
    const auto* blocks = static_cast<const iovec*>(request.buffer);
    const auto count = static_cast<int>(request.length);
    const auto offset = static_cast<off_t>(request.offset);
    if (request.opcode == io_opcode::read_blocks) {
        return negated(offset == -1 ? ::readv(request.descriptor, blocks, count)
                                    : ::preadv(request.descriptor, blocks, count, offset));
    }
    return negated(offset == -1 ? ::writev(request.descriptor, blocks, count)
                                : ::pwritev(request.descriptor, blocks, count, offset));
}

int call_once(const io_request& request) noexcept {
    switch (request.opcode) {
        case io_opcode::open:
            return negated(::openat(AT_FDCWD, request.path, request.flags | O_CLOEXEC, request.mode));
        case io_opcode::open_below:
            return open_below(request);
        case io_opcode::read_blocks:
        case io_opcode::write_blocks:
            return transfer_blocks(request);
        case io_opcode::read:
            return read_waiting(request);
        case io_opcode::write:
            return write_waiting(request);
        case io_opcode::statx:
            if (request.path == nullptr) return status_of(request, request.descriptor);
            return negated(::statx(AT_FDCWD, request.path, request.flags, STATX_BASIC_STATS, request.status));
        case io_opcode::fsync:
            return negated(request.flags != 0 ? ::fdatasync(request.descriptor) : ::fsync(request.descriptor));
        case io_opcode::close: {
            // Linux has closed the descriptor even if it reports an interruption.
            const int result = negated(::close(request.descriptor));
            return result == -EINTR ? 0 : result;
        }
        default:
            return -EINVAL;  // sockets: see socket_calls.hpp
    }
}

}  // namespace

int call_without_waiting(io_request& request) noexcept {
    switch (request.opcode) {
        case io_opcode::open:
            return open_cached(request, AT_FDCWD, 0);
        case io_opcode::open_below:
            return open_cached(request, request.descriptor, how_of(request).resolve);
        case io_opcode::read:
            return read_cached(request);
        case io_opcode::statx:
            return status_cached(request);
        case io_opcode::close:
            return request.read_only ? call_once(request) : -EAGAIN;
        default:
            return -EAGAIN;
    }
}

int call_and_wait(const io_request& request) noexcept {
    for (;;) {
        const int result = call_once(request);
        if (result != -EINTR) return result;
    }
}

bool is_turn_over() noexcept {
    thread_local unsigned completed = 0;
    return ++completed % completions_in_a_row == 0;
}

}  // namespace coex::inline v0::detail
