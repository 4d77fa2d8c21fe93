#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <exec/vocab/timer.hpp>

#include <sched.h>

#include <algorithm>
#include <chrono>

// How a worker falls asleep, is woken, and leaves a pool that has grown: the protocol of idle.md.

namespace coex::inline v0::detail {
namespace {

// A worker that shares a processor with those who give it work spins for so much of each period.
constexpr std::chrono::milliseconds crowded_spinning{10};  // some ticks of the kernel
constexpr std::chrono::milliseconds crowded_period{200};

}  // namespace

void worker::wake() noexcept {
    // ORDER: relaxed; a hint, and published by unpark().
    waker_cpu_.store(sched_getcpu(), std::memory_order_relaxed);
    unpark();
}

// While this worker spins on the processor of the thread that makes its work, that thread cannot run. So it falls
// asleep at once, until it is woken from another processor. But the kernel moves one of the two to an idle processor
// only when a tick finds both of them running or ready, as they are while one spins: now and then a worker spins
// nevertheless.
void worker::note_waker() noexcept {
    // ORDER: relaxed; a stale value costs a search that is too long or too short.
    const bool crowded = waker_cpu_.load(std::memory_order_relaxed) == sched_getcpu();
    waker_cpu_.store(-1, std::memory_order_relaxed);
    spins_ = true;
    if (!crowded) {
        crowded_since_ = {};
        return;
    }
    const auto now = timer_clock::now();
    if (crowded_since_ == timer_clock::time_point{}) crowded_since_ = now;
    spins_ = (now - crowded_since_) % crowded_period < crowded_spinning;
}

// How often the worker looks everywhere before it falls asleep.
unsigned worker::rounds_of_search() const noexcept {
    if (!spins_) return 1;
    const bool in_vain = awaits_completions() && !search_pace_.should_look_around();
    return in_vain ? 1 : pool_.search_rounds();
}

void worker::note_search_in_vain(unsigned rounds) noexcept {
    if (rounds > 1) {
        search_pace_.note_failure();
    } else {
        search_pace_.note_left_out();
    }
}

// In a futex there is nothing to submit: no such parker was installed.
bool worker::awaits_completions() const noexcept {
    return installed_ != nullptr && installed_->awaits_something();
}

// Only who will most likely sleep at once leaves to park() what a poll() could submit: a system call less.
parker::submission worker::submission_before_search() const noexcept {
    const bool sleeps_next = installed_ != nullptr && rounds_of_search() == 1 && !pool_.has_visible_work();
    return sleeps_next ? parker::submission::may_wait : parker::submission::now;
}

// Returns false when the worker must not search on: it is done, or has left.
bool worker::sleep(predicate done, void* argument, timer_clock::time_point& leave_at) noexcept {
    const auto deadline = std::min(leave_at, pool_.idle().announce_sleep(*this, pool_.timers_armed()));
    pool_.demand_attention();
    if (!pool_.has_visible_work() && !has_share() && !done(argument)) {
        if (pool_.draining()) pool_.try_terminate();
        if (!done(argument)) {
            count(counters_.parked);
            pool_.observed().worker_parked(index_);
            parker_.load()->park(deadline);
            pool_.observed().worker_woken(index_);
            note_waker();
            pace_.note_gap();
            if (leave_at != timer_clock::time_point::max() && timer_clock::now() >= leave_at) {
                if (try_leave()) return false;
                leave_at = time_to_leave(done);  // something in flight needs the thread: it sleeps on meanwhile
            }
        }
    }
    pool_.idle().retract_sleep(*this);
    return !done(argument);
}

// Only from the bottom of its stack, and only what the pool grew by.
timer_clock::time_point worker::time_to_leave(predicate done) const noexcept {
    const pool_options& options = pool_.options();
    if (index_ < options.threads || done != &has_terminated) return timer_clock::time_point::max();
    const auto now = timer_clock::now();
    // Compared in milliseconds: the longest that can be asked for are more than the clock's own unit can hold.
    const auto longest = std::chrono::floor<std::chrono::milliseconds>(timer_clock::time_point::max() - now);
    return options.keep_alive < longest ? now + options.keep_alive : timer_clock::time_point::max();
}

// The worker has announced sleep, and its queues are empty. While the pool drains nobody leaves: were the end found at
// this moment, with this worker among the sleepers, then nobody would be left for what its stop handler posts.
bool worker::try_leave() noexcept {
    if (!parker_.load()->lets_thread_end()) return false;
    if (!pool_.idle().try_leave(*this, [this] { return !pool_.draining(); })) return false;
    left_ = true;
    pool_.idle().keep_time(pool_.timers_armed());  // in its place, if it did
    return true;
}

bool worker::has_terminated(void* pool) {
    return static_cast<pool_core*>(pool)->terminated();
}

}  // namespace coex::inline v0::detail
