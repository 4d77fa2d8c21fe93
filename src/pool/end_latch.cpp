#include <exec/pool/end_latch.hpp>

#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace coex::inline v0::detail {
namespace {

/// A thread outside all pools waits.
struct blocked_thread : end_latch::waiter {
    blocked_thread() noexcept : waiter{&blocked_thread::on_ended} {}

    static void on_ended(waiter* self, end_latch& latch) noexcept {
        auto& blocked = *static_cast<blocked_thread*>(self);
        // LIFETIME: told under the lock, so that the waiting thread can return only after this one has let go.
        const std::lock_guard lock(blocked.mutex);
        latch.set_ended();
        blocked.ended.notify_one();
    }

    std::mutex mutex;
    std::condition_variable ended;
};

bool is_worker_of(const pool_core& pool) noexcept {
    const worker* const here = worker::current();
    return here != nullptr && &here->pool() == &pool;
}

/// A worker waits, and works for its pool meanwhile.
struct waiting_worker : end_latch::waiter {
    explicit waiting_worker(worker& which) noexcept : waiter{&waiting_worker::on_ended}, self(which) {}

    static void on_ended(waiter* base, end_latch& latch) noexcept {
        worker& woken = static_cast<waiting_worker*>(base)->self;
        // LIFETIME: once the end is visible, the worker may return and its pool be destroyed: hold the pool until it is
        // woken. No pool goes before its own workers.
        std::optional<pool_core::visit> visit;
        if (!is_worker_of(woken.pool())) visit.emplace(woken.pool());
        latch.set_ended();
        woken.unpark();
    }
    static bool has_ended(void* latch) noexcept { return static_cast<end_latch*>(latch)->has_ended(); }

    worker& self;
};

}  // namespace

constinit end_latch::waiter end_latch::ended_{nullptr};

void end_latch::wait() noexcept {
    if (has_ended()) return;
    if (worker* const here = worker::current(); here != nullptr && here->may_help()) {
        const worker::nested_wait nested(*here);
        waiting_worker waiting(*here);
        if (try_wait(waiting)) here->work_until(&waiting_worker::has_ended, this);
        return;
    }
    blocked_thread blocked;
    if (!try_wait(blocked)) return;
    std::unique_lock lock(blocked.mutex);
    blocked.ended.wait(lock, [this] { return has_ended(); });
}

}  // namespace coex::inline v0::detail
