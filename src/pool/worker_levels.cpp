#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

// How a worker chooses among priorities: docs/priorities.md.

namespace coex::inline v0::detail {

// Called for every item as soon as a level beside the normal one has been used. Null: a normal item is next.
work_item* worker::take_by_priority() noexcept {
    priority_levels& levels = pool_.levels();
    if (turns_.is_turn_of_low(!levels.low.empty())) {
        if (work_item* item = take_low()) return item;
    }
    if (levels.high.empty()) {
        turns_.no_high();
        return nullptr;
    }
    if (turns_.is_turn_of_normal()) {
        if (work_item* item = take_normal_in_turn()) return item;
    }
    return take_high();
}

work_item* worker::take_high() noexcept {
    priority_level& level = pool_.levels().high;
    if (level.empty()) return nullptr;
    work_item* const item = level.take();
    if (item != nullptr) turns_.took_high();
    return item;
}

work_item* worker::take_low() noexcept {
    priority_level& level = pool_.levels().low;
    if (level.empty()) return nullptr;
    work_item* const item = level.take();
    if (item != nullptr) turns_.took_low();
    return item;
}

// Every other turn is that of what is ready and of work from outside; of the rest, the newest and the oldest of the
// worker's own tasks share, and its shares of broadcasts go before the newest. Then whatever there is, also in other
// workers' queues.
work_item* worker::take_normal_in_turn() noexcept {
    const unsigned turn = turns_.next_normal_turn();
    if (turn % 4 == 0) {
        bool contended = false;
        if (work_item* item = deque_.steal(contended)) return item;
    } else if (turn % 4 == 2) {
        if (work_item* item = take_share()) return item;
        if (work_item* item = deque_.pop()) return item;
    }
    admit_injected();
    if (work_item* item = take_ready_and_tell()) return item;
    if (work_item* item = deque_.pop()) return item;
    if (work_item* item = take_share()) return item;
    return steal();
}

}  // namespace coex::inline v0::detail
