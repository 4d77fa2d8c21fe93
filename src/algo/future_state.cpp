#include <exec/algo/future_state.hpp>

namespace coex::inline v0::detail {

// Every change below is one end of the meeting [K1].

void future_state::work_ended() noexcept {
    // LIFETIME: the consumer may be gone when `ended` returns; this half keeps the state.
    if (phase_.exchange(phase::done) == phase::waiting) consumer_->ended(consumer_);
    release();
}

future_state::consumed future_state::consume(consumer& who) noexcept {
    consumer_ = &who;
    phase seen = phase::running;
    if (phase_.compare_exchange_strong(seen, phase::waiting)) return consumed::waits;
    if (seen == phase::cancelled && phase_.compare_exchange_strong(seen, phase::gone)) return consumed::cancelled;
    return consumed::ended;
}

bool future_state::cancel() noexcept {
    phase seen = phase_.load();
    for (;;) {
        if (seen != phase::running && seen != phase::waiting) return false;
        const phase next = seen == phase::running ? phase::cancelled : phase::gone;
        if (phase_.compare_exchange_strong(seen, next)) break;
    }
    source_.request_stop();
    return seen == phase::waiting;
}

void future_state::abandon() noexcept {
    source_.request_stop();
    release();
}

}  // namespace coex::inline v0::detail
