#pragma once

#include "io/sequence_state.hpp"

#include <exec/base/counted.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/incoming.hpp>

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace coex::inline v0::detail {

/// What an incoming sequence is: a queue of parts that a multishot receive fills, up to `ahead` of them. So bytes stay
/// in the socket, or come into the queue in their order, and are never dropped before the sequence goes.
///
/// **Out of buffers** the kernel ends the receive. The task that waits then receives by a plain call into memory of its
/// own, which waits for nobody. The same is what happens without io_uring.
class incoming_state final : public sequence_state {
public:
    enum class kind : unsigned char { bytes, datagrams };

    incoming_state(socket& from, kind what, const receive_buffers& buffers, incoming_options options);

    /// Waits for the next part; with none at the end of the stream.
    [[nodiscard]] static task<std::optional<received_datagram>> next(counted_ptr<incoming_state> self);

private:
    enum class step : unsigned char { take, end, fail, receive_plainly, wait };

    void prepare(io_request& request) const noexcept override;
    [[nodiscard]] bool has_news() const noexcept override { return look() != step::wait; }
    [[nodiscard]] bool keep(int bytes, std::uint16_t number) noexcept override;
    void note_end(int result) noexcept override;
    void drop_all() noexcept override;

    [[nodiscard]] step look() const noexcept;
    [[nodiscard]] received_datagram take();
    [[nodiscard]] int receive_now(received_datagram& into);
    void note(int result) noexcept;

    const int descriptor_;
    const kind kind_;
    const std::size_t ahead_;
    mutable msghdr message_{};  // what the kernel is to receive of a datagram; constant

    // All below, OWNER: the mutex.
    bool plain_ = false;      // there is no multishot receive here
    bool starved_ = false;    // it ended for want of buffers
    bool over_ = false;       // the peer has ended its stream
    int failed_ = 0;          // a negated errno
    std::size_t queued_ = 0;  // parts in the queue: numbers of buffers, linked by their notes
    std::uint16_t first_ = 0;
    std::uint16_t last_ = 0;
};

}  // namespace coex::inline v0::detail
