#include "vocab/timer_heap.hpp"

#include <exec/base/exceptions.hpp>

#include <algorithm>
#include <new>

namespace coex::inline v0::detail {
namespace {

constexpr std::size_t arity = 4;

}  // namespace

void timer_heap::insert(timer_node& node) {
    // A position beyond would be taken for another, or for none.
    if (entries_.size() >= timer_node::not_armed) throw_exception(std::bad_alloc());
    const entry inserted{node.deadline, &node};
    entries_.push_back(inserted);
    move_up(entries_.size() - 1, inserted);
}

void timer_heap::remove(timer_node& node) noexcept {
    // PERF: see timer_set::cancel(). The last one will be told its new place: looked for beside `node`, not after it.
    __builtin_prefetch(&entries_.back().node->position, 1);
    const std::size_t index = node.position;
    const entry last = entries_.back();
    entries_.pop_back();
    node.position = timer_node::not_armed;
    if (last.node == &node) return;
    if (index > 0 && last.deadline < entries_[(index - 1) / arity].deadline) {
        move_up(index, last);
    } else {
        move_down(index, last);
    }
}

void timer_heap::move_up(std::size_t index, entry moved) noexcept {
    while (index > 0) {
        const std::size_t parent = (index - 1) / arity;
        if (entries_[parent].deadline <= moved.deadline) break;
        place(index, entries_[parent]);
        index = parent;
    }
    place(index, moved);
}

void timer_heap::move_down(std::size_t index, entry moved) noexcept {
    for (;;) {
        const std::size_t first = index * arity + 1;
        if (first >= entries_.size()) break;
        const std::size_t end = std::min(first + arity, entries_.size());
        std::size_t child = first;
        for (std::size_t other = first + 1; other < end; ++other) {
            if (entries_[other].deadline < entries_[child].deadline) child = other;
        }
        if (moved.deadline <= entries_[child].deadline) break;
        place(index, entries_[child]);
        index = child;
    }
    place(index, moved);
}

}  // namespace coex::inline v0::detail
