#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/config.hpp>
#include <exec/vocab/work_item.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace coex::inline v0::detail {

/// The coroutines that are ready to resume on a worker: first in, first out, so that none waits behind later ones. The
/// owner pushes; owner and thieves take from the front. Bounded: what does not fit goes to the injector.
///
/// Why no item is taken twice or stale [R1]. An item at index i is taken only by the compare-exchange of head from i to
/// i + 1; indices never repeat. The slot is read before the exchange, and overwritten by the owner only after it read
/// head > i, in which case the exchange of whoever read the slot fails.
///
/// OWNER: try_push: the worker. pop, empty: any thread.
class ready_queue {
public:
    static constexpr std::uint64_t capacity = 256;

    [[nodiscard]] bool try_push(work_item* item) noexcept {
        // ORDER: relaxed; only this thread writes tail_.
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_.load() >= capacity) return false;
        // ORDER: relaxed; published by the store of tail_ below [R1].
        slots_[tail % capacity].store(item, std::memory_order_relaxed);
        // seq_cst: publishes the slot, and must come before the worker's look at the sleepers (PushItem in idle.md).
        tail_.store(tail + 1);
        return true;
    }

    /// Takes all items of `more`, for which there must be room: they become visible together.
    void push_all(work_queue& more) noexcept {
        // ORDER: relaxed; only this thread writes tail_.
        std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        while (work_item* const item = more.pop_front()) {
            COEX_ASSERT(tail - head_.load() < capacity, "a ready queue was given more than there is room for");
            // ORDER: relaxed; published by the store of tail_ below [R1].
            slots_[tail++ % capacity].store(item, std::memory_order_relaxed);
        }
        // seq_cst: as in try_push().
        tail_.store(tail);
    }

    /// The oldest item, or null: the queue was empty, or another thread was faster (`contended` is then set).
    [[nodiscard]] work_item* pop(bool& contended) noexcept {
        std::uint64_t head = head_.load();
        if (head == tail_.load()) return nullptr;
        // ORDER: relaxed; the load of tail_ has seen the store that follows the slot's [R1].
        work_item* const item = slots_[head % capacity].load(std::memory_order_relaxed);
        if (head_.compare_exchange_strong(head, head + 1)) return item;
        contended = true;
        return nullptr;
    }

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::size_t size() const noexcept {
        const std::uint64_t head = head_.load();
        const std::uint64_t tail = tail_.load();
        return tail > head ? static_cast<std::size_t>(tail - head) : 0;
    }

private:
    alignas(destructive_interference_bytes) std::atomic<std::uint64_t> tail_{0};  // written by the owner
    std::array<std::atomic<work_item*>, capacity> slots_{};
    alignas(destructive_interference_bytes) std::atomic<std::uint64_t> head_{0};  // written by everybody
};

}  // namespace coex::inline v0::detail
