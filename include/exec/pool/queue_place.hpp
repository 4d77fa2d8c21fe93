#pragma once

#include <exec/vocab/work_item.hpp>

#include <utility>

namespace coex::inline v0::detail {

class queue_gate;

// What a place does with its gate; the gate is compiled once, in src/pool/queue_gate.*.
void enter_queue(queue_gate& gate) noexcept;
[[nodiscard]] bool try_enter_queue(queue_gate& gate) noexcept;
void leave_queue(queue_gate& gate) noexcept;
/// On a worker that begins an item which was counted: it waits no more.
void leave_queue_of_this_worker() noexcept;

/// A place in the queue of a pool that bounds it (`pool_options::queue_limit`): held by who posts until the item is in
/// the queue, then by the item until it starts. A pool without a bound has no gate, and its places are nothing.
class queue_place {
public:
    /// Waits until there is one.
    [[nodiscard]] static queue_place wait(queue_gate* gate) noexcept {
        if (gate != nullptr) [[unlikely]]
            enter_queue(*gate);
        return queue_place(gate, true);
    }
    /// One that is false when the queue is full.
    [[nodiscard]] static queue_place try_take(queue_gate* gate) noexcept {
        if (gate != nullptr && !try_enter_queue(*gate)) return queue_place(nullptr, false);
        return queue_place(gate, true);
    }
    queue_place(queue_place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), taken_(other.taken_) {}
    queue_place& operator=(queue_place&&) = delete;
    ~queue_place() {
        if (gate_ != nullptr) leave_queue(*gate_);
    }

    [[nodiscard]] explicit operator bool() const noexcept { return taken_; }

    /// Before the item is queued: makes it give the place back when it starts.
    template <class Closure>
    void give_to(Closure& item) const noexcept {
        if (gate_ != nullptr) [[unlikely]]
            item.run = &queue_place::leave_and_execute<Closure>;
    }
    /// It has been queued: the place is the item's now.
    void release() noexcept { gate_ = nullptr; }

private:
    queue_place(queue_gate* gate, bool taken) noexcept : gate_(gate), taken_(taken) {}

    template <class Closure>
    static void leave_and_execute(work_item* item) noexcept {
        leave_queue_of_this_worker();
        Closure::execute(item);
    }

    queue_gate* gate_;
    bool taken_;
};

}  // namespace coex::inline v0::detail
