#pragma once

#include <exec/vocab/priority.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace coex::inline v0 {

/// A pool as its observer knows it. Exists from before `pool_started` until after `pool_stopped`.
struct observed_pool {
    std::string name;          ///< pool_options::name
    std::size_t threads = 0;   ///< workers that it always has: one that may grow has workers of higher indices at times
    std::uint64_t number = 0;  ///< counts the pools of the process, from 1: tells pools of the same name apart
};

/// Is told what the workers of a pool do: the base of tracers, profilers and meters. Set by `pool_options::observer`;
/// one observer may serve several pools. Override what is wanted.
///
/// A *task* here is whatever a worker takes from a queue and runs: a posted function, a coroutine that resumes, an
/// operation that goes on, a forked function that was taken from its caller. A forked function that nobody took is part
/// of the task that forked it. A task's number is an address: it names one task from `task_posted` (for a forked
/// function: `task_stolen`) to `task_ended`, and may then be given to another.
///
/// Thread-safe: the functions of one observer are called by many threads at once, each with the thread that its comment
///              names.
/// Ordering:    of one task, posted happens before started, and started before ended. A worker waits inside a task by
///              running others: their started and ended then lie between its own. Of one worker, started comes first
///              and stopped last; each parked is followed by woken. A pool's started comes before all others, and its
///              stopped after all.
/// Allowed:     anything quick that needs no pool. An observer must not submit to a pool, wait for one or destroy one:
///              some of these functions are called with the pool's locks held. They are noexcept: an exception that
///              leaves one ends the program.
/// Lifetime:    the observer must outlive the pool.
/// Complexity:  a pool without an observer makes one comparison a post and none for a hop, a fork or a task.
class pool_observer {
public:
    pool_observer() = default;
    pool_observer(const pool_observer&) = delete;
    pool_observer& operator=(const pool_observer&) = delete;

    /// On the thread that makes the pool, before its workers.
    virtual void pool_started(const observed_pool& pool) noexcept;
    /// On the thread that destroys the pool: what was accepted is still run.
    virtual void pool_draining(const observed_pool& pool) noexcept;
    /// On the same thread: no worker is left. Also when the pool's constructor fails because a thread cannot be
    /// started.
    virtual void pool_stopped(const observed_pool& pool) noexcept;

    /// On the worker, before `pool_options::on_thread_start`.
    virtual void worker_started(const observed_pool& pool, std::size_t worker) noexcept;
    /// On the worker, after `pool_options::on_thread_stop`.
    virtual void worker_stopped(const observed_pool& pool, std::size_t worker) noexcept;
    /// On the worker, which found no work and is about to sleep.
    virtual void worker_parked(const observed_pool& pool, std::size_t worker) noexcept;
    /// On the worker, which has slept: it was notified, or a timer or a completion came.
    virtual void worker_woken(const observed_pool& pool, std::size_t worker) noexcept;
    /// On any thread, which is about to end the worker's present or next sleep: there is work for it, what it waits for
    /// has ended, or the pool ends.
    virtual void worker_notified(const observed_pool& pool, std::size_t worker) noexcept;

    /// On any thread: the task is about to be put into a queue of the pool. (A post that fails with std::bad_alloc has
    /// been told, too.)
    virtual void task_posted(const observed_pool& pool, std::uintptr_t task, priority level) noexcept;
    /// On `worker`, which has taken the task from the queues of another, `victim`, and will start it next. A worker
    /// that waits takes functions that it forked itself further up its stack: then both are the same.
    virtual void task_stolen(const observed_pool& pool, std::size_t worker, std::size_t victim,
                             std::uintptr_t task) noexcept;
    /// On the worker that runs the task.
    virtual void task_started(const observed_pool& pool, std::size_t worker, std::uintptr_t task) noexcept;
    /// On the worker that ran the task, which is gone already, or suspended and perhaps running elsewhere.
    virtual void task_ended(const observed_pool& pool, std::size_t worker, std::uintptr_t task) noexcept;

protected:
    ~pool_observer() = default;
};

}  // namespace coex::inline v0
