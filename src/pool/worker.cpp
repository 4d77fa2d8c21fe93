#include "pool/worker.hpp"

#include "pool/cpu_pause.hpp"
#include "pool/fifo_lane.hpp"
#include "pool/pool_core.hpp"
#include "pool/spare_stack.hpp"

#include <exec/base/assert.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/coro/coroutine_base.hpp>

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace coex::inline v0::detail {
namespace {

constexpr unsigned rounds_of_a_gap = 4;        // without work from outside: what comes then is no stream
constexpr unsigned most_looks_at_gate = 1000;  // an item that was not counted never tells that it is past the gate
constexpr std::chrono::microseconds shortest_nap{50};
constexpr std::chrono::nanoseconds nearly_done{150};  // a peer that ends what is waited for needs about as long

thread_local worker* this_worker = nullptr;

}  // namespace

worker::worker(pool_core& pool, unsigned index)
    : pool_(pool), index_(index), random_(index * 2654435761U + 1), forks_(pool, *this) {}

worker* worker::current() noexcept {
    return this_worker;
}

void worker::run() noexcept {
    this_worker = this;
    left_ = false;
    pool_.observed().worker_started(index_);
    call(pool_.options().on_thread_start);
    work(&worker::next_until_termination);
    call(pool_.options().on_thread_stop);
    // What that function has posted to its own pool: at the end nobody else may be left to run it. Who has left leaves
    // it to the others, who see it in its queues: it would wait and begin operations on a thread that is to end.
    if (!left_) work(&worker::next_left_over);
    pool_.observed().worker_stopped(index_);
    this_worker = nullptr;
}

void worker::work(work_item* (worker::*take)() noexcept) noexcept {
    begin_work();
    if (pool_.observed().wanted()) {
        while (work_item* item = (this->*take)()) execute_observed(item);
    } else {
        while (work_item* item = (this->*take)()) execute(item);
    }
    end_work();
}

void worker::begin_work() noexcept {
    may_help_ = true;
    fork_deque::bind_to_this_thread(&forks_);
}

void worker::end_work() noexcept {
    fork_deque::bind_to_this_thread(nullptr);
    may_help_ = false;
}

void worker::adopt_this_thread() noexcept {
    this_worker = this;
    pool_.observed().worker_started(index_);
    begin_work();
}

void worker::work_to_the_end() noexcept {
    work(&worker::next_until_termination);
    pool_.observed().worker_stopped(index_);
    this_worker = nullptr;
}

work_item* worker::next_until_termination() noexcept {
    return next(&has_terminated, &pool_);
}

work_item* worker::next_left_over() noexcept {
    if (work_item* item = next_own(afterwards::goes_on)) return item;
    return take_low();
}

// When a waiter's `done` becomes true, the one who made it so loads parker_ and unparks. A parker installed meanwhile
// is no danger: if the load gave the former one, then it came before the store in install_parker(), so `done` was true
// before that, and sleep() evaluates it again before it parks in the new one.
//
// What is run meanwhile may wait itself, on top of this on the stack, and so on, as often as there are tasks that wait.
// When little is left of the stack, a fresh one takes its place: so the nesting has no bound but memory. Only when
// there is none for a stack does the worker wait without helping, but for handing over what its parker finds ready. It
// could then be that nobody runs what it waits for: if that, or what must come before it, is left in queues of this
// pool while all workers of the pool wait in that way.
void worker::work_until(predicate done, void* argument) noexcept {
    if (!stack_is_deep()) return work_on_this_stack_until(done, argument);
    struct waiting {
        worker* self;
        predicate done;
        void* argument;
    } here{this, done, argument};
    const auto go_on = [](void* where) noexcept {
        const waiting& below = *static_cast<waiting*>(where);
        below.self->work_on_this_stack_until(below.done, below.argument);
    };
    if (!call_on_spare_stack(go_on, &here)) wait_without_helping(done, argument);
}

// It takes nothing of what its parker hands over, so each item is told to the others, unlike in collect().
void worker::wait_without_helping(predicate done, void* argument) noexcept {
    while (!done(argument)) {
        parker_.load()->poll(parker::submission::now);
        if (!done(argument)) parker_.load()->park(timer_clock::time_point::max());
    }
}

void worker::work_on_this_stack_until(predicate done, void* argument) noexcept {
    while (!done(argument)) {
        work_item* item = next(done, argument);
        if (item == nullptr) return;
        execute_and_tell(item);
    }
}

// Null: the worker's own queues are empty and it is done.
work_item* worker::next(predicate done, void* argument) noexcept {
    if (work_item* item = next_own(afterwards::searches)) return item;
    return search(done, argument);
}

void worker::execute(work_item* item) noexcept {
    // ORDER: relaxed; statistics. A nested execute (a worker that waits and helps) restores what it found.
    const phase before = counters_.running.load(std::memory_order_relaxed);
    counters_.running.store(phase::begun, std::memory_order_relaxed);
    item->run(item);
    // LIFETIME: the item may be gone.
    counters_.running.store(before, std::memory_order_relaxed);
    count(counters_.executed);
}

bool worker::runs_past_gate(bool has_gate) const noexcept {
    // ORDER: acquire; see note_past_gate().
    phase seen = counters_.running.load(std::memory_order_acquire);
    for (unsigned left = has_gate ? most_looks_at_gate : 0; seen == phase::begun && left != 0; --left) {
        std::this_thread::yield();
        seen = counters_.running.load(std::memory_order_acquire);  // ORDER: acquire; see note_past_gate().
    }
    return seen != phase::no;
}

void worker::execute_and_tell(work_item* item) noexcept {
    if (pool_.observed().wanted()) {
        execute_observed(item);
    } else {
        execute(item);
    }
}

void worker::execute_observed(work_item* item) noexcept {
    item = fifo_lane::task_of(item);  // which the observer was told of
    const std::uintptr_t number = observation::number_of(item);
    pool_.observed().task_started(index_, number);
    execute(item);
    // LIFETIME: the item may be gone.
    pool_.observed().task_ended(index_, number);
}

void worker::unpark() noexcept {
    pool_.observed().worker_notified(index_);
    parker_.load()->unpark();
}

void worker::call(const std::function<void(unsigned)>& handler) noexcept {
    if (!handler) return;
    COEX_TRY {
        handler(index_);
    }
    COEX_CATCH(...) {
        pool_.unowned_exception(std::current_exception());
    }
}

work_item* worker::next_own(afterwards then) noexcept {
    // ORDER: relaxed; see look_at_levels().
    if ((++tick_ & turn_mask_.load(std::memory_order_relaxed)) == 0) {
        if (work_item* item = take_in_turn()) return item;
    }
    if (work_item* item = deque_.pop()) return item;
    if (work_item* item = take_ready()) return item;
    if (work_item* item = take_share()) return item;
    if (collect(then == afterwards::searches ? submission_before_search() : parker::submission::now)) {
        if (work_item* item = take_ready()) return item;
    }
    admit_stream();
    return take_ready_and_tell();
}

work_item* worker::take_in_turn() noexcept {
    if (tick_ % items_per_round == 0) collect(parker::submission::now);
    if (pool_.uses_levels()) {
        if (work_item* item = take_by_priority()) return item;
        if (tick_ % items_per_turn != 0) return nullptr;
    }
    if (tick_ % items_per_round == items_per_round / 2) {
        bool contended = false;
        return deque_.steal(contended);
    }
    if (tick_ % items_per_round == items_per_round / 4) {
        if (work_item* item = take_share()) return item;
    }
    // First out, then in: of a full queue something must leave before what waits outside can enter.
    work_item* const oldest = take_ready();
    static_cast<void>(admit_injected());
    if (oldest == nullptr) return take_ready_and_tell();
    if (!ready_.empty()) pool_.idle().notify_one();
    return oldest;
}

// What was moved from the injector was invisible for a moment: a worker that fell asleep meanwhile has not seen it.
work_item* worker::take_ready_and_tell() noexcept {
    work_item* const item = take_ready();
    if (!ready_.empty()) pool_.idle().notify_one();
    return item;
}

work_item* worker::take_ready() noexcept {
    for (;;) {
        bool contended = false;
        work_item* item = ready_.pop(contended);
        if (item != nullptr || !contended) return item;
    }
}

work_item* worker::take_share() noexcept {
    if (shares_.empty()) return nullptr;
    work_queue taken;
    shares_.pop(taken, 1);
    return taken.pop_front();
}

bool worker::collect(parker::submission when) noexcept {
    collecting_ = true;
    bool any = parker_.load()->poll(when);
    if (pool_.expire_timers() > 0) any = true;
    collecting_ = false;
    if (ready_.size() > 1) pool_.idle().notify_one();
    return any;
}

// PERF: bench chain of short items. Before the worker is counted as searching, which costs two changes of a word that
// all workers use: whatever peers have forked is asked for, as they may answer at their next fork, and the end of what
// the worker waits for is given a moment to come.
bool worker::is_done_soon(predicate done, void* argument) noexcept {
    if (pool_.has_forked()) ask_for_forks();
    if (done == &has_terminated || !spins_ || pool_.is_oversubscribed()) return false;
    const auto begun = timer_clock::now();
    do {
        if (done(argument)) return true;
        pause_once();
    } while (timer_clock::now() - begun < nearly_done);
    return false;
}

work_item* worker::search(predicate done, void* argument) noexcept {
    if (is_done_soon(done, argument)) return nullptr;
    pool_.idle().begin_search();
    auto leave_at = time_to_leave(done);
    auto nap = shortest_nap;
    bool has_collected = true;  // in next_own(), which is not long ago
    for (;;) {
        const unsigned rounds = rounds_of_search();
        for (unsigned round = 0; round < rounds; ++round) {
            if (round != 0) pause_briefly();
            const bool completed = (rounds > 1 || !has_collected) && collect(parker::submission::now);
            work_item* const item = look_everywhere();
            if (item != nullptr || done(argument)) {
                if (round != 0 && !completed) search_pace_.note_success();
                found();
                return item;
            }
            if (round == rounds_of_a_gap) pace_.note_gap();
        }
        has_collected = false;
        // Jobs that a peer has forked and not published are work too: sleep only when nothing is left to ask for.
        if (pool_.has_visible_work() || has_share()) {
            let_others_run(nap);
            continue;
        }
        note_search_in_vain(rounds);
        if (!sleep(done, argument, leave_at)) {
            if (!left_) found();
            return nullptr;
        }
    }
}

// What is visible and cannot be taken (a poster has yet to link its item, a peer to answer) may be in the hands of a
// thread that waits for this processor. When there are more workers than processors, so many may ask that nobody gets
// on with work: they ask ever more seldom, though together as often as one would.
void worker::let_others_run(std::chrono::microseconds& nap) noexcept {
    if (!pool_.is_oversubscribed()) {
        std::this_thread::yield();
        return;
    }
    parker_.load()->park(timer_clock::now() + nap);
    nap = std::min(2 * nap, shortest_nap * static_cast<long>(pool_.worker_count()));
}

void worker::found() noexcept {
    if (!pool_.idle().end_search()) return;
    if (!pool_.has_visible_work()) {
        // From here on nobody may look at what is forked: those who sleep must hear of it.
        if (pool_.idle().any_asleep()) pool_.demand_attention();
        if (!pool_.has_visible_work()) {
            pool_.idle().keep_time(pool_.timers_armed());
            return;
        }
    }
    pool_.idle().notify_one();
}

work_item* worker::look_everywhere() noexcept {
    pace_.note_found(admit_injected());
    if (work_item* item = take_high()) return item;
    if (work_item* item = take_ready()) return item;
    if (work_item* item = deque_.pop()) return item;
    if (work_item* item = take_share()) return item;
    if (work_item* item = take_own_fork()) return item;
    if (work_item* item = steal()) return item;
    return take_low();
}

work_item* worker::steal() noexcept {
    const std::size_t workers = pool_.worker_count();
    if (workers == 1) return nullptr;
    bool contended = true;
    while (contended) {
        contended = false;
        const std::size_t start = next_random() % workers;
        for (std::size_t i = 0; i < workers; ++i) {
            worker& victim = pool_.worker_at((start + i) % workers);
            if (&victim == this) continue;
            work_item* item = victim.forks_.steal(contended);
            if (item == nullptr) item = victim.deque_.steal(contended);
            if (item == nullptr) item = victim.ready_.pop(contended);
            if (item != nullptr) {
                count(counters_.stolen);
                if (pool_.observed().wanted()) {
                    item = fifo_lane::task_of(item);
                    pool_.observed().task_stolen(index_, victim.index(), item);
                }
                return item;
            }
        }
    }
    if (pool_.has_forked()) ask_for_forks();
    return nullptr;
}

}  // namespace coex::inline v0::detail
