#include <exec/coro/task.hpp>

#include <exec/base/config.hpp>

namespace coex::inline v0::detail {

COEX_NOINLINE void hop_awaiter::hop(coroutine_base& coroutine, execution_context& context) noexcept {
    coroutine.detach();
    coroutine.resume_on(context);
    // LIFETIME: the coroutine may be running, or gone.
}

COEX_NOINLINE bool task_waiter::wait(coroutine_base& child, coroutine_base& parent) noexcept {
    parent_ = &parent;
    bool ended = child.start_inline(parent.context(), parent.stop_token(), *this);
    if (!ended) {
        const bool former = parent.detach();
        // LIFETIME: once this says that the parent waits, it may be running, or gone, with this awaiter in its frame.
        if (child.parent_waits()) return true;
        parent.reattach(former);
        ended = true;
    }
    if (child.ending() != outcome::stopped) return false;
    destroy_child();
    parent.unwind_here();
    return true;
}

coroutine_base* task_waiter::on_child_ended(completion* self, coroutine_base& child) noexcept {
    auto& waiter = static_cast<task_waiter&>(*self);
    coroutine_base& parent = *waiter.parent_;
    if (!child.child_met_parent()) return nullptr;
    const outcome ending = child.ending();
    const bool same_place = &child.context() == &parent.context();
    if (ending == outcome::stopped) waiter.destroy_child();
    if (same_place) return &parent;
    parent.continue_later(ending);
    return nullptr;
}

}  // namespace coex::inline v0::detail
