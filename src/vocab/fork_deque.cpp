#include <exec/vocab/fork_deque.hpp>

#include <exec/base/process_wide_barrier.hpp>

#include <algorithm>

namespace coex::inline v0::detail {

constinit thread_local fork_deque* this_thread_forks = nullptr;
constinit thread_local fork_deque* this_worker_forks = nullptr;

fork_deque::fork_deque(execution_context& home, fork_listener& listener)
    : slots_(capacity), home_(&home), listener_(&listener) {
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
// the fast way is this thread. A forcer that is at work fails.
void fork_deque::publish(std::uint64_t end) noexcept {
    // ORDER: relaxed; only the starting point of the compare-exchange.
    std::uint64_t seen = split_.load(std::memory_order_relaxed);
    while (!split_.compare_exchange_weak(seen, std::max(verified_of(seen), end))) {
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
        listener_->jobs_published();
    }
    if (jobs >= capacity - margin) this_thread_forks = nullptr;
}

bool fork_deque::pop_public(std::uint64_t index) noexcept {
    std::uint64_t seen = split_.load();
    // First the claim, then the look at the thieves [F1].
    do {
        if (index >= guard_of(seen)) return true;  // somebody forces older jobs
    } while (!split_.compare_exchange_weak(seen, std::min(verified_of(seen), index)));
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
    if (verified_of(split) <= top) return nullptr;
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
    // Below top when the owner has asked for a job that was stolen long ago [F1].
    const std::uint64_t verified = std::max(verified_of(seen), top_.load());
    const std::uint64_t goal = std::min(bottom_.load(), verified + capacity);
    std::uint64_t guarded = join(goal, verified);
    if (goal > verified && split_.compare_exchange_strong(seen, guarded)) {
        const bool ordered = process_wide_barrier();
        // From here on every pop below guard changes split_, so that the exchange below fails. Pops before the barrier
        // show in bottom_ [F1].
        const std::uint64_t reached = ordered ? std::clamp(bottom_.load(), verified, goal) : verified;
        published = split_.compare_exchange_strong(guarded, reached) && reached > verified;
    }
    forcing_.store(false);
    return published;
}

}  // namespace coex::inline v0::detail
