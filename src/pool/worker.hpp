#pragma once

#include "pool/fifo_lane.hpp"
#include "pool/futex_parker.hpp"
#include "pool/injector.hpp"
#include "pool/intake_pace.hpp"
#include "pool/priority_level.hpp"
#include "pool/ready_queue.hpp"
#include "pool/search_pace.hpp"
#include "pool/work_deque.hpp"

#include <exec/base/config.hpp>
#include <exec/vocab/fork_deque.hpp>
#include <exec/vocab/timer.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace coex::inline v0::detail {

class pool_core;

/// A thread of a pool: its queues, how it sleeps, and the loop that finds and runs work.
///
/// OWNER: its own thread, unless said otherwise.
class worker final : fork_listener {
public:
    worker(pool_core& pool, unsigned index);
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// The worker that the calling thread is, or null. Not inlined: in a coroutine, a compiler could keep the answer
    /// across a suspension.
    COEX_NOINLINE static worker* current() noexcept;

    [[nodiscard]] pool_core& pool() const noexcept { return pool_; }
    [[nodiscard]] unsigned index() const noexcept { return index_; }

    /// The body of the thread: runs work until the pool has terminated.
    void run() noexcept;

    /// True when `run()` returned because the worker had nothing to do for `pool_options::keep_alive`, and the pool has
    /// workers enough. Its place, with all that belongs to it, waits for another thread.
    [[nodiscard]] bool has_left() const noexcept { return left_; }

    /// Makes the calling thread, which goes on with something else, this worker.
    void adopt_this_thread() noexcept;
    /// Runs work on the adopted thread until the pool has terminated. Then the thread is no worker any more.
    void work_to_the_end() noexcept;

    /// True while an item runs. Own thread only.
    [[nodiscard]] bool inside_task() const noexcept {
        // ORDER: relaxed; only the own thread writes it.
        return counters_.running.load(std::memory_order_relaxed) != phase::no;
    }

    /// Runs work of the pool until `done(argument)`; something must `unpark()` the worker after that became true.
    void work_until(bool (*done)(void*), void* argument) noexcept;

    /// Runs one item, whatever there is for it to do, if there is anything. Own thread only.
    bool run_one() noexcept;
    /// The same for what only this worker should do: its own newest task or job, or its share of a broadcast.
    bool run_one_of_its_own() noexcept;
    /// True when the worker has spawned or forked what nobody has taken yet.
    [[nodiscard]] bool has_pending_tasks() const noexcept { return !deque_.empty() || forks_.has_jobs(); }

    /// Takes a plain task: the last one taken is run first, thieves take the oldest. Own thread only.
    void push_task(work_item* item) { deque_.push(item); }
    /// The same through a lane of this worker: its tasks start in order.
    void push_task(fifo_lane& lane, work_item* item) {
        deque_.make_room();
        lane.push(item);
        deque_.push(&lane);
    }
    /// The lane of those that belong to no scope. Own thread only.
    [[nodiscard]] fifo_lane& lane() noexcept { return lane_; }
    /// Takes a share of a broadcast, which no other worker may run. Any thread; then it must be woken.
    void push_share(work_item* item) noexcept { shares_.push(item); }
    /// Takes a coroutine that is ready: run in order. Own thread only.
    [[nodiscard]] bool try_push_ready(work_item* item) noexcept { return ready_.try_push(item); }

    /// From its next item on, the worker looks at the levels beside the normal one for each. Any thread.
    void look_at_levels() noexcept {
        // ORDER: relaxed; a late look costs one of the other level its turn, and who searches looks at all levels.
        turn_mask_.store(0, std::memory_order_relaxed);
    }

    /// While the worker collects completions it will take one of them itself: no wake-up for the first. Own thread
    /// only.
    [[nodiscard]] bool collecting() const noexcept { return collecting_; }

    /// Ends the present or next sleep. Any thread.
    void unpark() noexcept;

