#pragma once

#include <exec/base/config.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>

namespace coex::inline v0::detail {

/// The queue for work from outside the pool: first in, first out, linked through the items. A push is one exchange and
/// one store, whatever others do; takers hold a mutex for a few instructions, and take several items at once. After D.
/// Vyukov, "Intrusive MPSC node-based queue".
///
/// **Links** [J1]. A push makes its item the last (`last_`), then links it from the one that was last before. Between
/// the two, the queue is not empty, but takers do not get past the gap. So an item cannot be taken, nor run, nor its
/// pool be destroyed, before its pusher has linked it: what the pusher has to look at, it looks at before that.
///
/// **The stub.** The queue is empty if and only if `last_` is the stub. The taker of the last item puts the stub in its
/// place by a compare-exchange, which fails when another push has come; the item is taken once that one has linked.
///
/// Thread-safe: yes.
class injector {
public:
    injector() noexcept : stub_(&never), first_(&stub_), last_(&stub_) {}
    injector(const injector&) = delete;
    injector& operator=(const injector&) = delete;

    /// Adds the items from `first` to `last`, which are linked. `when_visible()` is called when others see that the
    /// queue is not empty, and before any of them can be taken. Returns what it returns. LIFETIME: the items may have
    /// run, and the queue be gone, when this returns.
    template <class WhenVisible>
    auto push(work_item* first, work_item* last, WhenVisible when_visible) noexcept {
        // ORDER: relaxed; published by the release in this thread's link() or the exchange below.
        link(last).store(nullptr, std::memory_order_relaxed);
        // seq_cst: must come before the pusher's look at the sleepers (PushItem in idle.md).
        work_item* const before = last_.exchange(last);
        const auto seen = when_visible();
        // ORDER: release; pairs with the acquire loads in pop() [J1]: the items, as their pusher made them.
        link(before).store(first, std::memory_order_release);
        return seen;
    }
    void push(work_item* item) noexcept {
        push(item, item, [] { return 0; });
    }

    /// Moves up to `most` items, oldest first, to the back of `taken`; returns how many.
    std::size_t pop(work_queue& taken, std::size_t most) noexcept {
        if (empty()) return 0;
        const std::lock_guard lock(taking_);
        std::size_t count = 0;
        while (count < most) {
            work_item* const item = pop_first();
            if (item == nullptr) break;
            taken.push_back(item);
            ++count;
        }
        return count;
    }

    [[nodiscard]] bool empty() const noexcept { return last_.load() == &stub_; }

    /// How many items can be taken. Walks along all of them.
    [[nodiscard]] std::size_t size() noexcept {
        const std::lock_guard lock(taking_);
        std::size_t count = 0;
        for (work_item* each = first_; each != nullptr;) {
            if (each != &stub_) ++count;
            // ORDER: acquire; pairs with the release in push() [J1].
            each = link(each).load(std::memory_order_acquire);
        }
        return count;
    }

private:
    struct stub_item : work_item {
        explicit stub_item(run_function* function) noexcept : work_item(function) { next = nullptr; }
    };
    static void never(work_item*) noexcept {}

    static std::atomic_ref<work_item*> link(work_item* item) noexcept { return std::atomic_ref(item->next); }

    work_item* pop_first() noexcept {
        work_item* item = first_;
        // ORDER: acquire; pairs with the release in push() [J1].
        work_item* next = link(item).load(std::memory_order_acquire);
        if (item == &stub_) {
            if (next == nullptr) return nullptr;
            first_ = item = next;
            // ORDER: acquire; pairs with the release in push() [J1].
            next = link(item).load(std::memory_order_acquire);
        }
        if (next != nullptr) {
            first_ = next;
            return item;
        }
        // ORDER: relaxed; the exchange below publishes it.
        link(&stub_).store(nullptr, std::memory_order_relaxed);
        work_item* expected = item;
        if (!last_.compare_exchange_strong(expected, &stub_)) return nullptr;  // a push has yet to link its item
        first_ = &stub_;
        return item;
    }

    alignas(destructive_interference_bytes) std::mutex taking_;
    stub_item stub_;
    work_item* first_;  // OWNER: taking_
    alignas(destructive_interference_bytes) std::atomic<work_item*> last_;
};

}  // namespace coex::inline v0::detail
