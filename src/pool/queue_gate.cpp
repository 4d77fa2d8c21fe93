#include "pool/queue_gate.hpp"

#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <exec/coro/coroutine_base.hpp>
#include <exec/pool/queue_place.hpp>

namespace coex::inline v0::detail {

bool queue_gate::try_enter() noexcept {
    std::size_t queued = queued_.load();
    while (queued < limit_) {
        if (queued_.compare_exchange_weak(queued, queued + 1)) return true;
    }
    return false;
}

void queue_gate::enter() noexcept {
    if (try_enter()) return;
    worker* const here = worker::current();
    if (here == nullptr) {
        sleep();
    } else if (here->may_help() && !stack_is_deep()) {
        help(*here);
    } else {
        queued_.fetch_add(1);
    }
}

void queue_gate::sleep() noexcept {
    std::unique_lock lock(mutex_);
    waiting_.fetch_add(1);
    room_.wait(lock, [this] { return try_enter(); });  // only now: [Q1]
    waiting_.fetch_sub(1);
}

void queue_gate::help(worker& here) noexcept {
    const worker::nested_wait nested(here);
    helper self{here, nullptr};
    {
        const std::lock_guard lock(mutex_);
        self.next = helpers_;
        helpers_ = &self;
        waiting_.fetch_add(1);
    }
    while (!try_enter()) here.work_until(&queue_gate::has_room, this);  // only now: [Q1]
    const std::lock_guard lock(mutex_);
    waiting_.fetch_sub(1);
    helper** link = &helpers_;
    while (*link != &self) link = &(*link)->next;
    *link = self.next;
}

bool queue_gate::has_room(void* self) noexcept {
    const auto& gate = *static_cast<queue_gate*>(self);
    return gate.queued_.load() < gate.limit_;
}

// LIFETIME: a worker of another pool is in the list, and its pool lives, until it takes itself out under the mutex.
void queue_gate::tell() noexcept {
    const std::lock_guard lock(mutex_);
    room_.notify_one();
    for (const helper* each = helpers_; each != nullptr; each = each->next) each->who.unpark();
}

void enter_queue(queue_gate& gate) noexcept {
    gate.enter();
}

bool try_enter_queue(queue_gate& gate) noexcept {
    return gate.try_enter();
}

void leave_queue(queue_gate& gate) noexcept {
    gate.leave();
}

void leave_queue_of_this_worker() noexcept {
    worker& here = *worker::current();
    here.pool().gate()->leave();
    here.note_past_gate();
}

}  // namespace coex::inline v0::detail
