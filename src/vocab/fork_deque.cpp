#include <exec/vocab/fork_deque.hpp>

#include <exec/base/process_wide_barrier.hpp>

namespace coex::inline v0::detail {

constinit thread_local fork_deque* this_thread_forks = nullptr;
constinit thread_local fork_deque* this_worker_forks = nullptr;

fork_deque::fork_deque(execution_context& home, fork_listener& listener)
    : slots_(std::make_unique_for_overwrite<std::atomic<work_item*>[]>(capacity)), home_(&home), listener_(&listener) {
    static_cast<void>(has_process_wide_barrier());
}

void fork_deque::bind_to_this_thread(fork_deque* forks) noexcept {
    this_thread_forks = forks;
    this_worker_forks = forks;
}

fork_deque* fork_deque::reopen() noexcept {
    fork_deque* const forks = this_worker_forks;
    if (forks == nullptr || forks->size() >= capacity / 2) return nullptr;
    this_thread_forks = forks;
    return forks;
}

// The youngest job is at bottom_ - 1. Raises guard and verified together, which needs no barrier: the only one who pops
// the fast way is this thread.
void fork_deque::publish(std::uint64_t end) noexcept {
    const auto wanted = static_cast<std::uint32_t>(end);
    // ORDER: relaxed; only the starting point of the compare-exchange.
    std::uint64_t seen = split_.load(std::memory_order_relaxed);
    for (;;) {
        const std::uint32_t guard = distance(wanted, guard_of(seen)) > 0 ? wanted : guard_of(seen);
        const std::uint32_t verified = distance(wanted, verified_of(seen)) > 0 ? wanted : verified_of(seen);
        if (split_.compare_exchange_weak(seen, join(guard, verified))) return;
    }
}

void fork_deque::pushed_on_request() noexcept {
    // ORDER: relaxed; only this thread writes bottom_.
    const std::uint64_t bottom = bottom_.load(std::memory_order_relaxed);
    const std::uint64_t top = top_.load();
    const std::uint64_t jobs = bottom - top;
    if (!has_process_wide_barrier()) {
        publish(bottom);
        listener_->jobs_published();
    } else {
        publish(top + (jobs + 1) / 2);
        limit_.exchange(top + capacity - margin);
        // After the exchange: whoever fell asleep before it is seen now; whoever does later lowers the limit again
        // [F2].
        if (listener_->jobs_published()) limit_.store(attention);
    }
    if (jobs >= capacity - margin) this_thread_forks = nullptr;
}

bool fork_deque::pop_public(std::uint64_t index) noexcept {
    const auto wanted = static_cast<std::uint32_t>(index);
    std::uint64_t seen = split_.load();
    std::uint32_t verified = 0;
    // First the claim, then the look at the thieves [F1]. Only this thread lowers guard: it is above the index still.
    do {
        verified = distance(verified_of(seen), wanted) > 0 ? wanted : verified_of(seen);
    } while (!split_.compare_exchange_weak(seen, join(wanted, verified)));
    std::uint64_t top = top_.load();
    if (top < index) return true;
    const bool mine = top == index && top_.compare_exchange_strong(top, index + 1);
    // All older jobs are gone as well: what is pushed next comes above top.
    // ORDER: release; as in push().
    bottom_.store(mine ? index + 1 : top, std::memory_order_release);
    return mine;
}

work_item* fork_deque::steal(bool& contended) noexcept {
    // First top, then split_ [F1].
    std::uint64_t top = top_.load();
    const std::uint64_t split = split_.load();
    if (distance(verified_of(split), static_cast<std::uint32_t>(top)) <= 0) return nullptr;
    // ORDER: relaxed; the load of split_ has seen the store that published the slot [F1].
    work_item* const job = slots_[top % capacity].load(std::memory_order_relaxed);
    if (top_.compare_exchange_strong(top, top + 1)) return job;
    contended = true;
    return nullptr;
}

bool fork_deque::force() noexcept {
    if (!has_process_wide_barrier() || forcing_.exchange(true)) return false;
    bool published = false;
    std::uint64_t seen = split_.load();
    const auto goal = static_cast<std::uint32_t>(bottom_.load());
    if (distance(goal, verified_of(seen)) > 0) {
        const std::uint32_t verified = verified_of(seen);
        const std::uint32_t guard = distance(goal, guard_of(seen)) > 0 ? goal : guard_of(seen);
        const std::uint64_t guarded = join(guard, verified);
        if (split_.compare_exchange_strong(seen, guarded)) {
            process_wide_barrier();
            // From here on every pop below guard changes split_, so that the exchange below fails. Pops before the
            // barrier show in bottom_ [F1].
            const auto bottom = static_cast<std::uint32_t>(bottom_.load());
            const std::uint32_t reached = distance(goal, bottom) < 0 ? goal : bottom;
            std::uint64_t expected = guarded;
            if (distance(reached, verified) > 0) {
                published = split_.compare_exchange_strong(expected, join(guard, reached));
            }
        }
    }
    forcing_.store(false);
    return published;
}

}  // namespace coex::inline v0::detail
