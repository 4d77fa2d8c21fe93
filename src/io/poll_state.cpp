#include "io/poll_state.hpp"

#include "io/socket_calls.hpp"
#include "io/system_calls.hpp"

#include <exec/base/exceptions.hpp>
#include <exec/coro/with_error.hpp>
#include <exec/io/backend_kind.hpp>

#include <sys/epoll.h>

#include <cerrno>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace coex::inline v0::detail {

poll_state::poll_state(static_thread_pool& pool, int descriptor, poll_events events, poll_trigger trigger)
    : sequence_state(pool),
      descriptor_(descriptor),
      events_(events),
      trigger_(trigger),
      through_ring_(active_io_backend() == io_backend_kind::io_uring) {
    if (!through_ring_ && trigger_ == poll_trigger::edge) watch_edges();
}

void poll_state::watch_edges() {
    epoll_ = owned_descriptor(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event wanted{};
    wanted.events = static_cast<unsigned>(events_) | EPOLLET;
    if (epoll_.get() >= 0 && ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor_, &wanted) == 0) return;
    if (errno == EPERM) {
        trigger_ = poll_trigger::level;  // what epoll does not watch, such as a file, is always ready
        return;
    }
    throw_exception(
        std::system_error(errno, std::generic_category(), "poll descriptor " + std::to_string(descriptor_)));
}

task<poll_events> poll_state::next(counted_ptr<poll_state> self) {
    poll_state& state = *self;
    const bool level = state.trigger_ == poll_trigger::level;
    for (;;) {
        const int found = state.take();
        // Who always finds something lets others run from time to time.
        if (level && (!state.through_ring_ || (found > 0 && is_turn_over()))) {
            co_return co_await poll(state.pool(), state.descriptor_, state.events_);
        }
        if (found > 0) co_return static_cast<poll_events>(found);
        if (found != -EAGAIN) {
            const poll_request failing(state.descriptor_, state.events_);
            co_yield with_error(failing.result(found).error());
        }
        if (state.through_ring_) {
            co_await next_arrival(state);
        } else {
            static_cast<void>(co_await poll(state.pool(), state.epoll_.get(), poll_events::readable));
        }
    }
}

// Returns the events that there are, or a negated errno: -EAGAIN when there are none.
int poll_state::take() noexcept {
    if (!through_ring_) return trigger_ == poll_trigger::level ? -EAGAIN : take_edges();
    {
        const std::lock_guard lock(mutex());
        if (failed_ != 0) return failed_;
        untaken_ = 0;
        const int came = std::exchange(came_, 0);
        if (trigger_ == poll_trigger::edge) return came != 0 ? came : -EAGAIN;
    }
    io_request request;
    prepare(request);
    request.opcode = io_opcode::poll;
    return call_if_ready(request);
}

int poll_state::take_edges() noexcept {
    epoll_event event{};
    int count = 0;
    do {
        count = ::epoll_wait(epoll_.get(), &event, 1, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    return count == 0 ? -EAGAIN : static_cast<int>(event.events & ~unsigned{EPOLLET});
}

void poll_state::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::poll_many;
    request.descriptor = descriptor_;
    request.flags = static_cast<int>(events_);
}

bool poll_state::keep(int events, std::uint16_t) noexcept {
    came_ |= events;
    return ++untaken_ >= most_untaken;
}

void poll_state::note_end(int result) noexcept {
    // The kernel is short of memory: the next wait begins anew.
    if (result < 0 && result != -EAGAIN) failed_ = result;
}

}  // namespace coex::inline v0::detail
