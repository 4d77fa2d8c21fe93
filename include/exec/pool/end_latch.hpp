#pragma once

#include <atomic>

namespace coex::inline v0::detail {

/// Opens once: at the end of a piece of work. Somebody may wait for that.
///
/// The word `waiter_` [S1] is null (not ended, nobody waits), a waiter, or the address of `ended_`. The thread that
/// ends the work and the one that begins to wait meet there; a waiter is told through its own function, which calls
/// `set_ended()` itself, because as soon as the end is visible the waiter, and the latch, may be gone.
///
/// Thread-safe: yes; one waiter.
class end_latch {
public:
    struct waiter {
        void (*tell)(waiter*, end_latch&) noexcept;
    };

    end_latch() = default;
    end_latch(const end_latch&) = delete;
    end_latch& operator=(const end_latch&) = delete;

    [[nodiscard]] bool has_ended() const noexcept { return waiter_.load() == &ended_; }
    void set_ended() noexcept { waiter_.store(&ended_); }

    /// Blocks, or on a worker works for its pool, until the work has ended.
    void wait() noexcept;

    /// Registers `who`. Returns false when the work has ended already.
    [[nodiscard]] bool try_wait(waiter& who) noexcept {
        waiter* nobody = nullptr;
        return waiter_.compare_exchange_strong(nobody, &who);
    }

    /// The work has ended: tells the waiter, if there is one. LIFETIME: the latch may be gone when this returns.
    void end() noexcept {
        waiter* seen = nullptr;
        // The word's three states: [S1].
        if (!waiter_.compare_exchange_strong(seen, &ended_)) seen->tell(seen, *this);
    }

private:
    static waiter ended_;

    std::atomic<waiter*> waiter_{nullptr};
};

}  // namespace coex::inline v0::detail
