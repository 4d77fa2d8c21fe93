#pragma once

#include <exec/base/process_wide_barrier.hpp>

#include <atomic>
#include <mutex>

namespace coex::inline v0::detail {

/// A lock of one owner, who takes it very often and nearly always finds it free, and of one visitor, who comes seldom
/// and never waits. It costs the owner two plain stores and a load, and the visitor a membarrier(2).
///
/// **Why both are never inside.** Each says that it is inside before it looks at the other. The owner's store and load
/// may be exchanged by the processor; but the visitor has the barrier executed on all processors between its own store
/// and load. If that falls behind the owner's store, the visitor sees the store. Otherwise it falls before the owner's
/// load, which then sees the visitor's store, and the owner waits for `visiting_`. The owner enters for good while it
/// holds that mutex, without which no visitor comes as far as looking. Where membarrier(2) is missing the owner's
/// store is a read-modify-write, and all four accesses are in one order.
///
/// **What each sees.** The owner's release store of `owner_in_` is read by the visitor before it enters; the visitor's
/// store of `visitor_in_`, or `visiting_`, by the owner.
class owner_lock {
public:
    owner_lock() noexcept : barrier_(has_process_wide_barrier()) {}

    /// The owner only: waits while the visitor is inside.
    void lock() noexcept {
        if (barrier_) {
            // ORDER: relaxed; the visitor's barrier orders it with the load below, see above.
            owner_in_.store(true, std::memory_order_relaxed);
            // ORDER: seq_cst, for the compiler alone, which must not exchange the two.
            std::atomic_signal_fence(std::memory_order_seq_cst);
        } else {
            owner_in_.exchange(true);
        }
        if (!visitor_in_.load()) return;
        unlock();
        const std::lock_guard no_visit(visiting_);
        // ORDER: relaxed; published by the mutex, which the next visitor takes first.
        owner_in_.store(true, std::memory_order_relaxed);
    }

    /// The owner only.
    void unlock() noexcept {
        // ORDER: release; pairs with the loads in try_enter(), which make visible to the visitor what was done inside.
        owner_in_.store(false, std::memory_order_release);
    }

    /// The visitor only: does not wait. False when the owner is inside, or when membarrier(2), which was there at
    /// first, is refused.
    [[nodiscard]] bool try_enter() noexcept {
        if (owner_in_.load() || !visiting_.try_lock()) return false;
        visitor_in_.store(true);
        if ((!barrier_ || process_wide_barrier()) && !owner_in_.load()) return true;
        leave();
        return false;
    }

    /// The visitor only, inside.
    void leave() noexcept {
        visitor_in_.store(false);
        visiting_.unlock();
    }

private:
    const bool barrier_;
    std::atomic<bool> owner_in_{false};
    std::atomic<bool> visitor_in_{false};
    std::mutex visiting_;  // held by the visitor while it is inside; taken by an owner that waits for it
};

}  // namespace coex::inline v0::detail
