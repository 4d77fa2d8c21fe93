#include <exec/coro/when_all.hpp>

#include <exec/base/config.hpp>

namespace coex::inline v0::detail {

COEX_NOINLINE bool when_all_waiter::start(coroutine_base& parent, std::span<slot> children) {
    parent_ = &parent;
    const bool former = parent.detach();
    // ORDER: relaxed; no child has been started, nobody else sees the counter.
    remaining_.store(children.size() + 1, std::memory_order_relaxed);
    if (parent.stop_token().stop_possible()) link_.emplace(parent.stop_token(), forward_stop{&source_});

    std::size_t own = 1;
    for (slot& each : children) {
        each.all_ = this;
        if (!each.base_->start_inline(parent.context(), source_.get_token(), each)) continue;
        note_ending(each);
        ++own;
    }
    // ORDER: acq_rel; pairs with the decrement in on_child_ended() [W1]: the last one sees all results, and those who
    // come
    //   before publish theirs. LIFETIME: unless this was the last count, *this may be gone.
    if (remaining_.fetch_sub(own, std::memory_order_acq_rel) != own) return true;
    link_.reset();
    parent.reattach(former);
    if (overall() != outcome::stopped) return false;
    parent.unwind_here();
    return true;
}

coroutine_base* when_all_waiter::on_child_ended(completion* self, coroutine_base& child,
                                                outcome child_ending) noexcept {
    auto& own = static_cast<slot&>(*self);
    when_all_waiter& all = *own.all_;
    execution_context* const place = &child.context();
    own.ending = child_ending;
    all.note_ending(own);
    // ORDER: acq_rel; pairs with the decrement in start() and with itself [W1].
    if (all.remaining_.fetch_sub(1, std::memory_order_acq_rel) != 1) return nullptr;
    all.link_.reset();
    coroutine_base& parent = *all.parent_;
    const outcome ending = all.overall();
    // Only what the caller does with its own child (resume or unwind) can be done with the parent in its place.
    const bool same_way = (ending == outcome::stopped) == (child_ending == outcome::stopped);
    if (same_way && place == &parent.context()) return &parent;
    parent.continue_later(ending);
    return nullptr;
}

void when_all_waiter::note_ending(slot& child) noexcept {
    if (child.ending == outcome::error) {
        slot* nobody = nullptr;
        first_failed_.compare_exchange_strong(nobody, &child);
        source_.request_stop();
    } else if (child.ending == outcome::stopped) {
        // In the child's own place, and before its siblings have ended: one of them may wait for what it holds.
        child.destroy_child();
        any_stopped_.store(true);
        source_.request_stop();
    }
}

outcome when_all_waiter::overall() const noexcept {
    if (first_failed_.load() != nullptr) return outcome::error;
    return any_stopped_.load() ? outcome::stopped : outcome::value;
}

}  // namespace coex::inline v0::detail
