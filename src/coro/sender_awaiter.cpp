#include <exec/coro/sender_awaiter.hpp>

#include <exec/base/config.hpp>

namespace coex::inline v0::detail {
namespace {

/// Names the calling thread. Not inlined: inside a coroutine a compiler could keep it across a suspension.
COEX_NOINLINE const void* this_thread() noexcept {
    static thread_local const char place = 0;
    return &place;
}

}  // namespace

void sender_wait::begin() noexcept {
    starter_ = this_thread();
    starting_ = true;
}

bool sender_wait::stays_suspended() noexcept {
    if (starting_) {
        starting_ = false;
        const bool former = coroutine_->detach();
        // ORDER: acq_rel; pairs with the exchange in complete() [C2]: whoever comes second sees the other's writes.
        //   LIFETIME: when the coroutine waits, it may be running, or gone, with this awaiter in its frame.
        if (meeting_.exchange(meeting::coroutine_waits, std::memory_order_acq_rel) != meeting::completed) return true;
        coroutine_->reattach(former);
    }
    if (ending_ != outcome::stopped) return false;
    coroutine_->unwind_here();
    return true;
}

void sender_wait::complete(outcome ending, bool at_home) noexcept {
    ending_ = ending;
    if (starter_ == this_thread() && starting_) {
        starting_ = false;
        return;
    }
    // ORDER: acq_rel; pairs with the exchange in stays_suspended() [C2].
    if (meeting_.exchange(meeting::completed, std::memory_order_acq_rel) != meeting::coroutine_waits) return;
    coroutine_base& coroutine = *coroutine_;
    if (at_home && ending != outcome::stopped && !stack_is_deep()) {
        coroutine.handle().resume();
    } else {
        coroutine.continue_later(ending);
    }
}

}  // namespace coex::inline v0::detail
