#pragma once

#include "pool/futex_parker.hpp"

#include <exec/vocab/timer.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace coex::inline v0::detail {

class ring;

/// A thread that looks after the rings of a pool's workers while those compute: it submits what was left prepared and
/// hands over what has completed, so that another worker goes on with it. It sleeps while every worker sleeps or has
/// nothing in flight. The protocol is told in busy_workers.md.
///
/// Thread-safe: come(); start(): one thread at a time.
class ring_attendant {
public:
    /// The elements of `rings` may be set one by one later. `cpus` are those to which the workers are pinned; empty
    /// when they are not. Both outlive the attendant.
    explicit ring_attendant(const std::vector<std::atomic<ring*>>& rings, const std::vector<unsigned>& cpus)
        : rings_(rings), cpus_(cpus), seen_(rings.size()) {}
    ring_attendant(const ring_attendant&) = delete;
    ring_attendant& operator=(const ring_attendant&) = delete;
    ~ring_attendant();

    /// Starts the thread unless it runs. Returns false when the system gives none.
    [[nodiscard]] bool start() noexcept;

    /// A ring has come to need attention: to be called after that became visible.
    void come() noexcept {
        if (asleep_.load() && asleep_.exchange(false)) parker_.unpark();
    }

private:
    /// What was last seen of a ring.
    struct look {
        std::uint64_t visits = 0;
        timer_clock::time_point since{};  // when this count of visits was first seen; the epoch: nothing was seen
        bool announced = false;           // the last attention has only made the owner pass through the kernel
    };
    struct outcome {
        bool needed = false;  // some owner is up and has something in flight
        bool given = false;   // something was found to be done
    };

    void run() noexcept;
    void be_prompt() const noexcept;
    [[nodiscard]] outcome look_at_all() noexcept;
    [[nodiscard]] bool look_after(ring& which, look& seen, timer_clock::time_point now) noexcept;
    [[nodiscard]] bool is_needed() const noexcept;
    void sleep() noexcept;

    const std::vector<std::atomic<ring*>>& rings_;
    const std::vector<unsigned>& cpus_;
    std::vector<look> seen_;  // OWNER: the attendant's thread
    futex_parker parker_;
    std::atomic<bool> asleep_{false};  // set by its thread; reset by it, or by who wakes it
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace coex::inline v0::detail
