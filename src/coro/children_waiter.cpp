#include <exec/coro/children_waiter.hpp>

#include <exec/base/config.hpp>

namespace coex::inline v0::detail {

// The place may be the thread's pool in another role.
COEX_NOINLINE fork_deque* children_waiter::forks_shared_with(const execution_context& place) noexcept {
    fork_deque* const own = this_thread_forks;
    return own != nullptr && own->home() == &place.threads() ? own : nullptr;
}

COEX_NOINLINE bool children_waiter::wait(coroutine_base& parent) noexcept {
    const bool former = parent.detach();
    const std::size_t own = own_;  // read once: after the decrement it may be somebody else's
    // ORDER: acq_rel; pairs with the decrements in give_back() and leave() [W1]: the last one sees all results, and
    //   those who come before publish theirs. LIFETIME: unless this was the last, *this may be gone.
    if (remaining_.fetch_sub(own, std::memory_order_acq_rel) != own) return true;
    parent.reattach(former);
    if (overall() != outcome::stopped) return false;
    parent.unwind_here();
    return true;
}

// On the thread of a child's starter other than the parent.
void children_waiter::give_back(std::size_t units) noexcept {
    // ORDER: acq_rel; pairs with the other decrements [W1].
    if (remaining_.fetch_sub(units, std::memory_order_acq_rel) != units) return;
    coroutine_base& parent = *parent_;
    if (overall() == outcome::stopped || stack_is_deep()) {
        parent.continue_later(overall());
    } else {
        parent.handle().resume();
    }
}

bool children_waiter::note_ending(completion& own, coroutine_base& child, outcome ending) noexcept {
    own.ending = ending;
    // First: what goes with the frame may let a sibling fail, and the first error in time is the one to tell.
    if (ending != outcome::value) note_failure(own, ending);
    // In the child's own place, and before its siblings have ended: one of them may wait for what it holds, such as the
    // last sender of a channel. The slot finds the frame gone by `ending`.
    child.handle().destroy();
    return ending != outcome::value;
}

coroutine_base* children_waiter::leave(outcome child_ending, const execution_context& place) noexcept {
    // ORDER: acq_rel; pairs with the other decrements [W1].
    if (remaining_.fetch_sub(1, std::memory_order_acq_rel) != 1) return nullptr;
    coroutine_base& parent = *parent_;
    const outcome ending = overall();
    // Only what the caller does with its own child (resume or unwind) can be done with the parent in its place.
    const bool same_way = (ending == outcome::stopped) == (child_ending == outcome::stopped);
    if (same_way && &place == &parent.context()) return &parent;
    parent.continue_later(ending);
    return nullptr;
}

void children_waiter::note_failure(completion& child, outcome ending) noexcept {
    const void* seen = nullptr;
    if (ending == outcome::error) {
        // The first error in time wins, and over those who were stopped.
        while ((seen == nullptr || seen == this) && !first_failed_.compare_exchange_weak(seen, &child)) {
        }
    } else {
        first_failed_.compare_exchange_strong(seen, this);
    }
}

outcome children_waiter::overall() const noexcept {
    const void* const failed = first_failed_.load();
    if (failed == nullptr) return outcome::value;
    return failed == this ? outcome::stopped : outcome::error;
}

}  // namespace coex::inline v0::detail
