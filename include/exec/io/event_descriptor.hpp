#pragma once

#include <exec/io/operation.hpp>
#include <exec/io/socket_operations.hpp>
#include <exec/vocab/result.hpp>

#include <cstdint>

namespace coex::inline v0 {

namespace detail {

class event_wait_request {
public:
    explicit event_wait_request(int descriptor) noexcept : descriptor_(descriptor) {}
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<std::uint64_t> result(int answer) const;

private:
    int descriptor_;
    std::uint64_t count_ = 0;
};

}  // namespace detail

/// A counter with a descriptor (eventfd): what plain threads, other libraries and other processes notify, and a task
/// awaits. Between tasks, `auto_reset_event` is cheaper.
///
/// Thread-safe: `notify` and `wait`, yes; moving, no.
/// Lifetime:    it must outlive its operations, and its pool them.
class event_descriptor {
public:
    /// Errors: std::system_error "event_descriptor: REASON".
    explicit event_descriptor(static_thread_pool& pool);

    /// Adds `count` to the counter. Safe in a signal handler.
    void notify(std::uint64_t count = 1) const noexcept;

    /// Waits until the counter is not zero, and sets it to zero. Of several who wait, one takes all.
    ///
    /// Completes: with what the counter was.
    /// Cancel:    by the stop token of the awaiting task; the counter stays as it is.
    [[nodiscard]] auto wait() noexcept {
        return detail::io_sender(*pool_, detail::event_wait_request(descriptor_.get()));
    }

    [[nodiscard]] int native_handle() const noexcept { return descriptor_.get(); }

private:
    static_thread_pool* pool_;
    detail::owned_descriptor descriptor_;
};

}  // namespace coex::inline v0
