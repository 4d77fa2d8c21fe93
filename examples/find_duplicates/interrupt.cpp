#include "interrupt.hpp"

#include "options.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace find_duplicates {
namespace {

constexpr int grace_milliseconds = 2000;

/// A signal that whoever started us wants ignored (nohup, a script's background job) stays ignored.
void add_unless_ignored(sigset_t& signals, int signal) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) return;
    sigaddset(&signals, signal);
}

[[noreturn]] void fail(const char* call) {
    throw std::system_error(errno, std::generic_category(), call);
}

}  // namespace

interrupt_watch::interrupt_watch(coex::inplace_stop_source& source) : source_(source) {
    sigemptyset(&watched_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) add_unless_ignored(watched_, signal);
    signal_fd_ = ::signalfd(-1, &watched_, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd_ < 0) fail("signalfd");
    end_fd_ = ::eventfd(0, EFD_CLOEXEC);
    if (end_fd_ < 0) {
        ::close(signal_fd_);
        fail("eventfd");
    }
    ::pthread_sigmask(SIG_BLOCK, &watched_, nullptr);
    thread_ = std::thread([this] { run(); });
}

interrupt_watch::~interrupt_watch() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(end_fd_, &one, sizeof one);
    thread_.join();
    // The mask stays: a signal that comes now would kill the process while its report is complete and only its exit
    // remains.
    ::close(signal_fd_);
    ::close(end_fd_);
}

void interrupt_watch::run() {
    constexpr int forever = -1;
    if (wait(forever) == event::end_of_watch) return;
    signal_.store(take_signal());
    source_.request_stop();
    if (wait(grace_milliseconds) == event::end_of_watch) return;
    if (::isatty(STDERR_FILENO) != 0) {
        constexpr std::string_view clear_line = "\r\x1b[K";
        [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, clear_line.data(), clear_line.size());
    }
    ::_exit(exit_signal_base + signal_.load());
}

interrupt_watch::event interrupt_watch::wait(int timeout_milliseconds) const {
    std::array<pollfd, 2> both{pollfd{signal_fd_, POLLIN, 0}, pollfd{end_fd_, POLLIN, 0}};
    while (::poll(both.data(), both.size(), timeout_milliseconds) < 0 && errno == EINTR) {
    }
    return (both[1].revents & POLLIN) != 0 ? event::end_of_watch : event::signal_or_timeout;
}

int interrupt_watch::take_signal() const noexcept {
    signalfd_siginfo info{};
    if (::read(signal_fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return SIGINT;
    return static_cast<int>(info.ssi_signo);
}

}  // namespace find_duplicates
