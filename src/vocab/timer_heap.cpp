#include "vocab/timer_heap.hpp"

#include <algorithm>

namespace coex::inline v0::detail {
namespace {

constexpr std::size_t arity = 4;

}  // namespace

void timer_heap::insert(timer_node& node) {
    nodes_.push_back(&node);
    move_up(nodes_.size() - 1, node);
}

void timer_heap::remove(timer_node& node) noexcept {
    const std::size_t index = node.position;
    timer_node& last = *nodes_.back();
    nodes_.pop_back();
    node.position = timer_node::not_armed;
    if (&last == &node) return;
    if (index > 0 && last.deadline < nodes_[(index - 1) / arity]->deadline) {
        move_up(index, last);
    } else {
        move_down(index, last);
    }
}

void timer_heap::move_up(std::size_t index, timer_node& node) noexcept {
    while (index > 0) {
        const std::size_t parent = (index - 1) / arity;
        if (nodes_[parent]->deadline <= node.deadline) break;
        place(index, *nodes_[parent]);
        index = parent;
    }
    place(index, node);
}

void timer_heap::move_down(std::size_t index, timer_node& node) noexcept {
    for (;;) {
        const std::size_t first = index * arity + 1;
        if (first >= nodes_.size()) break;
        const std::size_t end = std::min(first + arity, nodes_.size());
        std::size_t child = first;
        for (std::size_t other = first + 1; other < end; ++other) {
            if (nodes_[other]->deadline < nodes_[child]->deadline) child = other;
        }
        if (node.deadline <= nodes_[child]->deadline) break;
        place(index, *nodes_[child]);
        index = child;
    }
    place(index, node);
}

}  // namespace coex::inline v0::detail
