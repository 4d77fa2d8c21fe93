#pragma once

#include <exec/base/counted.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/poll.hpp>

#include <coroutine>

namespace coex::inline v0 {

namespace detail {

class poll_state;

}  // namespace detail

/// When a `poll_sequence` tells of what a descriptor is ready for.
enum class poll_trigger : unsigned char {
    /// Whenever it is asked and there is something: also what it has told of before and nobody has taken.
    level,
    /// When something has come since it was last asked: more data, more room, a peer that hung up. What is there at the
    /// beginning counts as having come. After it the descriptor, a non-blocking one, is to be used until it answers
    /// EAGAIN: what is left in it is not told of again. A file has no edges: it is always ready.
    edge
};

/// What a descriptor becomes ready for, again and again: one submission to the kernel for all of it (multishot poll)
/// where `poll` has one each time.
///
///     coex::poll_sequence ready(pool, client.socket(), coex::poll_events::readable);
///     for (;;) {
///         co_await ready.next();
///         client.consume();
///     }
///
/// Thread-safe: no; one `next` at a time. Any number may watch one descriptor.
/// Lifetime:    the descriptor must stay open as long as the sequence; the pool must outlive its operations. No `next`
///              may be in progress when the sequence goes or is assigned another: it could wait for ever.
class poll_sequence {
public:
    /// Errors: as the first operation of a pool. With `poll_trigger::edge` and without io_uring, std::system_error
    ///         "poll descriptor N: REASON": it needs a descriptor of its own.
    poll_sequence(static_thread_pool& pool, int descriptor, poll_events events,
                  poll_trigger trigger = poll_trigger::level);
    poll_sequence(poll_sequence&&) noexcept;
    poll_sequence& operator=(poll_sequence&&) noexcept;
    /// Ends the watching, without waiting for its end.
    ~poll_sequence();

    /// Waits until the descriptor is ready for one of `events`, or has an error or hung up.
    ///
    /// Completes:  with those that there are (level), or that came (edge). With `edge` sometimes also when the
    ///             descriptor has nothing any more: what came may have been taken since.
    /// Errors:     std::system_error "poll descriptor N: REASON".
    /// Cancel:     by the stop token of the awaiting task. Nothing is lost: the next call tells of what came meanwhile.
    /// Complexity: one system call that does not wait, with `level`.
    [[nodiscard]] task<poll_events> next() { return make_next().promise().get_return_object(); }

private:
    [[nodiscard]] std::coroutine_handle<task<poll_events>::promise_type> make_next();  // as incoming_blocks has

    detail::counted_ptr<detail::poll_state> state_;
};

}  // namespace coex::inline v0
