#pragma once

#include <exec/base/config.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace coex::inline v0::detail {

/// The deque of a worker: the owner pushes and pops at the bottom (last in, first out), thieves take at the top (first
/// in, first out). After D. Chase and Y. Lev, "Dynamic circular work-stealing deque" (SPAA 2005), with sequentially
/// consistent operations on both indices in place of fences, which ThreadSanitizer does not understand.
///
/// Why no item is taken twice [D1]. An item at index i is taken by the owner's plain pop only if it stored bottom = i
/// and then read top < i; by a thief (or the owner, for the last item) only by the compare-exchange of top from i to i
/// + 1. Suppose both: the thief read top == i, then bottom > i, both seq_cst. It read the old bottom, so in the single
/// order of seq_cst operations: top became i < thief reads top < thief reads bottom < owner stores bottom = i < owner
/// reads top. So the owner read top >= i: contradiction. For the last item both use the compare-exchange, and one of
/// them fails.
///
/// Why no stale slot is run [D2]. A thief reads its slot before the compare-exchange; the owner overwrites that slot,
/// or moves to a larger array, only when top has passed it, and then the exchange fails. Old arrays live as long as the
/// deque.
///
/// OWNER: push, make_room, pop, the destructor: the worker. steal, empty: any thread.
class work_deque {
public:
    work_deque();
    work_deque(const work_deque&) = delete;
    work_deque& operator=(const work_deque&) = delete;

    void push(work_item* item);

    /// The next push() will not throw. Errors: std::bad_alloc.
    void make_room();
    [[nodiscard]] work_item* pop() noexcept;

    /// The oldest item, or null: the deque was empty, or another thread was faster (`contended` is then set).
    [[nodiscard]] work_item* steal(bool& contended) noexcept;

    /// May be stale, except for a thread that announced itself before (see idle.md).
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::size_t size() const noexcept {
        const std::int64_t top = top_.load();
        const std::int64_t bottom = bottom_.load();
        return bottom > top ? static_cast<std::size_t>(bottom - top) : 0;
    }

private:
    struct ring {
        explicit ring(std::int64_t capacity)
            : mask(capacity - 1),
              slots(std::make_unique<std::atomic<work_item*>[]>(static_cast<std::size_t>(capacity))) {}

        [[nodiscard]] work_item* get(std::int64_t index) const noexcept {
            // ORDER: relaxed; the thief's load of bottom_ has seen the owner's seq_cst store that follows put() [D2].
            return slots[static_cast<std::size_t>(index & mask)].load(std::memory_order_relaxed);
        }
        void put(std::int64_t index, work_item* item) noexcept {
            // ORDER: relaxed; published by the seq_cst store of bottom_ in push(), or of ring_ in grow() [D2].
            slots[static_cast<std::size_t>(index & mask)].store(item, std::memory_order_relaxed);
        }

        std::int64_t mask;
        std::unique_ptr<std::atomic<work_item*>[]> slots;
    };

    [[nodiscard]] ring* grow(std::int64_t top, std::int64_t bottom);

    alignas(destructive_interference_bytes) std::atomic<std::int64_t> bottom_{0};  // written by the owner
    std::atomic<ring*> ring_;                                                      // written by the owner
    std::vector<std::unique_ptr<ring>> rings_;  // OWNER: the worker; the last is current
    alignas(destructive_interference_bytes) std::atomic<std::int64_t> top_{0};  // written by everybody
};

}  // namespace coex::inline v0::detail
