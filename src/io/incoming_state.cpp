#include "io/incoming_state.hpp"

#include "io/buffer_group.hpp"
#include "io/operation_access.hpp"
#include "io/ring_buffers.hpp"
#include "io/service.hpp"
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

incoming_state::receive::receive(incoming_state& state) noexcept
    : multishot_operation(state.pool_, state.group_), state_(&state) {
    request_.descriptor = state.descriptor_;
    if (state.kind_ == kind::bytes) {
        request_.opcode = io_opcode::receive_many;
    } else {
        request_.opcode = io_opcode::receive_messages;
        request_.buffer = &state.message_;
    }
}

incoming_state::incoming_state(socket& from, kind what, const receive_buffers& buffers, incoming_options options)
    : pool_(from.pool()),
      service_(io_service::of(from.pool())),
      descriptor_(from.native_handle()),
      kind_(what),
      ahead_(options.ahead),
      group_(buffers.group_),
      plain_(active_io_backend() != io_backend_kind::io_uring) {
    if (ahead_ == 0)
        throw_exception(
            std::invalid_argument("incoming_options: ahead = 0: nothing would be received; allow at least 1"));
    message_.msg_namelen = endpoint::capacity();
}

task<std::optional<received_datagram>> incoming_state::next(std::shared_ptr<incoming_state> self) {
    incoming_state& state = *self;
    for (;;) {
        std::unique_lock lock(state.mutex_);
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
            static_cast<void>(co_await poll(state.pool_, state.descriptor_, poll_events::readable));
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
    return !in_flight_ && (plain_ || starved_) ? step::receive_plainly : step::wait;
}

// Under the mutex.
received_datagram incoming_state::take() {
    const std::shared_ptr<ring_buffers>& buffers = receive_->buffers();
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
    std::byte* const memory = group_->take();
    iovec room{memory, group_->stride()};
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
        group_->give_back(memory, 0);
        return failed;
    }
    into.block = received_block(group_, memory, 0, {memory, static_cast<std::size_t>(count)});
    into.truncated = (message.msg_flags & MSG_TRUNC) != 0;
    if (kind_ == kind::datagrams) into.from.resize(message.msg_namelen);
    return static_cast<int>(count);
}

// Of a plain receive that has ended.
void incoming_state::note(int result) noexcept {
    const std::lock_guard lock(mutex_);
    starved_ = false;
    if (result < 0) failed_ = result;
    if (result == 0 && kind_ == kind::bytes) over_ = true;
}

bool incoming_state::wait(arrival& task, coroutine_base& coroutine) noexcept {
    if (coroutine.stop_token().stop_requested()) {
        coroutine.unwind_here();
        return true;
    }
    const bool at_home = &coroutine.context().threads() == &service_.pool();
    const bool former = coroutine.detach();
    task.coroutine_ = &coroutine;
    if (coroutine.stop_token().stop_possible()) {
        task.stop_callback_.emplace(coroutine.stop_token(), arrival::cancel{&task});
    }
    std::unique_lock lock(mutex_);
    if (look() != step::wait) {
        lock.unlock();
        task.stop_callback_.reset();
        coroutine.reattach(former);
        return false;
    }
    if (task.stopped_) {
        lock.unlock();
        coroutine.unwind_later();
        return true;
    }
    waiter_ = &task;
    if (in_flight_) return true;
    in_flight_ = true;
    cancelled_ = false;
    receive_.emplace(*this);
    io_operation_access::service(*receive_) = &service_;
    self_ = shared_from_this();
    lock.unlock();
    // LIFETIME: the coroutine may be gone; the operation keeps the state until it has ended.
    service_.begin(*receive_, at_home);
    return true;
}

void incoming_state::stop_waiting(arrival& task) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (waiter_ != &task) {
            task.stopped_ = true;
            return;
        }
        waiter_ = nullptr;
    }
    task.coroutine_->unwind_later();
}

void incoming_state::part_came(unsigned bytes, std::uint16_t number) noexcept {
    ring_buffers& buffers = *receive_->buffers();
    arrival* waiter = nullptr;
    bool cancels = false;
    buffers.note_taken();
    {
        const std::lock_guard lock(mutex_);
        if (!closed_) {
            buffers.note_of(number) = {bytes, 0};
            (queued_ == 0 ? first_ : buffers.note_of(last_).next) = number;
            last_ = number;
            ++queued_;
            cancels = queued_ >= ahead_ && !cancelled_;
            cancelled_ = cancelled_ || cancels;
            waiter = std::exchange(waiter_, nullptr);
        }
        if (closed_) buffers.give_back(nullptr, number);
    }
    if (cancels) service_.cancel(*receive_);
    if (waiter != nullptr) waiter->coroutine_->resume_later();
}

void incoming_state::ended(int result) noexcept {
    arrival* waiter = nullptr;
    bool stopped = false;
    std::shared_ptr<incoming_state> self;
    {
        const std::lock_guard lock(mutex_);
        in_flight_ = false;
        if (result == 0 && kind_ == kind::bytes) {
            over_ = true;
        } else if (result == -EINVAL || result == -EOPNOTSUPP || (result == -ENOBUFS && !receive_->buffers())) {
            plain_ = true;  // a kernel that is too old; what is wrong with the socket shows by a plain call too
        } else if (result == 0 || result == -ENOBUFS || result == -EAGAIN) {
            starved_ = true;
        } else if (result == -ECANCELED) {
            stopped = !cancelled_;
        } else if (result < 0) {
            failed_ = result;
        }
        waiter = std::exchange(waiter_, nullptr);
        self = std::move(self_);
    }
    if (waiter == nullptr) return;
    if (stopped) {
        waiter->coroutine_->unwind_later();
    } else {
        waiter->coroutine_->resume_later();
    }
}

void incoming_state::close() noexcept {
    bool cancels = false;
    std::size_t left = 0;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        cancels = in_flight_ && !std::exchange(cancelled_, true);
        left = std::exchange(queued_, 0);
    }
    for (; left != 0; --left) {
        ring_buffers& buffers = *receive_->buffers();
        const std::uint16_t number = std::exchange(first_, buffers.note_of(first_).next);
        buffers.give_back(nullptr, number);
    }
    if (cancels) service_.cancel(*receive_);
}

}  // namespace coex::inline v0::detail
