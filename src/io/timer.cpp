#include <exec/io/timer.hpp>

#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/execution_context.hpp>

namespace coex::inline v0::detail {

COEX_NOINLINE bool sleep_awaiter::start(coroutine_base& coroutine) {
    if (coroutine.stop_token().stop_requested()) {
        coroutine.unwind_here();
        return true;
    }
    coroutine_ = &coroutine;
    service_ = &coroutine.context().timers();
    deadline = until_ ? *until_ : deadline_after(*service_, duration_);
    const bool former = coroutine.detach();
    // First the callback, then the timer: a stop in between is noted in the node, and arm() refuses it. The other way
    // round, the timer could end, and the coroutine with it, while the callback is being made.
    if (coroutine.stop_token().stop_possible()) stop_callback_.emplace(coroutine.stop_token(), cancel_request{this});
    bool armed = false;
    COEX_TRY {
        armed = service_->arm(*this);
    }
    COEX_CATCH(...) {
        stop_callback_.reset();
        coroutine.reattach(former);
        COEX_RETHROW;
    }
    // LIFETIME: once armed, the timer may have ended, and *this with it.
    if (armed) return true;
    stop_callback_.reset();
    coroutine.reattach(former);
    coroutine.unwind_here();
    return true;
}

void sleep_awaiter::on_end(timer_node* node) noexcept {
    auto* const self = static_cast<sleep_awaiter*>(node);
    if (self->stopped) {
        self->coroutine_->unwind_later();
    } else {
        self->coroutine_->resume_later();
    }
}

void sleep_awaiter::cancel_request::operator()() const noexcept {
    awaiter->service_->cancel(*awaiter);
}

}  // namespace coex::inline v0::detail
