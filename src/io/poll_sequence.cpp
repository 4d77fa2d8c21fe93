#include <exec/io/poll_sequence.hpp>

#include "io/poll_state.hpp"

#include <utility>

namespace coex::inline v0 {

poll_sequence::poll_sequence(static_thread_pool& pool, int descriptor, poll_events events, poll_trigger trigger)
    : state_(detail::make_counted<detail::poll_state>(pool, descriptor, events, trigger)) {}

poll_sequence::poll_sequence(poll_sequence&&) noexcept = default;

poll_sequence& poll_sequence::operator=(poll_sequence&& other) noexcept {
    poll_sequence taken(std::move(other));
    state_.swap(taken.state_);
    return *this;
}

poll_sequence::~poll_sequence() {
    if (state_ != nullptr) state_->close();
}

std::coroutine_handle<task<poll_events>::promise_type> poll_sequence::make_next() {
    return detail::poll_state::next(state_).release();
}

}  // namespace coex::inline v0
