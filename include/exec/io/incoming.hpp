#pragma once

#include <exec/base/counted.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/datagram.hpp>
#include <exec/io/received_block.hpp>
#include <exec/io/stream.hpp>

#include <coroutine>
#include <cstddef>
#include <optional>

namespace coex::inline v0 {

namespace detail {

class buffer_group;
class incoming_state;

}  // namespace detail

/// Buffers for `incoming_blocks` and `incoming_datagrams`: any number of sockets of one pool share them, so that a
/// socket on which nothing comes needs none. The kernel takes one when something has come.
///
/// When all are in use, receiving goes on with memory of its own for one block per waiting task: more slowly, and
/// without loss. So no socket waits for the blocks of another one to be given back.
///
/// Thread-safe: yes.
/// Lifetime:    may go before the sockets and the blocks that use it.
class receive_buffers {
public:
    /// `count` buffers, rounded up to a power of two, at most 32,768, for each worker that receives; `bytes` fit into
    /// each at least.
    ///
    /// Errors: std::invalid_argument for a count of 0 or above, and for sizes that make no sense.
    explicit receive_buffers(std::size_t count = 256, std::size_t bytes = 4096);
    receive_buffers(const receive_buffers&) = delete;
    receive_buffers& operator=(const receive_buffers&) = delete;
    ~receive_buffers();

    /// How many are in use: received and not taken yet, or in blocks that have not gone.
    [[nodiscard]] std::size_t in_use() const noexcept;

private:
    friend class detail::incoming_state;
    detail::counted_ptr<detail::buffer_group> group_;
};

/// How an incoming sequence receives. All members have defaults.
struct incoming_options {
    /// How many blocks it receives before anybody asks for them; then it stops receiving until they have been taken,
    /// and the peer has to wait.
    std::size_t ahead = 16;
};

/// What a stream receives, block by block, as it comes: one submission to the kernel for many of them (multishot
/// receive). Without io_uring, or where the kernel is too old (before 6.0), it receives when it is asked, with the same
/// meaning.
///
///     coex::incoming_blocks incoming(connection, buffers);
///     while (auto block = co_await incoming.next()) use(block->bytes());
///
/// While it lives, nothing else may receive from the stream. When it goes, what was received and not taken is lost.
///
/// Thread-safe: no; one `next` at a time.
/// Lifetime:    the stream must outlive it, and the pool its operations. No `next` may be in progress when it goes or
///              is assigned another: it could wait for ever.
class incoming_blocks {
public:
    /// Errors: std::invalid_argument for an `ahead` of 0; as the first operation of a pool.
    incoming_blocks(stream& from, const receive_buffers& buffers, incoming_options options = {});
    incoming_blocks(incoming_blocks&&) noexcept;
    incoming_blocks& operator=(incoming_blocks&&) noexcept;
    /// Ends the receiving, without waiting for its end.
    ~incoming_blocks();

    /// Waits for the next block.
    ///
    /// Completes: with at least one byte; with nothing when the peer has ended its stream, and from then on.
    /// Errors:    std::system_error "receive SOCKET: REASON", after all that came before.
    /// Cancel:    by the stop token of the awaiting task. Nothing is lost: the next call gives what came meanwhile.
    [[nodiscard]] task<std::optional<received_block>> next() { return make_next().promise().get_return_object(); }

private:
    // Not a task: one that comes out of the library would be returned in a register by clang, in memory by g++, and
    // a program need not be compiled by the compiler that the library was.
    [[nodiscard]] std::coroutine_handle<task<std::optional<received_block>>::promise_type> make_next();

    detail::counted_ptr<detail::incoming_state> state_;
};

/// A datagram that was received.
struct received_datagram {
    received_block block;
    endpoint from;           ///< who sent it; no address for an unnamed local socket
    bool truncated = false;  ///< it was longer than a buffer, and the rest is lost
};

/// What a socket receives, datagram by datagram; otherwise as `incoming_blocks`.
class incoming_datagrams {
public:
    /// Errors: as incoming_blocks.
    incoming_datagrams(datagram_socket& from, const receive_buffers& buffers, incoming_options options = {});
    incoming_datagrams(incoming_datagrams&&) noexcept;
    incoming_datagrams& operator=(incoming_datagrams&&) noexcept;
    ~incoming_datagrams();

    /// Waits for the next datagram, which may be empty. Errors, cancel: as `incoming_blocks::next`.
    [[nodiscard]] task<received_datagram> next() { return make_next().promise().get_return_object(); }

private:
    [[nodiscard]] std::coroutine_handle<task<received_datagram>::promise_type> make_next();  // as incoming_blocks has

    detail::counted_ptr<detail::incoming_state> state_;
};

}  // namespace coex::inline v0
