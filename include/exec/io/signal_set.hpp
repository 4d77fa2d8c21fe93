#pragma once

#include <exec/io/operation.hpp>
#include <exec/io/socket_operations.hpp>
#include <exec/vocab/result.hpp>

#include <array>
#include <cstddef>
#include <initializer_list>

namespace coex::inline v0 {

namespace detail {

class signal_request {
public:
    explicit signal_request(int descriptor) noexcept : descriptor_(descriptor) {}
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<int> result(int answer) const;

private:
    int descriptor_;
    alignas(8) std::array<std::byte, 128> received_{};  // a signalfd_siginfo
};

}  // namespace detail

/// Signals of the process as something that a task awaits (signalfd), instead of a handler that interrupts:
/// `signal_set stop(pool, {SIGINT, SIGTERM}); const int which = co_await stop.next();`.
///
/// It blocks its signals in the thread that makes it, and they stay blocked. A thread that does not block a signal gets
/// it the usual way; new threads inherit what is blocked. So call `signal_set::block` at the start of `main`, before
/// the first pool is made.
///
/// Thread-safe: `next`, yes; moving, no.
/// Lifetime:    it must outlive its operations, and its pool them.
class signal_set {
public:
    /// Blocks `signals` in this thread and those that it will start, so that they wait for a signal_set.
    ///
    /// Errors: std::system_error "signal_set::block: REASON", for numbers that are no signals.
    static void block(std::initializer_list<int> signals);

    /// Errors: std::system_error "signal_set: REASON".
    signal_set(static_thread_pool& pool, std::initializer_list<int> signals);

    /// Waits for the next of the signals; one that came before it was awaited is not lost. Of several who wait, one
    /// gets it.
    ///
    /// Completes: with its number.
    /// Cancel:    by the stop token of the awaiting task; no signal was taken.
    [[nodiscard]] auto next() noexcept { return detail::io_sender(*pool_, detail::signal_request(descriptor_.get())); }

    [[nodiscard]] int native_handle() const noexcept { return descriptor_.get(); }

private:
    static_thread_pool* pool_;
    detail::owned_descriptor descriptor_;
};

}  // namespace coex::inline v0
