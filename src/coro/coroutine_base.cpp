#include <exec/coro/coroutine_base.hpp>

namespace coex::inline v0 {

std::coroutine_handle<> coroutine_base::end_detached() noexcept {
    coroutine_base* continued = waiter_->owner->child_ended(waiter_, *this, waiter_->ending);
    // LIFETIME: *this may be gone.
    if (continued == nullptr) return std::noop_coroutine();
    if (detail::stack_is_deep()) {
        // Where the compiler makes no tail calls, a long chain of completions would nest.
        continued->resume_later();
        return std::noop_coroutine();
    }
    return continued->handle();
}

std::coroutine_handle<> coroutine_base::end_here() noexcept {
    if (detached_) return end_detached();
    // Who started it finds that it has ended, and its frame gone, as after a return.
    handle().destroy();
    return std::noop_coroutine();
}

void coroutine_base::unwind_here() noexcept {
    if (!detached_) {
        waiter_->inline_ending = detail::outcome::stopped;
        return;
    }
    // The frame would be destroyed while its own await_suspend is on the stack: let it return first.
    unwind_later();
}

void coroutine_base::run_resume(work_item* item) noexcept {
    static_cast<coroutine_base*>(item)->handle().resume();
}

void coroutine_base::run_unwind(work_item* item) noexcept {
    unwind(static_cast<coroutine_base*>(item));
}

void coroutine_base::unwind(coroutine_base* coroutine) noexcept {
    // Upwards, not recursively: each waiter destroys the frame of its ended child before it ends itself.
    while (coroutine != nullptr) {
        COEX_ASSERT(coroutine->detached_, "only a coroutine that suspended in earnest unwinds from outside");
        coroutine = coroutine->waiter_->owner->child_ended(coroutine->waiter_, *coroutine, detail::outcome::stopped);
    }
}

}  // namespace coex::inline v0
