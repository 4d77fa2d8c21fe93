#include <exec/coro/run_loop.hpp>

#include "vocab/timer_set.hpp"

#include <exec/vocab/work_item.hpp>

#include <condition_variable>
#include <mutex>

namespace coex::inline v0 {

struct run_loop::state final : timer_service {
    std::mutex mutex;
    std::condition_variable changed;
    work_queue queue;               // OWNER: mutex
    bool finishing = false;         // OWNER: mutex
    bool deadline_changed = false;  // OWNER: mutex
    detail::timer_set armed;

    timer_clock::time_point now() noexcept override { return timer_clock::now(); }
    bool arm(timer_node& node) override {
        const auto result = armed.arm(node);
        if (result == detail::timer_set::arm_result::armed_earliest) {
            const std::lock_guard lock(mutex);
            deadline_changed = true;
            changed.notify_one();
        }
        return result != detail::timer_set::arm_result::refused;
    }
    void cancel(timer_node& node) noexcept override { armed.cancel(node); }

    work_item* next();
};

run_loop::run_loop() : state_(std::make_unique<state>()) {}
run_loop::~run_loop() = default;

void run_loop::run() noexcept {
    while (work_item* item = state_->next()) item->run(item);
}

work_item* run_loop::state::next() {
    for (;;) {
        armed.expire(now());
        std::unique_lock lock(mutex);
        if (work_item* item = queue.pop_front()) return item;
        if (finishing) return nullptr;
        deadline_changed = false;
        const auto deadline = armed.next_deadline();
        const auto woken = [this] { return !queue.empty() || finishing || deadline_changed; };
        if (deadline == timer_clock::time_point::max()) {
            changed.wait(lock, woken);
        } else {
            changed.wait_until(lock, deadline, woken);
        }
    }
}

void run_loop::finish() noexcept {
    // LIFETIME: notified under the lock, so that the loop can be destroyed only after this call has let go of it.
    const std::lock_guard lock(state_->mutex);
    state_->finishing = true;
    state_->changed.notify_one();
}

void run_loop::submit(work_item* item) noexcept {
    const std::lock_guard lock(state_->mutex);
    state_->queue.push_back(item);
    state_->changed.notify_one();
}

timer_service& run_loop::timers() noexcept {
    return *state_;
}

}  // namespace coex::inline v0
