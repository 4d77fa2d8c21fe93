#include <exec/coro/fork_waiter.hpp>

namespace coex::inline v0::detail {

coroutine_base* fork_waiter::on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept {
    auto& all = static_cast<fork_waiter&>(*self->owner);
    const execution_context& place = child.context();
    all.note_ending(*self, child, ending);
    return all.leave(ending, place);
}

}  // namespace coex::inline v0::detail
