#pragma once

#include <exec/base/config.hpp>
#include <exec/vocab/timer.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace coex::inline v0::detail {

class futex_parker;
class timer_set;
class worker;

/// Which workers of a pool search for work and which sleep, and whom to wake: the protocol of idle.md.
///
/// Thread-safe: yes.
class idle_set {
public:
    /// `counts` starts at zero, and belongs to the set from then on. The workers may become `most`.
    idle_set(std::atomic<std::uint64_t>& counts, std::size_t workers, std::size_t most)
        : counts_(counts), workers_(workers) {
        sleepers_.reserve(most);
    }
    idle_set(std::atomic<std::uint64_t>& counts, unsigned workers) : idle_set(counts, workers, workers) {}

    /// The worker found nothing in its own queues and begins to look everywhere.
    void begin_search() noexcept { counts_.fetch_add(one_searching); }

    /// The searching worker found something. Returns true when it was the last that searched and somebody sleeps: it
    /// must then look whether more work is there and wake another for it, and otherwise call `keep_time()`.
    [[nodiscard]] bool end_search() noexcept {
        const std::uint64_t counts = counts_.fetch_sub(one_searching);
        return counts >> searching_shift == 1 && (counts & sleeping_mask) != 0;
    }

    /// The searching worker found nothing: it counts as asleep from here on. It must look at all queues once more, and
    /// may then park until the returned deadline.
    [[nodiscard]] timer_clock::time_point announce_sleep(worker& sleeper, const timer_set& timers) noexcept;

    /// The worker is awake again and searches, whoever woke it.
    void retract_sleep(worker& sleeper) noexcept;

    /// Work has been made available: wakes a sleeper, unless somebody searches already or nobody sleeps.
    void notify_one() noexcept {
        if (wants_waking()) wake_one();
    }

    /// True when somebody sleeps and nobody searches.
    [[nodiscard]] bool wants_waking() const noexcept {
        const std::uint64_t counts = counts_.load();
        return counts >> searching_shift == 0 && (counts & sleeping_mask) != 0;
    }

    [[nodiscard]] bool any_asleep() const noexcept { return (counts_.load() & sleeping_mask) != 0; }

    /// An earlier deadline has been armed: some sleeper must learn of it.
    void notify_deadline() noexcept;

    /// The last searcher found something: if a timer is armed and nobody keeps the time, a sleeper must.
    void keep_time(const timer_set& timers) noexcept;

    /// Makes every sleeper look again.
    void wake_all() noexcept;

    // --- for pools that grow (idle.md, "More workers for a while") -------------------------------------------------

    /// The watcher is about to sleep: it is woken like a worker, when there is no sleeper to be woken. It must look at
    /// all queues once more before it parks.
    void announce_watcher(futex_parker& watcher) noexcept;
    /// It is awake, whoever woke it.
    void retract_watcher() noexcept;

    [[nodiscard]] bool everybody_is_busy() const noexcept { return counts_.load() == 0; }

    /// The pool has one worker more, or one less: one that has not begun, or has left and ended.
    void add_worker() noexcept;
    void remove_worker() noexcept;
    /// The worker that has announced sleep begins to leave the pool, unless it has been woken, or `may_leave()` is
    /// false: then it must search. That is asked while nobody can find that all are asleep.
    template <class Condition>
    [[nodiscard]] bool try_leave(worker& sleeper, Condition may_leave) noexcept {
        const std::lock_guard lock(mutex_);
        return may_leave() && take_off_for_good(sleeper);
    }
    [[nodiscard]] std::size_t workers() const noexcept;

    /// Calls `condition()` while all workers are asleep and none can wake: a sleeper that woke by itself must take the
    /// lock before it takes work. Returns whether all slept and the condition held.
    template <class Condition>
    [[nodiscard]] bool all_asleep_and(Condition condition) noexcept {
        const std::lock_guard lock(mutex_);
        return sleepers_.size() == workers_ && condition();
    }

private:
    static constexpr unsigned searching_shift = 32;
    static constexpr std::uint64_t one_searching = std::uint64_t{1} << searching_shift;
    static constexpr std::uint64_t sleeping_mask = one_searching - 1;

    void wake_one() noexcept;
    [[nodiscard]] bool take_off_for_good(worker& sleeper) noexcept;

    // Searching workers in the upper half, sleeping ones in the lower. The lower half changes only under mutex_.
    std::atomic<std::uint64_t>& counts_;
    mutable std::mutex mutex_;
    std::size_t workers_;              // OWNER: mutex_
    futex_parker* watcher_ = nullptr;  // OWNER: mutex_; the watcher, while it sleeps: it counts as one that sleeps
    std::vector<worker*> sleepers_;    // OWNER: mutex_; the last to fall asleep is the last: its caches are warmest
    worker* timekeeper_ = nullptr;     // OWNER: mutex_; the sleeper that parks until the earliest deadline
};

}  // namespace coex::inline v0::detail
