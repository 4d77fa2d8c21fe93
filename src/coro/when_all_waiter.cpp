#include <exec/coro/when_all_waiter.hpp>

namespace coex::inline v0::detail {

coroutine_base* when_all_waiter::on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept {
    auto& all = static_cast<when_all_waiter&>(*self->owner);
    const execution_context& place = child.context();
    if (all.note_ending(*self, child, ending)) all.source_.request_stop();
    return all.leave(ending, place);
}

void when_all_waiter::note_failure_at_once(completion& child, outcome ending) noexcept {
    note_failure(child, ending);
    source_.request_stop();
}

}  // namespace coex::inline v0::detail
