#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace coex::inline v0::detail {

/// When a worker that has nothing else to do should let work from outside gather before it looks for it.
///
/// Workers take items faster than one thread can push them, as each look takes the injector's cache line away from the
/// thread that pushes. So a stream of pushes is held up by those who wait for it: nearly every push finds the line with
/// a worker, nearly every look finds one item or two. A worker that keeps away for a moment finds many at once, and
/// they cost both sides less.
///
/// Such a stream is told by some meagre looks in a row, none long after another. Whether it gains from gathering only a
/// trial tells: work that comes as fast as it is done (two pools that pass a task to and fro) does not. Each trial that
/// found few doubles the number of meagre looks before the next; one that found many makes it short again.
///
/// OWNER: its worker.
class intake_pace {
public:
    /// PERF: bench sender, five_thens_on_a_pool; 0.65 of the time with it, and 0.6 with twice as long.
    static constexpr std::chrono::nanoseconds gathering{1200};
    /// So many items must come meanwhile, as it would take about as long to take them one by one.
    static constexpr std::size_t many = 24;
    static constexpr unsigned shortest_wait = 8;
    static constexpr unsigned longest_wait = 1U << 16;

    [[nodiscard]] bool should_gather() const noexcept { return meagre_looks_ >= looks_before_trial_; }

    /// A look found `count` items after it had let them gather.
    void note_gathered(std::size_t count) noexcept {
        if (count >= many) {
            looks_before_trial_ = shortest_wait;
        } else {
            looks_before_trial_ = std::min(2 * looks_before_trial_, longest_wait);
            meagre_looks_ = 0;
        }
    }
    /// A look of a worker that had nothing else found `count` items.
    void note_found(std::size_t count) noexcept {
        if (count >= many) {
            meagre_looks_ = 0;
        } else if (count != 0) {
            ++meagre_looks_;
        }
    }
    /// Nothing came for a while.
    void note_gap() noexcept { meagre_looks_ = 0; }

private:
    unsigned meagre_looks_ = 0;
    unsigned looks_before_trial_ = shortest_wait;
};

}  // namespace coex::inline v0::detail
