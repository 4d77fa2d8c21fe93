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
    timer_service& service = coroutine.context().timers();
    if (meaning_ == meaning::since_start) deadline = deadline_after(service, deadline.time_since_epoch());
    const bool former = coroutine.detach();
    // First the callback, then the timer: a stop in between is noted in the node, and arm() refuses it. The other way
    // round, the timer could end, and the coroutine with it, while the callback is being made.
    register_at(coroutine.stop_token());
    bool armed = false;
    COEX_TRY {
        armed = service.arm(*this);
    }
    COEX_CATCH(...) {
        release();
        coroutine.reattach(former);
        COEX_RETHROW;
    }
    // LIFETIME: once armed, the timer may have ended, and *this with it.
    if (armed) return true;
    release();
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

void sleep_awaiter::on_stop(stop_callback_base* callback) noexcept {
    auto* const self = static_cast<sleep_awaiter*>(callback);
    // The coroutine stays where it is, and in its place, until it has released the callback.
    self->coroutine_->context().timers().cancel(*self);
}

}  // namespace coex::inline v0::detail