    /// The same, by a thread that has work for it.
    void wake() noexcept;

    /// Replaces the way of sleeping. Own thread only. The former parker stays valid, as a late waker may still call it.
    void install_parker(std::unique_ptr<parker> replacement) noexcept {
        installed_ = std::move(replacement);
        parker_.store(installed_.get());
    }

    /// False while one of the user's handlers runs: there is no loop yet, or no more, that a waiting handler could run.
    /// Own thread only.
    [[nodiscard]] bool may_help() const noexcept { return may_help_; }

    /// The jobs that this worker has forked and not joined.
    [[nodiscard]] fork_deque& forks() noexcept { return forks_; }

    /// Whether the worker runs an item, and whether that is one that a queue_gate counted, and counts no more.
    enum class phase : unsigned char { no, begun, past_gate };

    /// The item that has begun has given back its place in the queue. Own thread only.
    void note_past_gate() noexcept {
        // ORDER: release; pairs with the acquire in runs_past_gate(): who sees this sees the place free.
        counters_.running.store(phase::past_gate, std::memory_order_release);
    }
    /// True when the worker runs an item. In a pool with a gate one that has just begun may be about to give back its
    /// place: that is waited for, a while, as most items were counted.
    [[nodiscard]] bool runs_past_gate(bool has_gate) const noexcept;

    /// True when one of the queues holds something. Any thread.
    [[nodiscard]] bool has_work() const noexcept { return !deque_.empty() || !ready_.empty() || forks_.has_jobs(); }
    [[nodiscard]] bool has_share() const noexcept { return !shares_.empty(); }
    [[nodiscard]] std::size_t queued() noexcept { return deque_.size() + ready_.size() + shares_.size(); }

    /// Counts that the worker waits inside a task and works meanwhile: asleep or not, its task has not ended. Own
    /// thread only.
    class nested_wait {
    public:
        explicit nested_wait(worker& self) noexcept : self_(self) { self_.add_nested_wait(1); }
        nested_wait(const nested_wait&) = delete;
        nested_wait& operator=(const nested_wait&) = delete;
        ~nested_wait() { self_.add_nested_wait(-1); }

    private:
        worker& self_;
    };
    /// To be asked of a worker that is asleep.
    [[nodiscard]] bool waits_inside_a_task() const noexcept {
        // ORDER: relaxed; the worker has announced its sleep since, and the announcements have a mutex.
        return nested_waits_.load(std::memory_order_relaxed) != 0;
    }

    struct counters {
        std::atomic<std::uint64_t> executed{0};
        std::atomic<std::uint64_t> stolen{0};
        std::atomic<std::uint64_t> parked{0};
        std::atomic<phase> running{phase::no};
    };
    /// Written by the own thread, read by any.
    [[nodiscard]] const counters& statistics() const noexcept { return counters_; }

private:
    using predicate = bool (*)(void*);

    // A worker prefers the newest of its own tasks. So that nothing starves meanwhile, every 8th item comes from the
    // ready queue (which work from outside enters in its order), or once in 64 from the old end of the deque; as often
    // the worker looks at completions and timers, and at its share of broadcasts. An outside post thus starts after at
    // most 16 other items, and 9 more for each one that waits before it in the ready queue or the injector; a share
    // after at most 64, and 64 more for each one before it.
    static constexpr std::uint32_t items_per_turn = 8;
    static constexpr std::uint32_t items_per_round = 64;

