#pragma once

#include <exec/base/config.hpp>
#include <exec/base/heap_array.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <cstdint>

namespace coex::inline v0 {

class execution_context;

namespace detail {

/// What a fork_deque needs to know of the workers around it.
class fork_listener {
public:
    fork_listener() = default;
    fork_listener(const fork_listener&) = delete;
    fork_listener& operator=(const fork_listener&) = delete;

    /// Jobs have been published on the calling thread's deque, and requests are heard again: wakes somebody if need be.
    virtual void jobs_published() noexcept = 0;

protected:
    ~fork_listener() = default;
};

/// The jobs that a thread has forked and not yet joined. The owner pushes and pops at the bottom, thieves take at the
/// top; as long as no thief asks, neither push nor pop executes an atomic read-modify-write, a fence or a branch that
/// is taken.
///
/// The jobs are strictly nested: what was pushed last is popped first, by its index, by the thread that pushed it.
///
/// **How it works.** A split deque, as Lace's (T. van Dijk and J. van de Pol, "Lace: non-blocking split deque for
/// work-stealing", 2014): the jobs [top, verified) are public, the rest are private to the owner. The owner's pop takes
/// a job at or above `guard` (never below `verified`) with plain stores; below, it must agree with the thieves. Private
/// jobs become public in two ways:
///  - *on request*: a thief that finds nothing lowers `limit`. The owner's next push compares with `limit` anyhow (it
///    also tells when the slots are full), goes the slow way and publishes the older half of what it has;
///  - *by force*, when the owner computes and pushes nothing: a thief raises `guard`, makes sure by membarrier(2) that
///    the owner has seen that or that it sees the owner's last pop, and then raises `verified`.
///
/// The words `guard` and `verified` share one atomic, `split_`: verified, and above it how far guard is ahead, which is
/// nothing except while somebody forces. Indices never wrap: a job may be joined long after it was stolen, when any
/// number of others has been pushed and stolen, and its index must then still be told from theirs.
///
/// **No job runs twice** [F1]. Let a thief take index t: it read top == t, then a state G of split_ with verified > t,
/// then the slot, and its compare-exchange of top from t to t + 1 succeeded.
///  - Against a slow pop S of index t. S first lowers split_ to t, then reads top (all seq_cst). If S lowered after G
///    in the order of split_, then S's read of top comes after the thief's, gives t or more, and S takes the job only
///    by the same compare-exchange: one of the two fails. If S lowered before G, then split_ was raised over t again
///    after S, for a later job at this index: see below.
///  - Against a fast pop F of index t, which stored bottom = t and then read a state of split_ with guard <= t. If that
///    state is newer than G, verified was lowered to t or less in between, by a slow pop; then t itself was popped
///    slowly after G, and the case above has decided. If it is older (or F's load was stale), guard was raised over t
///    later: by the owner, after F in its own order, when another job is at t; or by a forcer. A forcer raises guard,
///    then calls membarrier, then reads bottom, then moves both to at most that bottom, unless split_ has changed. If F
///    read its state before the barrier, its store of bottom is visible to the forcer: verified stays at or below t, or
///    another job is at t. If after, it saw guard > t and was no fast pop.
///  - A forcer may find verified below top, and raises it to top at once: no exchange from an index below top succeeds.
///  - The slot: the thief's load of split_ acquires what the owner (or the forcer, which had acquired bottom) released,
///    so it sees the job at t as of G or a later one; a later one would have needed a pop of t after G, and then the
///    exchange fails. Slot t is overwritten by index t + capacity only when top has passed t.
///
/// **No job is lost.** Each index is given back by exactly one of the owner's pop and the exchange of top.
///
/// **No job is hidden from a worker that is about to sleep** [F2]: see src/pool/idle.md.
///
/// OWNER: push, pop: the thread that made itself the owner. The rest: any thread.
class fork_deque {
public:
    explicit fork_deque(execution_context& home, fork_listener& listener);
    fork_deque(const fork_deque&) = delete;
    fork_deque& operator=(const fork_deque&) = delete;

    /// Where the jobs may run.
    [[nodiscard]] const execution_context* home() const noexcept { return home_; }

    /// How many jobs may be pushed before this_thread_forks is read again, which is null as soon as the deque is full.
    static constexpr std::uint64_t margin = 64;

    /// Adds a job and returns its index.
    std::uint64_t push(work_item* job) noexcept {
        // ORDER: relaxed; only this thread writes bottom_.
        const std::uint64_t index = bottom_.load(std::memory_order_relaxed);
        // ORDER: relaxed; published by the store of bottom_ below and by split_ [F1].
        slots_[index % capacity].store(job, std::memory_order_relaxed);
        // ORDER: release; pairs with the acquire loads of bottom_ in force() [F1] and has_jobs(): the job and its slot.
        bottom_.store(index + 1, std::memory_order_release);
        // The load below must not be compiled to come before the store: the other side uses membarrier [F2].
        std::atomic_signal_fence(std::memory_order_seq_cst);
        // ORDER: relaxed; see [F2]: a thread that must be heard stores limit_ and then uses membarrier.
        if (index + 1 >= limit_.load(std::memory_order_relaxed)) [[unlikely]]
            pushed_on_request();
        return index;
    }

    /// Publishes the older half of the jobs if somebody asked since the last push: for a loop that pushes seldom. There
    /// must be a job.
    void answer() noexcept {
        // ORDER: relaxed; as in push(). What is missed here is seen the next time, or forced.
        if (limit_.load(std::memory_order_relaxed) <= requested) [[unlikely]]
            pushed_on_request();
    }

