#pragma once

#include "io/operation_access.hpp"

#include <cstddef>
#include <mutex>

namespace coex::inline v0::detail {

/// Bounds how many operations of a pool are in flight; the others wait here in the order in which they came, holding no
/// worker. A slot that becomes free goes to the first that waits.
///
/// Thread-safe: yes.
class admission {
public:
    /// 0: no limit.
    explicit admission(std::size_t limit) noexcept : limit_(limit) {}

    /// Takes a slot for `operation`, or queues it and returns false. One whose stop was requested is not queued: it is
    /// let through, beyond the limit, only to end.
    [[nodiscard]] bool admit(io_operation& operation, const std::atomic<unsigned>& state, unsigned stop) noexcept {
        if (limit_ == 0) return true;
        const std::lock_guard lock(mutex_);
        if (in_flight_ < limit_ || (state.load() & stop) != 0) {
            ++in_flight_;
            return true;
        }
        waiting_.push_back(operation);
        return false;
    }

    /// Takes a slot if one is free and nobody waits for it.
    [[nodiscard]] bool try_enter() noexcept {
        if (limit_ == 0) return true;
        const std::lock_guard lock(mutex_);
        if (in_flight_ >= limit_) return false;
        ++in_flight_;
        return true;
    }

    /// Gives a slot back. Returns the operation that has it now, if one waited.
    [[nodiscard]] io_operation* leave() noexcept {
        if (limit_ == 0) return nullptr;
        const std::lock_guard lock(mutex_);
        if (in_flight_ <= limit_) {
            if (io_operation* next = waiting_.pop_front()) return next;
        }
        --in_flight_;
        return nullptr;
    }

    /// Takes an operation out of the queue; returns false when it does not wait here.
    [[nodiscard]] bool remove(io_operation& operation) noexcept {
        if (limit_ == 0) return false;
        const std::lock_guard lock(mutex_);
        return waiting_.remove(operation);
    }

private:
    const std::size_t limit_;
    std::mutex mutex_;
    std::size_t in_flight_ = 0;  // OWNER: mutex_
    io_list waiting_;            // OWNER: mutex_
};

}  // namespace coex::inline v0::detail
