#pragma once

#include <exec/coro/task.hpp>
#include <exec/coro/with_error.hpp>
#include <exec/io/blocking.hpp>
#include <exec/io/file.hpp>
#include <exec/io/operation.hpp>
#include <exec/io/stream.hpp>
#include <exec/vocab/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace coex::inline v0 {

/// An end of a `splice`: a pipe or another file, from `offset` on (bytes from its start); or a stream.
class splice_end {
public:
    /// Without an offset: wherever the descriptor stands. Of a pipe, which has no positions, the offset does not count.
    splice_end(const file& which, std::uint64_t offset = file::own_position) noexcept
        : file_(&which), offset_(offset) {}
    splice_end(const stream& which) noexcept : stream_(&which) {}

    [[nodiscard]] static_thread_pool& pool() const noexcept { return is_stream() ? stream_->pool() : file_->pool(); }
    [[nodiscard]] int native_handle() const noexcept {
        return is_stream() ? stream_->native_handle() : file_->native_handle();
    }
    [[nodiscard]] bool is_stream() const noexcept { return stream_ != nullptr; }
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
    /// As errors name it.
    [[nodiscard]] std::string describe() const;

private:
    const file* file_ = nullptr;
    const stream* stream_ = nullptr;
    std::uint64_t offset_ = file::own_position;
};

namespace detail {

/// One attempt to move bytes: to be awaited until it may succeed, then to be called. io_uring's own operation is of no
/// use: a thread of the kernel makes a call that waits for the socket with the pipe locked, so that whoever touches the
/// pipe meanwhile, such as a worker, waits as well.
class splice_attempt {
public:
    splice_attempt(const splice_end& from, const splice_end& to, std::size_t length) noexcept;

    /// To be called first. Errors: what no waiting would cure.
    [[nodiscard]] coex::result<void> begin() const;

    // To wait for an end that is not ready, if there is one; for the input first.
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<void> result(int answer) const;

    /// True when an end is neither a pipe nor a stream: the call may wait for a device, and is for a helper thread.
    [[nodiscard]] bool waits_for_device() const noexcept;

    static constexpr bool fails_by_result = true;
    /// Moves what there is; gives nothing when an end is not ready.
    [[nodiscard]] coex::result<std::optional<std::size_t>> operator()() const;

private:
    [[nodiscard]] failure failing(int answer) const;

    splice_end from_;
    splice_end to_;
    std::size_t length_;
    bool from_is_pipe_;
    bool to_is_pipe_;
};

}  // namespace detail

/// Moves up to `length` bytes from one end to the other without copying them through this program's memory. One of the
/// ends must be a pipe: from a socket to a file, or another socket, go through one (`make_pipe`).
///
///     while (const std::size_t count = co_await coex::splice(client, pipe.second, 65'536)) {
///         for (std::size_t left = count; left != 0;) left -= co_await coex::splice(pipe.first, server, left);
///     }
///
/// Completes:   with the number of bytes moved, at least one, which may be less than `length`: what there was, and what
///              there was room for (a pipe has 65,536 bytes unless told otherwise); or 0 at the end of `from`, or for
///              no length. A pipe or stream that is not ready is waited for, and holds no thread meanwhile; a file that
///              is neither is moved by a helper thread, as by `blocking()`.
/// Errors:      std::system_error "splice FROM to TO (LENGTH bytes): REASON": such as invalid_argument when no end is a
///              pipe, or `to` was opened to append; broken_pipe (never as a signal) when nobody reads any more from
///              `to`, which shows as soon as there is something to move.
/// Cancel:      by the stop token of the awaiting task, while it waits; nothing was moved by this call then. A call
///              that a helper thread has begun is made to its end.
/// Thread-safe: several splices at once of different ends, yes; of the same end, they take each other's bytes.
/// Lifetime:    both ends must outlive the operation. The descriptor of a stream becomes a non-blocking one, which the
///              stream's own operations do not mind.
[[nodiscard]] inline task<std::size_t> splice(splice_end from, splice_end to, std::size_t length) {
    if (length == 0) co_return 0;
    const detail::splice_attempt attempt(from, to, length);
    const result<void> begun = attempt.begin();
    if (begun.has_error()) co_yield with_error(begun.error());
    for (;;) {
        // Also when both are ready: the wait sees a stop, and lets others run who would never have their turn
        // otherwise.
        co_await detail::io_sender(from.pool(), attempt);
        std::optional<std::size_t> moved;
        if (attempt.waits_for_device()) {
            moved = co_await blocking(attempt);
        } else {
            const result<std::optional<std::size_t>> at_once = attempt();
            if (at_once.has_error()) co_yield with_error(at_once.error());
            moved = *at_once;
        }
        if (moved) co_return *moved;
    }
}

}  // namespace coex::inline v0
