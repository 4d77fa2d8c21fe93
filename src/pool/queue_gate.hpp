#pragma once

#include <exec/base/config.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace coex::inline v0::detail {

class worker;

/// Bounds how many tasks of a pool have been accepted and not started.
///
/// **Who waits for room, and how.** A thread outside all pools sleeps. A worker, of this pool or of another, works for
/// its own pool meanwhile. So nobody can wait in a circle: a full queue is emptied by the workers of its pool, also by
/// those that wait. A worker that cannot work (in a handler of its pool, or with little stack left for what it would
/// run) goes over the limit instead of waiting.
///
/// **No freed place is missed** [Q1]. Whoever waits first counts itself in `waiting_`, then tries `queued_`; whoever
/// leaves first counts down `queued_`, then looks at `waiting_`. All four are sequentially consistent, so either the
/// leaver sees somebody waiting, and tells under the mutex, or the one who begins to wait sees the place.
///
/// A place is not handed over but tried for anew by all who are told: one that was handed to a worker could lie buried
/// under the task that this worker runs meanwhile and that itself waits for a place. For the same reason all workers
/// that wait are told of a place, and not only the first.
///
/// Thread-safe: yes.
class queue_gate {
public:
    explicit queue_gate(std::size_t limit) noexcept : limit_(limit) {}
    queue_gate(const queue_gate&) = delete;
    queue_gate& operator=(const queue_gate&) = delete;

    [[nodiscard]] bool try_enter() noexcept;
    void enter() noexcept;
    void leave() noexcept {
        queued_.fetch_sub(1);
        if (waiting_.load() != 0) tell();  // the order of the two: [Q1]
    }

private:
    struct helper {
        worker& who;
        helper* next;
    };

    static bool has_room(void* self) noexcept;
    void sleep() noexcept;
    void help(worker& here) noexcept;
    void tell() noexcept;

    const std::size_t limit_;
    alignas(destructive_interference_bytes) std::atomic<std::size_t> queued_{0};  // accepted and not started
    std::atomic<std::size_t> waiting_{0};  // threads and workers that wait for room
    std::mutex mutex_;
    std::condition_variable room_;  // for threads outside
    helper* helpers_ = nullptr;     // OWNER: mutex_; the workers that wait
};

}  // namespace coex::inline v0::detail
