#pragma once

#include <exec/base/std_chrono.hpp>
#include <exec/base/std_function.hpp>
#include <exec/pool/thread_body.hpp>

#include <cstddef>
#include <exception>
#include <string>
#include <vector>

namespace coex::inline v0 {

class pool_observer;

/// How a static_thread_pool is made. All members have defaults: `{.name = "ssd", .threads = 2}`.
struct pool_options {
    /// Names the workers, `name/0`, `name/1`, ..., as `top -H` and debuggers show them (15 characters at most are
    /// shown).
    std::string name = "coex";

    /// Number of workers. 0: `COEX_NUM_THREADS` if set, else the CPUs that this process may use (affinity, cgroup
    /// quota), but no more than `max_threads`.
    unsigned threads = 0;

    /// The pool may grow to so many workers, and shrinks again. It grows while tasks wait and fewer than `threads`
    /// workers get on with them: the others are blocked, or busy with something long (a millisecond or more). At least
    /// `threads`; 0: as many as `threads`. Each worker beyond costs a thread and some kilobytes, once it is needed; a
    /// pool that may grow has one more thread, which watches, and sleeps while no task waits for a worker. Neither
    /// timers nor completions of input and output make a pool grow.
    unsigned max_threads = 0;

    /// How long a worker beyond `threads` stays without work before it ends. It keeps its index for the next one.
    std::chrono::milliseconds keep_alive{10'000};

    /// Stack size of each worker in bytes. 0: the system's default.
    std::size_t stack_bytes = 0;

    /// How many plain tasks (`post`, `submit`, `post_batch`) may wait in the pool: accepted and not started. When it is
    /// full, `try_post` and `try_submit` refuse and the others wait: a thread outside sleeps; a worker, also one of
    /// another pool, runs work of its own pool meanwhile. So they never deadlock; a worker that cannot run other work
    /// (inside `on_thread_start`, or with little stack left) goes over the limit instead. Coroutines that are ready,
    /// and tasks that somebody waits for (`install`, `fork_join`, scopes) are not counted. 0: no limit.
    std::size_t queue_limit = 0;

    /// How many input/output operations bound to this pool may be in flight at once; more wait in order, holding no
    /// worker. What `poll_sequence` and the incoming sequences leave to the kernel meanwhile is not counted. 0: no
    /// limit.
    unsigned io_depth = 0;

    /// Pins worker i to `cpus[i % cpus.size()]`. Empty: not pinned.
    std::vector<unsigned> cpus = {};

    /// Called on each worker before its first and after its last task, with its index; of a pool that grows and shrinks
    /// perhaps several times with one index. Tasks that `on_thread_stop` posts to its own pool still run, after it: at
    /// the end of the pool on the same worker, which must not wait for them in that function; else on others.
    std::function<void(unsigned)> on_thread_start = {};
    std::function<void(unsigned)> on_thread_stop = {};

    /// Called, on the worker, with an exception that left a posted task or one of the two functions above. Empty, or
    /// when it throws itself: std::terminate. May run on several workers at once.
    std::function<void(std::exception_ptr)> on_exception = {};

    /// Names each worker instead of `name`: called with the indices in order, on the thread that makes the pool, before
    /// any worker is started, and also for those by which it may grow. What it throws leaves the constructor.
    std::function<std::string(unsigned)> thread_name = {};

    /// Gets a worker its thread, instead of the pool: it must have `body.run()` called on a thread of its own, as in
    /// `std::thread([body = std::move(body)]() mutable { body.run(); }).detach()`. Called in the order of the indices,
    /// on the thread that makes the pool; for a worker by which it grows on a thread of the pool. Naming the thread,
    /// its stack and its place are the handler's business: with `cpus` it is refused. The destructor of the pool waits
    /// until all `run()` have returned. What it throws leaves the constructor, after the workers that were started have
    /// ended.
    std::function<void(thread_body)> spawn_thread = {};

    /// Makes the thread that makes the pool its worker 0, beside `threads - 1` threads of their own. It works while it
    /// waits for something of a pool (`install`, `fork_join`, `submission::get`, a scope ...), and in the destructor of
    /// the pool, which it must call itself, outside of all tasks. In between, what it posts is run by the others, if
    /// there are any. Names, `cpus`, `spawn_thread`, `on_thread_start` and `on_thread_stop` are not for it. On a thread
    /// that is a worker already it is refused.
    bool use_current_thread = false;
    /// Is told what the workers do; see pool_observer. It must outlive the pool. Null: nobody is told, at no cost.
    pool_observer* observer = nullptr;
};

}  // namespace coex::inline v0
