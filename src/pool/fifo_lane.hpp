#pragma once

#include <exec/base/assert.hpp>
#include <exec/vocab/work_item.hpp>

#include <mutex>

namespace coex::inline v0::detail {

/// Tasks that are to start in the order in which one worker spawned them, though they go through its deque, which is
/// last in, first out there.
///
/// The lane is itself an item, a *token*. For each task, the task is queued in the lane, and then the lane is pushed
/// on the deque; whoever takes the lane from the deque runs the oldest task that is queued. So the places in the deque
/// are those of the tasks, also between tasks of other kinds, but who takes which place is first in, first out.
///
/// There are never more tokens in the deque than tasks in the lane, as each task is queued before its token is pushed
/// and each token that was taken takes one. The same item may thus be in a deque many times, which never links it.
///
/// Thread-safe: yes. Lifetime: until the last of its tasks has been taken: whoever runs one has let go of the lane.
class fifo_lane final : public work_item {
public:
    fifo_lane() noexcept : work_item(&fifo_lane::run_oldest) {}

    /// Queues a task. The caller pushes the lane on its deque after that.
    void push(work_item* task) noexcept {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(task);
    }

    /// What running `item`, taken from a deque, would run: the item, or of a token the oldest task of its lane, which
    /// is thereby taken.
    [[nodiscard]] static work_item* task_of(work_item* item) noexcept {
        return item->run == &fifo_lane::run_oldest ? static_cast<fifo_lane*>(item)->pop() : item;
    }

private:
    static void run_oldest(work_item* token) noexcept {
        work_item* const task = static_cast<fifo_lane*>(token)->pop();
        task->run(task);
        // LIFETIME: the lane may be gone.
    }

    work_item* pop() noexcept {
        const std::lock_guard lock(mutex_);
        work_item* const task = tasks_.pop_front();
        COEX_ASSERT(task != nullptr, "a token of a lane found no task");
        return task;
    }

    std::mutex mutex_;
    work_queue tasks_;  // OWNER: mutex_
};

}  // namespace coex::inline v0::detail
