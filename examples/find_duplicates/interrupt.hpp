#pragma once

#include <exec/vocab/stop_token.hpp>

#include <atomic>
#include <csignal>
#include <thread>

namespace find_duplicates {

/// Turns SIGINT, SIGTERM and SIGHUP into a stop request.
///
/// A thread takes the signals; they interrupt no system call and run no handler. The search ends by its stop token. If
/// it does not end in time (a system call that hangs in the kernel), or on a second signal, the process ends without
/// it.
///
/// Lifetime: to be made before any other thread, which inherit the blocked signals.
class interrupt_watch {
public:
    explicit interrupt_watch(coex::inplace_stop_source& source);
    interrupt_watch(const interrupt_watch&) = delete;
    interrupt_watch& operator=(const interrupt_watch&) = delete;
    ~interrupt_watch();

    /// Returns the signal that has come, 0 if none.
    [[nodiscard]] int signal() const noexcept { return signal_.load(); }

private:
    enum class event { signal_or_timeout, end_of_watch };

    void run();
    [[nodiscard]] event wait(int timeout_milliseconds) const;
    [[nodiscard]] int take_signal() const noexcept;

    coex::inplace_stop_source& source_;
    std::atomic<int> signal_{0};
    sigset_t watched_{};
    int signal_fd_ = -1;
    int end_fd_ = -1;  // an eventfd: readable when the watch shall end
    std::thread thread_;
};

}  // namespace find_duplicates
