#pragma once

#include <exec/base/config.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace coex::inline v0::detail {

/// The queue for work from outside the pool: first in, first out, linked through the items. A push is one exchange and
/// one store, whatever others do; takers hold a mutex for a few instructions, and take several items at once. After D.
/// Vyukov, "Intrusive MPSC node-based queue".
///
/// **Links** [J1]. A push makes its item the last (`last`), then links it from the one that was last before. Between
/// the two, the queue is not empty, but takers do not get past the gap. So an item cannot be taken, nor run, nor its
/// pool be destroyed, before its pusher has linked it: what the pusher has to look at, it looks at before that.
///
/// **The stub.** The queue is empty if and only if `last` is the stub. The taker of the last item puts the stub in its
/// place by a compare-exchange, which fails when another push has come; the item is taken once that one has linked.
///
/// **Cache lines.** What a pusher touches lies on one line, `entrance`; what only takers touch on another. The entrance
/// also has room for the word that a pusher looks at next: who searches and who sleeps. So a push to a pool whose
/// worker searches moves one line there, and one back. PERF: bench hop, 0.7 of the time with a line for each.
///
/// Thread-safe: yes.
class injector {
public:
    injector() noexcept : first_(&entrance_.stub) {}
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
        work_item* const before = entrance_.last.exchange(last);
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
        work_item* const seen = entrance_.last.load();
        if (seen == &entrance_.stub) return 0;
        // A lone item has just been written by its pusher: it comes while this thread takes the lock. Behind others, it
        // would be taken from the pusher that is about to link the next.
        // ORDER: relaxed; a hint.
        if (link(&entrance_.stub).load(std::memory_order_relaxed) == seen) __builtin_prefetch(seen, 1);
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

    [[nodiscard]] bool empty() const noexcept { return entrance_.last.load() == &entrance_.stub; }

    /// A word for the idle set, beside what every push writes.
    [[nodiscard]] std::atomic<std::uint64_t>& idle_counts() noexcept { return entrance_.idle_counts; }

    /// How many items can be taken. Walks along all of them.
    [[nodiscard]] std::size_t size() noexcept {
        const std::lock_guard lock(taking_);
        std::size_t count = 0;
        for (work_item* each = first_; each != nullptr;) {
            if (each != &entrance_.stub) ++count;
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
        if (item == &entrance_.stub) {
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
        link(&entrance_.stub).store(nullptr, std::memory_order_relaxed);
        work_item* expected = item;
        if (!entrance_.last.compare_exchange_strong(expected, &entrance_.stub))
            return nullptr;  // a push has yet to link its item
        first_ = &entrance_.stub;
        return item;
    }

    alignas(destructive_interference_bytes) struct {
        stub_item stub{&never};
        std::atomic<work_item*> last{&stub};
        std::atomic<std::uint64_t> idle_counts{0};
    } entrance_;
    alignas(destructive_interference_bytes) std::mutex taking_;
    work_item* first_;  // OWNER: taking_
};

}  // namespace coex::inline v0::detail
