#include <exec/coro/task.hpp>

#include <exec/base/config.hpp>

namespace coex::inline v0::detail {

COEX_NOINLINE void hop_awaiter::hop(coroutine_base& coroutine, execution_context& context) noexcept {
    coroutine.detach();
    coroutine.resume_on(context);
    // LIFETIME: the coroutine may be running, or gone.
}

COEX_NOINLINE bool task_waiter::wait(completion& own) noexcept {
    coroutine_base& parent = *parent_;
    outcome ending = own.inline_ending;
    if (ending == outcome::stopped) {
        destroy_child();
    } else {
        const bool former = parent.detach();
        // ORDER: acq_rel; pairs with the exchange in on_child_ended() [C1]: whoever comes second sees the other's
        //   writes. LIFETIME: when the parent waits, it may be running, or gone, with this awaiter in its frame.
        if (meeting_.exchange(meeting::parent_waits, std::memory_order_acq_rel) != meeting::child_ended) return true;
        parent.reattach(former);
        ending = own.ending;
    }
    if (ending != outcome::stopped) return false;
    parent.unwind_here();
    return true;
}

coroutine_base* task_waiter::on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept {
    auto& waiter = static_cast<task_waiter&>(*self->owner);
    coroutine_base& parent = *waiter.parent_;
    execution_context* const place = &child.context();
    if (ending == outcome::stopped) waiter.destroy_child();
    self->ending = ending;
    // ORDER: acq_rel; pairs with the exchange in wait() [C1].
    if (waiter.meeting_.exchange(meeting::child_ended, std::memory_order_acq_rel) != meeting::parent_waits)
        return nullptr;
    if (place == &parent.context()) return &parent;
    parent.continue_later(ending);
    return nullptr;
}

}  // namespace coex::inline v0::detail
