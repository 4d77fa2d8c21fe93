#pragma once

#include <exec/base/owned.hpp>
#include <exec/pool/pool_observer.hpp>
#include <exec/vocab/priority.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>

namespace coex::inline v0 {

/// How much a trace_recorder keeps.
struct trace_options {
    /// Of each thread, the newest events that are kept: 24 bytes each, taken from the system as they are used.
    std::size_t events_per_thread = std::size_t{1} << 16;

    /// Threads of which events are kept: workers, and others that post. Those of more threads are dropped.
    std::size_t threads = 256;
};

/// Records what pools do, and writes it in the trace event format that Perfetto (ui.perfetto.dev) and chrome://tracing
/// read: a process for each pool, a thread for each worker; tasks, spans and sleep as slices; posts, steals and
/// wake-ups as instants, with arrows to what they led to.
///
/// ```cpp
/// coex::trace_recorder recorder;
/// {
///     coex::static_thread_pool pool({.name = "cpu", .observer = &recorder});
///     ...
/// }
/// std::ofstream file("trace.json");
/// recorder.write(file);
/// ```
///
/// Memory is bounded: of each thread the newest events are kept, and `dropped()` tells how many are not.
///
/// Thread-safe: all members but the destructor. `write` may be called while the pools run: it writes what has been
///              recorded, up to a moment that differs slightly from thread to thread.
/// Lifetime:    must outlive the pools that it observes.
/// Complexity:  an event costs a look at the clock and a few stores into a buffer of the calling thread: no lock, no
///              allocation but a thread's first.
class trace_recorder final : public pool_observer {
public:
    explicit trace_recorder(trace_options options = {});
    ~trace_recorder();

    /// Writes everything that is kept, as one JSON object. Check `out` afterwards.
    ///
    /// Errors: std::bad_alloc; what `out` throws.
    void write(std::ostream& out) const;

    /// How many events were recorded and are not kept any more, or never were because too many threads came.
    [[nodiscard]] std::uint64_t dropped() const noexcept;

    /// A slice with a name of the user's, on the thread that makes and destroys it, from the one to the other.
    ///
    /// A coroutine must not hold one across a `co_await` that suspends it, as it may go on elsewhere.
    ///
    /// Lifetime: `name` (a literal, usually) must outlive the last `write`.
    class span {
    public:
        explicit span(trace_recorder& recorder, const char* name) noexcept;
        span(const span&) = delete;
        span& operator=(const span&) = delete;
        ~span();

    private:
        trace_recorder& recorder_;
        const char* name_;
        std::uint64_t begin_;  // ns since the recorder was made
    };

    void pool_started(const observed_pool& pool) noexcept override;
    void pool_draining(const observed_pool& pool) noexcept override;
    void pool_stopped(const observed_pool& pool) noexcept override;
    void worker_started(const observed_pool& pool, std::size_t worker) noexcept override;
    void worker_stopped(const observed_pool& pool, std::size_t worker) noexcept override;
    void worker_parked(const observed_pool& pool, std::size_t worker) noexcept override;
    void worker_woken(const observed_pool& pool, std::size_t worker) noexcept override;
    void worker_notified(const observed_pool& pool, std::size_t worker) noexcept override;
    void task_posted(const observed_pool& pool, std::uintptr_t task, priority level) noexcept override;
    void task_stolen(const observed_pool& pool, std::size_t worker, std::size_t victim,
                     std::uintptr_t task) noexcept override;
    void task_started(const observed_pool& pool, std::size_t worker, std::uintptr_t task) noexcept override;
    void task_ended(const observed_pool& pool, std::size_t worker, std::uintptr_t task) noexcept override;

private:
    class buffers;
    detail::owned<buffers> buffers_;
};

}  // namespace coex::inline v0