    void work(work_item* (worker::*take)() noexcept) noexcept;
    void begin_work() noexcept;
    void end_work() noexcept;
    [[nodiscard]] work_item* next_until_termination() noexcept;
    void work_on_this_stack_until(predicate done, void* argument) noexcept;
    void wait_without_helping(predicate done, void* argument) noexcept;
    [[nodiscard]] work_item* next_left_over() noexcept;
    void execute(work_item* item) noexcept;
    void execute_observed(work_item* item) noexcept;
    void execute_and_tell(work_item* item) noexcept;
    void call(const std::function<void(unsigned)>& handler) noexcept;
    [[nodiscard]] work_item* next(predicate done, void* argument) noexcept;
    enum class afterwards : unsigned char { searches, goes_on };
    /// `then`: what the caller does when there is nothing.
    [[nodiscard]] work_item* next_own(afterwards then) noexcept;
    [[nodiscard]] work_item* take_in_turn() noexcept;
    [[nodiscard]] work_item* take_by_priority() noexcept;
    [[nodiscard]] work_item* take_high() noexcept;
    [[nodiscard]] work_item* take_low() noexcept;
    [[nodiscard]] work_item* take_normal_in_turn() noexcept;
    std::size_t admit_injected() noexcept;
    void admit_stream() noexcept;
    [[nodiscard]] work_item* take_share() noexcept;
    [[nodiscard]] work_item* take_ready() noexcept;
    [[nodiscard]] work_item* take_ready_and_tell() noexcept;
    [[nodiscard]] bool is_done_soon(predicate done, void* argument) noexcept;
    [[nodiscard]] work_item* search(predicate done, void* argument) noexcept;
    [[nodiscard]] work_item* look_everywhere() noexcept;
    [[nodiscard]] work_item* steal() noexcept;
    [[nodiscard]] work_item* take_own_fork() noexcept;
    void ask_for_forks() noexcept;
    void jobs_published() noexcept override;
    void note_waker() noexcept;
    [[nodiscard]] bool awaits_completions() const noexcept;
    [[nodiscard]] unsigned rounds_of_search() const noexcept;
    void note_search_in_vain(unsigned rounds) noexcept;
    [[nodiscard]] parker::submission submission_before_search() const noexcept;
    static bool has_terminated(void* pool);
    [[nodiscard]] bool sleep(predicate done, void* argument, timer_clock::time_point& leave_at) noexcept;
    [[nodiscard]] timer_clock::time_point time_to_leave(predicate done) const noexcept;
    [[nodiscard]] bool try_leave() noexcept;
    bool collect(parker::submission when) noexcept;
    template <class Counter>
    static void count(Counter& counter) noexcept {
        // ORDER: relaxed; one writer, and readers want an estimate.
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void add_nested_wait(int change) noexcept {
        // ORDER: relaxed; one writer, and see waits_inside_a_task().
        nested_waits_.store(nested_waits_.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
    }
    void found() noexcept;
    void let_others_run(std::chrono::microseconds& nap) noexcept;
    [[nodiscard]] std::uint32_t next_random() noexcept {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 17;
        random_ ^= random_ << 5;
        return random_;
    }

    pool_core& pool_;
    const unsigned index_;
    std::uint32_t random_;
    std::uint32_t tick_ = 0;
    std::atomic<std::uint32_t> turn_mask_{items_per_turn - 1};  // bits of tick_: when they are 0, it is a turn
    level_turns turns_;
    intake_pace pace_;
    search_pace search_pace_;
    bool collecting_ = false;
    bool may_help_ = false;
    bool spins_ = true;  // looks around for a while before it falls asleep
    timer_clock::time_point crowded_since_{};
    std::atomic<int> waker_cpu_{-1};  // the processor of the thread that woke this worker for work, since it was asked
    bool left_ = false;
    std::atomic<int> nested_waits_{0};
    counters counters_;

    work_deque deque_;
    ready_queue ready_;
    fork_deque forks_;
    injector shares_;
    fifo_lane lane_;

    // The peer whose jobs this worker sees and cannot take, and since when it has not answered.
    struct {
        std::size_t peer = 0;
        std::uint64_t progress = 0;
        timer_clock::time_point since{};
    } unanswered_;

    futex_parker futex_;
    std::unique_ptr<parker> installed_;
    std::atomic<parker*> parker_{&futex_};  // written by the own thread; seq_cst, see the end of work_until()
};

}  // namespace coex::inline v0::detail