    /// Takes the job at `index` back; it must be the youngest that has not been popped. Returns false when a thief has
    /// it.
    [[nodiscard]] bool pop(std::uint64_t index) noexcept {
        // ORDER: release; a forcer may read this in place of the push before it, and needs the slots below [F1].
        bottom_.store(index, std::memory_order_release);
        // The load below must not be compiled to come before the store: the other side uses membarrier [F1].
        std::atomic_signal_fence(std::memory_order_seq_cst);
        // ORDER: relaxed; a stale guard is excluded by membarrier in force(), or else is this thread's own [F1].
        const std::uint64_t split = split_.load(std::memory_order_relaxed);
        // The whole word: it is guard, or while somebody forces more than any index, and then pop_public() decides.
        if (index >= split) [[likely]]
            return true;
        return pop_public(index);
    }

    /// Takes the oldest public job, or returns null. `contended` is set when another thread was faster.
    [[nodiscard]] work_item* steal(bool& contended) noexcept;

    /// True when there are jobs, public or not. Any thread; stale, except as [F2] says.
    [[nodiscard]] bool has_jobs() const noexcept { return size() != 0; }
    [[nodiscard]] std::uint64_t size() const noexcept {
        const std::uint64_t top = top_.load();
        const std::uint64_t bottom = bottom_.load();
        return bottom > top ? bottom - top : 0;
    }

    /// Makes all jobs public. Owner only.
    void publish_all() noexcept {
        // ORDER: relaxed; only this thread writes bottom_.
        publish(bottom_.load(std::memory_order_relaxed));
    }

    /// Asks the owner to publish at its next push.
    void request() noexcept {
        // ORDER: relaxed; a hint. Overwriting `attention` does no harm: both send the owner the slow way.
        if (limit_.load(std::memory_order_relaxed) > requested) limit_.store(requested, std::memory_order_relaxed);
    }

    /// Makes the owner's next push go the slow way, for somebody who is about to sleep. Returns true when that was
    /// already so; otherwise the caller must call process_wide_barrier() before it looks at the jobs [F2].
    [[nodiscard]] bool demand_attention() noexcept {
        return limit_.load() == attention || limit_.exchange(attention) == attention;
    }

    /// Publishes the jobs of an owner that does not answer. Returns false when there was nothing to publish, or
    /// somebody else is at it.
    bool force() noexcept;

    /// A number that changes when jobs are published or stolen: it tells whether a request was left unanswered. That
    /// the owner takes jobs back is no answer.
    [[nodiscard]] std::uint64_t progress() const noexcept { return split_.load() ^ (top_.load() << 32); }

    /// Makes the deque that of the calling thread, or `nullptr`: of none.
    static void bind_to_this_thread(fork_deque* forks) noexcept;

    /// Opens the calling thread's deque again after it was full. Returns it, or null: there is none, or it is full.
    COEX_NOINLINE static fork_deque* reopen() noexcept;

private:
    friend struct fork_deque_access;  // for tests: indices that take hours to reach

    static constexpr std::uint64_t capacity = 4096;
    static constexpr std::uint64_t attention = 0;  // values of limit_ that every push reaches
    static constexpr std::uint64_t requested = 1;

    // The parts of split_. Guard is at most `capacity` ahead; 2^51 indices last for years.
    static constexpr unsigned index_bits = 51;
    static constexpr std::uint64_t verified_of(std::uint64_t split) noexcept {
        return split & ((std::uint64_t{1} << index_bits) - 1);
    }
    static constexpr std::uint64_t guard_of(std::uint64_t split) noexcept {
        return verified_of(split) + (split >> index_bits);
    }
    static constexpr std::uint64_t join(std::uint64_t guard, std::uint64_t verified) noexcept {
        return ((guard - verified) << index_bits) | verified;
    }

    COEX_NOINLINE void pushed_on_request() noexcept;
    COEX_NOINLINE bool pop_public(std::uint64_t index) noexcept;
    void publish(std::uint64_t end) noexcept;

    // Written by the owner at every push and pop.
    alignas(destructive_interference_bytes) std::atomic<std::uint64_t> bottom_{0};
    std::atomic<std::uint64_t> split_{0};  // verified, and how far guard is ahead; written by the owner and one forcer
    const heap_array<std::atomic<work_item*>> slots_;
    execution_context* const home_;
    fork_listener* const listener_;

    // Lowered by thieves and sleepers, raised by the owner. At first everything is told: nobody knows who sleeps.
    alignas(destructive_interference_bytes) std::atomic<std::uint64_t> limit_{attention};

    // Written by whoever takes from the top.
    alignas(destructive_interference_bytes) std::atomic<std::uint64_t> top_{0};
    std::atomic<bool> forcing_{false};  // a try-lock: one forcer at a time
};

/// The calling thread's deque; null outside of pools.
extern constinit thread_local fork_deque* this_worker_forks __attribute__((tls_model("initial-exec")));

/// The same for pushing: null also while the deque is full.
///
/// In a coroutine it may be read directly only where no suspension lies between the read and the use. The declared
/// model makes the read one instruction, also in a shared library.
extern constinit thread_local fork_deque* this_thread_forks __attribute__((tls_model("initial-exec")));

}  // namespace detail
}  // namespace coex::inline v0
