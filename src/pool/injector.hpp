#pragma once

#include <exec/base/config.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>

namespace coex::inline v0::detail {

/// The queue for work from outside the pool: first in, first out. A mutex guards it, held for a few instructions; a
/// worker that comes takes several items at once.
///
/// Thread-safe: yes.
class injector {
public:
    void push(work_item* item) noexcept {
        const std::lock_guard lock(mutex_);
        queue_.push_back(item);
        // ORDER: relaxed load; only holders of the lock write size_. The store is seq_cst: it must come before the
        //   pusher's look at the sleepers (PushItem in idle.md).
        size_.store(size_.load(std::memory_order_relaxed) + 1);
    }

    /// Moves up to `most` items, oldest first, to the back of `taken`; returns how many.
    std::size_t pop(work_queue& taken, std::size_t most) noexcept {
        if (empty()) return 0;
        const std::lock_guard lock(mutex_);
        std::size_t count = 0;
        while (count < most) {
            work_item* item = queue_.pop_front();
            if (item == nullptr) break;
            taken.push_back(item);
            ++count;
        }
        // ORDER: relaxed load; only holders of the lock write size_.
        size_.store(size_.load(std::memory_order_relaxed) - count);
        return count;
    }

    [[nodiscard]] bool empty() const noexcept { return size_.load() == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(); }

private:
    alignas(destructive_interference_bytes) std::mutex mutex_;
    work_queue queue_;                  // OWNER: mutex_
    std::atomic<std::size_t> size_{0};  // written under mutex_, read without
};

}  // namespace coex::inline v0::detail
