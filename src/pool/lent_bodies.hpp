#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace coex::inline v0::detail {

/// How many workers run, or are to run, on threads that are not the pool's own: they cannot be joined, so the pool
/// waits for them here.
///
/// Thread-safe: yes.
class lent_bodies {
public:
    void lend() noexcept {
        const std::lock_guard lock(mutex_);
        ++out_;
    }
    /// LIFETIME: told under the lock, so that the pool can go only after this has let go of it.
    void give_back() noexcept {
        const std::lock_guard lock(mutex_);
        --out_;
        changed_.notify_all();
    }
    void wait_for_all() noexcept {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return out_ == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t out_ = 0;  // OWNER: mutex_
};

}  // namespace coex::inline v0::detail
