#pragma once

#include "pool/injector.hpp"

#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/priority.hpp>
#include <exec/vocab/timer.hpp>
#include <exec/vocab/work_item.hpp>

#include <cstddef>

namespace coex::inline v0::detail {

class pool_core;

/// The tasks of a pool that are more urgent, or less, than its normal ones: first in, first out, from inside and
/// outside, taken by all workers one by one. At the same time the place where coroutines of this priority are. Which
/// level a worker takes from, and when: docs/priorities.md.
///
/// Thread-safe: yes.
class priority_level final : public execution_context {
public:
    priority_level(pool_core& pool, priority which) noexcept : pool_(pool), which_(which) {}

    void submit(work_item* item) noexcept override;
    /// Submits linked items at once, of which the pool has taken note.
    void submit_linked(work_item* first, work_item* last) noexcept;
    [[nodiscard]] timer_service& timers() noexcept override;
    [[nodiscard]] std::size_t concurrency() const noexcept override;
    [[nodiscard]] const execution_context& threads() const noexcept override;
    [[nodiscard]] priority level() const noexcept override { return which_; }

    /// The oldest task, or null: there is none, or it has yet to be linked by the one who submits it.
    [[nodiscard]] work_item* take() noexcept {
        work_queue one;
        tasks_.pop(one, 1);
        return one.front();
    }
    [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }
    [[nodiscard]] std::size_t size() noexcept { return tasks_.size(); }

private:
    pool_core& pool_;
    const priority which_;
    injector tasks_;
};

/// The levels beside the normal one, of which a pool knows nothing until one is used.
struct priority_levels {
    explicit priority_levels(pool_core& pool) noexcept : high(pool, priority::high), low(pool, priority::low) {}

    [[nodiscard]] bool empty() const noexcept { return high.empty() && low.empty(); }
    [[nodiscard]] std::size_t size() noexcept { return high.size() + low.size(); }

    priority_level high;
    priority_level low;
};

/// What a worker remembers so that no level starves. OWNER: the worker.
class level_turns {
public:
    // Of every 8 items that a worker takes, one is normal, and of every 64 one is low, as long as such wait.
    static constexpr unsigned most_high_in_row = 7;
    static constexpr unsigned most_before_low = 63;

    /// Called once an item, while levels are used: whether it must be a low one.
    [[nodiscard]] bool is_turn_of_low(bool waits) noexcept {
        if (!waits) passed_low_ = 0;
        return waits && passed_low_++ >= most_before_low;
    }
    void took_low() noexcept { passed_low_ = 0; }

    /// Whether a normal item goes before one of the high ones that wait.
    [[nodiscard]] bool is_turn_of_normal() noexcept {
        if (high_in_row_ < most_high_in_row) return false;
        high_in_row_ = 0;
        return true;
    }
    void took_high() noexcept { ++high_in_row_; }
    void no_high() noexcept { high_in_row_ = 0; }

    /// Counts the turns of normal items, which go round among their queues.
    [[nodiscard]] unsigned next_normal_turn() noexcept { return normal_turns_++; }

private:
    unsigned passed_low_ = 0;
    unsigned high_in_row_ = 0;
    unsigned normal_turns_ = 0;
};

}  // namespace coex::inline v0::detail
