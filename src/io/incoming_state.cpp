#include "io/incoming_state.hpp"

#include "io/buffer_group.hpp"
#include "io/ring_buffers.hpp"
#include "io/system_calls.hpp"

#include <exec/base/exceptions.hpp>
#include <exec/coro/with_error.hpp>
#include <exec/io/backend_kind.hpp>
#include <exec/io/poll.hpp>

#include <cerrno>
#include <cstring>
#include <span>
#include <stdexcept>
#include <utility>

namespace coex::inline v0::detail {

incoming_state::incoming_state(socket& from, kind what, const receive_buffers& buffers, incoming_options options)
    : sequence_state(from.pool(), buffers.group_),
      descriptor_(from.native_handle()),
      kind_(what),
      ahead_(options.ahead),
      plain_(active_io_backend() != io_backend_kind::io_uring) {
    if (ahead_ == 0)
        throw_exception(
            std::invalid_argument("incoming_options: ahead = 0: nothing would be received; allow at least 1"));
    message_.msg_namelen = endpoint::capacity();
}

void incoming_state::prepare(io_request& request) const noexcept {
    request.descriptor = descriptor_;
    if (kind_ == kind::bytes) {
        request.opcode = io_opcode::receive_many;
    } else {
        request.opcode = io_opcode::receive_messages;
        request.buffer = &message_;
    }
}

task<std::optional<received_datagram>> incoming_state::next(counted_ptr<incoming_state> self) {
    incoming_state& state = *self;
    for (;;) {
        std::unique_lock lock(state.mutex());
        const step now = state.look();
        if (now == step::take) co_return state.take();
        const int failed = state.failed_;
        lock.unlock();
        if (now == step::end) co_return std::nullopt;
        if (now == step::fail) {
            failure gone = socket_failure(failed, "receive", describe_socket(state.descriptor_));
            co_yield with_error(std::move(gone.error));
        }
        if (now == step::wait) {
            co_await next_arrival(state);
            continue;
        }
        received_datagram received;
        // Who always finds something lets others run from time to time.
        // ORDER: relaxed; set by a test before it starts anything.
        const bool at_once = at_once_enabled.load(std::memory_order_relaxed) && !is_turn_over();
        int result = at_once ? state.receive_now(received) : -EAGAIN;
        if (result == -EAGAIN) {
            static_cast<void>(co_await poll(state.pool(), state.descriptor_, poll_events::readable));
            result = state.receive_now(received);
        }
        if (result == -EAGAIN) continue;
        state.note(result);
        if (result > 0 || (result == 0 && state.kind_ == kind::datagrams)) co_return received;
    }
}

// Under the mutex.
incoming_state::step incoming_state::look() const noexcept {
    if (queued_ != 0) return step::take;
    if (failed_ != 0) return step::fail;
    if (over_) return step::end;
    return !is_in_flight() && (plain_ || starved_) ? step::receive_plainly : step::wait;
}

// Under the mutex.
received_datagram incoming_state::take() {
    const counted_ptr<ring_buffers>& buffers = this->buffers();
    const std::uint16_t number = first_;
    const ring_buffers::note& note = buffers->note_of(number);
    first_ = note.next;
    --queued_;
    std::byte* const memory = buffers->memory_of(number);
    received_datagram taken;
    if (kind_ == kind::bytes) {
        taken.block = received_block(buffers, memory, number, {memory, note.bytes});
        return taken;
    }
    // The kernel puts a header and room for the longest address before the payload.
    io_uring_recvmsg_out header{};
    std::memcpy(&header, memory, sizeof header);
    taken.block =
        received_block(buffers, memory, number, {memory + bytes_before_datagram, note.bytes - bytes_before_datagram});
    std::memcpy(taken.from.data(), memory + sizeof header, endpoint::capacity());
    taken.from.resize(header.namelen);
    taken.truncated = (header.flags & MSG_TRUNC) != 0;
    return taken;
}

// Receives into memory of no ring, without waiting.
int incoming_state::receive_now(received_datagram& into) {
    std::byte* const memory = group()->take();
    iovec room{memory, group()->stride()};
    msghdr message{};
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    if (kind_ == kind::datagrams) {
        message.msg_name = into.from.data();
        message.msg_namelen = endpoint::capacity();
        room.iov_len -= bytes_before_datagram;  // as much as fits with io_uring
    }
    ssize_t count = 0;
    do {
        count = ::recvmsg(descriptor_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        const int failed = -errno;
        group()->give_back(memory, 0);
        return failed;
    }
    into.block = received_block(group(), memory, 0, {memory, static_cast<std::size_t>(count)});
    into.truncated = (message.msg_flags & MSG_TRUNC) != 0;
    if (kind_ == kind::datagrams) into.from.resize(message.msg_namelen);
    return static_cast<int>(count);
}

// Of a plain receive that has ended.
void incoming_state::note(int result) noexcept {
    const std::lock_guard lock(mutex());
    starved_ = false;
    if (result < 0) failed_ = result;
    if (result == 0 && kind_ == kind::bytes) over_ = true;
}

bool incoming_state::keep(int bytes, std::uint16_t number) noexcept {
    ring_buffers& lent = *buffers();
    lent.note_taken();
    if (is_closed()) {
        lent.give_back(nullptr, number);
        return true;
    }
    lent.note_of(number) = {static_cast<unsigned>(bytes), 0};
    (queued_ == 0 ? first_ : lent.note_of(last_).next) = number;
    last_ = number;
    ++queued_;
    return queued_ >= ahead_;
}

void incoming_state::note_end(int result) noexcept {
    if (result == 0 && kind_ == kind::bytes) {
        over_ = true;
    } else if (result == -EINVAL || result == -EOPNOTSUPP || (result == -ENOBUFS && !buffers())) {
        plain_ = true;  // a kernel that is too old; what is wrong with the socket shows by a plain call too
    } else if (result == 0 || result == -ENOBUFS || result == -EAGAIN || result == -ETIME) {
        starved_ = true;  // -ETIME: the kernel did not take it in time
    } else if (result < 0) {
        failed_ = result;
    }
}

void incoming_state::drop_all() noexcept {
    for (; queued_ != 0; --queued_) {
        ring_buffers& lent = *buffers();
        const std::uint16_t number = std::exchange(first_, lent.note_of(first_).next);
        lent.give_back(nullptr, number);
    }
}

}  // namespace coex::inline v0::detail
