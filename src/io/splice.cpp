#include <exec/io/splice.hpp>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <exception>
#include <string>
#include <system_error>

namespace coex::inline v0 {
namespace {

bool is_pipe(int descriptor) noexcept {
    struct ::stat status{};
    return ::fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode);
}

bool may(int flags, int how) noexcept {
    return flags >= 0 && ((flags & O_ACCMODE) == O_RDWR || (flags & O_ACCMODE) == how);
}

// SPLICE_F_NONBLOCK is for pipes: a socket looks only at its own flag. Rings wait for a non-blocking socket all the
// same, and without a ring every operation of a socket says that it must not wait.
void make_non_blocking(const splice_end& end, int flags) noexcept {
    if (end.is_stream() && (flags & O_NONBLOCK) == 0) ::fcntl(end.native_handle(), F_SETFL, flags | O_NONBLOCK);
}

// Returns the kernel's answer. An output that nobody reads raises SIGPIPE in the calling thread, which no flag
// prevents; the answer tells as much.
template <class Call>
int call_without_signal(Call call) noexcept {
    sigset_t broken_pipe;
    sigset_t before;
    ::sigemptyset(&broken_pipe);
    ::sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    ssize_t count = call();
    while (count < 0 && errno == EINTR) count = call();
    const int answer = count < 0 ? -errno : static_cast<int>(count);
    // Who blocks the signal himself may wait for an earlier one.
    if (answer == -EPIPE && ::sigismember(&before, SIGPIPE) == 0) {
        const timespec none{};
        while (::sigtimedwait(&broken_pipe, nullptr, &none) < 0 && errno == EINTR) {
        }
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return answer;
}

}  // namespace

std::string splice_end::describe() const {
    if (is_stream()) return detail::describe_socket(native_handle());
    const std::string name = "'" + file_->path() + "'";
    return offset_ == file::own_position ? name : name + " at offset " + std::to_string(offset_);
}

namespace detail {

splice_attempt::splice_attempt(const splice_end& from, const splice_end& to, std::size_t length) noexcept
    : from_(from),
      to_(to),
      length_(length),
      from_is_pipe_(is_pipe(from.native_handle())),
      to_is_pipe_(is_pipe(to.native_handle())) {}

result<void> splice_attempt::begin() const {
    const int from_flags = ::fcntl(from_.native_handle(), F_GETFL);
    const int to_flags = ::fcntl(to_.native_handle(), F_GETFL);
    // The wrong end of a pipe would never be ready.
    if (!may(from_flags, O_RDONLY) || !may(to_flags, O_WRONLY)) return failing(-EBADF);
    if (!from_is_pipe_ && !to_is_pipe_) return failing(-EINVAL);
    make_non_blocking(from_, from_flags);
    make_non_blocking(to_, to_flags);
    return {};
}

void splice_attempt::prepare(io_request& request) const noexcept {
    std::array<pollfd, 2> ends{pollfd{from_.native_handle(), POLLIN, 0}, pollfd{to_.native_handle(), POLLOUT, 0}};
    while (::poll(ends.data(), ends.size(), 0) < 0 && errno == EINTR) {
    }
    if (ends[0].revents != 0 && ends[1].revents != 0) {
        request.opcode = io_opcode::receive;  // of nothing: completes at once
        return;
    }
    const pollfd& awaited = ends[ends[0].revents == 0 ? 0 : 1];
    request.opcode = io_opcode::poll;
    request.descriptor = awaited.fd;
    request.flags = awaited.events;
}

result<void> splice_attempt::result(int answer) const {
    if (answer < 0) return failing(answer);
    return {};
}

bool splice_attempt::waits_for_device() const noexcept {
    return (!from_is_pipe_ && !from_.is_stream()) || (!to_is_pipe_ && !to_.is_stream());
}

result<std::optional<std::size_t>> splice_attempt::operator()() const {
    const int answer = call_without_signal([this] {
        auto from_offset = static_cast<off64_t>(from_.offset());
        auto to_offset = static_cast<off64_t>(to_.offset());
        const bool from_anywhere = from_is_pipe_ || from_.offset() == file::own_position;
        const bool to_anywhere = to_is_pipe_ || to_.offset() == file::own_position;
        return ::splice(from_.native_handle(), from_anywhere ? nullptr : &from_offset, to_.native_handle(),
                        to_anywhere ? nullptr : &to_offset, length_, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    });
    if (answer == -EAGAIN) return std::optional<std::size_t>();
    if (answer < 0) return failing(answer);
    return std::optional(static_cast<std::size_t>(answer));
}

failure splice_attempt::failing(int answer) const {
    std::string what =
        "splice " + from_.describe() + " to " + to_.describe() + " (" + std::to_string(length_) + " bytes";
    if (answer == -EINVAL && !from_is_pipe_ && !to_is_pipe_) what += "; neither is a pipe: move them through one";
    return {std::make_exception_ptr(std::system_error(-answer, std::generic_category(), what + ")"))};
}

}  // namespace detail
}  // namespace coex::inline v0
