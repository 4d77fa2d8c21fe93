#include <exec/coro/run_loop.hpp>

#include "vocab/timer_set.hpp"

#include <exec/vocab/work_item.hpp>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>

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

run_loop::run_loop() {
    static_assert(sizeof(state) <= state_bytes && alignof(state) <= alignof(std::max_align_t));
    ::new (static_cast<void*>(storage_)) state;
}
run_loop::~run_loop() {
    std::destroy_at(&own());
}

run_loop::state& run_loop::own() noexcept {
    return *std::launder(reinterpret_cast<state*>(storage_));
}

void run_loop::run() noexcept {
    state& here = own();
    while (work_item* item = here.next()) item->run(item);
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
    state& here = own();
    const std::lock_guard lock(here.mutex);
    here.finishing = true;
    here.changed.notify_one();
}

void run_loop::submit(work_item* item) noexcept {
    state& here = own();
    const std::lock_guard lock(here.mutex);
    here.queue.push_back(item);
    here.changed.notify_one();
}

timer_service& run_loop::timers() noexcept {
    return own();
}

}  // namespace coex::inline v0
