#pragma once

#include <exec/vocab/timer.hpp>

#include <vector>

namespace coex::inline v0::detail {

/// The armed timers of a service, earliest deadline first: a 4-ary heap in which each node knows its position, so that
/// a cancelled one is removed without a search. Four children a node halve the depth and keep siblings in one cache
/// line.
///
/// Thread-safe: no; the service locks.
/// Invariants:  I1 a node's deadline is not before its parent's. I2 nodes_[n->position] == n.
class timer_heap {
public:
    [[nodiscard]] bool empty() const noexcept { return nodes_.empty(); }
    [[nodiscard]] timer_node* earliest() const noexcept { return nodes_.front(); }

    void insert(timer_node& node);
    void remove(timer_node& node) noexcept;

private:
    void move_up(std::size_t index, timer_node& node) noexcept;
    void move_down(std::size_t index, timer_node& node) noexcept;
    void place(std::size_t index, timer_node& node) noexcept {
        nodes_[index] = &node;
        node.position = index;
    }

    std::vector<timer_node*> nodes_;
};

}  // namespace coex::inline v0::detail
