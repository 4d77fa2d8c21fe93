#pragma once

#include "pool/growth.hpp"
#include "pool/idle_set.hpp"
#include "pool/injector.hpp"
#include "pool/lent_bodies.hpp"
#include "pool/observation.hpp"
#include "pool/pool_extension.hpp"
#include "pool/priority_level.hpp"
#include "pool/queue_gate.hpp"
#include "pool/worker.hpp"
#include "vocab/timer_set.hpp"

#include <exec/pool/pool_options.hpp>
#include <exec/pool/pool_stats.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/timer.hpp>

#include <pthread.h>

#include <array>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace coex::inline v0::detail {

class pool_core;

/// A pool with an observer, as a place: tells the observer of what is submitted.
class observed_place final : public execution_context {
public:
    explicit observed_place(pool_core& pool) noexcept : pool_(pool) {}
    void submit(work_item* item) noexcept override;
    [[nodiscard]] timer_service& timers() noexcept override;
    [[nodiscard]] std::size_t concurrency() const noexcept override;
    [[nodiscard]] const execution_context& threads() const noexcept override;

private:
    pool_core& pool_;
};

/// What a static_thread_pool is made of: workers, the injector, the idle set, the timers.
///
/// Thread-safe: all but the constructor and destructor.
class pool_core final : public execution_context, timer_service {
public:
    explicit pool_core(pool_options options);
    ~pool_core();

    void submit(work_item* item) noexcept override;
    [[nodiscard]] timer_service& timers() noexcept override { return *this; }
    [[nodiscard]] std::size_t concurrency() const noexcept override { return options_.threads; }

    /// Submits linked items to the injector at once.
    void inject(work_item* first, work_item* last) noexcept { inject_into(injector_, first, last); }
    /// The same with another queue of the pool.
    void inject_into(injector& queue, work_item* first, work_item* last) noexcept;

    /// Submits a plain task: on a worker of this pool to its deque, otherwise to the injector.
    void submit_task(work_item* item);

    /// Submits a plain task through a lane of the calling thread, which is a worker of this pool.
    void submit_task(fifo_lane& lane, work_item* item);

    /// Submits plain tasks of a level at once, behind all others.
    void submit_batch(priority level, work_queue& items) noexcept;

    /// Gives each worker its share of a broadcast, in the order of the indices.
    void submit_shares(work_queue& shares) noexcept;

    /// The worker of this pool that the calling thread is, or null.
    [[nodiscard]] worker* current_worker() const noexcept {
        worker* const here = worker::current();
        return here != nullptr && &here->pool() == this ? here : nullptr;
    }

    /// Workers that there have been: of a pool that grows and shrinks, some may have left for now. Those below
    /// `options().threads` never do.
    [[nodiscard]] std::size_t worker_count() const noexcept { return made_.load(); }
    [[nodiscard]] std::size_t most_workers() const noexcept { return workers_.size(); }
    [[nodiscard]] worker& worker_at(std::size_t index) const noexcept { return *workers_[index]; }
    [[nodiscard]] const pool_options& options() const noexcept { return options_; }
    [[nodiscard]] const std::string& thread_name(unsigned index) const noexcept { return names_[index]; }
    [[nodiscard]] const observation& observed() const noexcept { return observed_; }
    /// Where coroutines are that are on this pool: the pool itself, or what tells its observer and then submits to it.
    [[nodiscard]] execution_context& place() noexcept;
    [[nodiscard]] execution_context& place(priority level) noexcept;
    [[nodiscard]] pool_stats stats() noexcept;

    [[nodiscard]] idle_set& idle() noexcept { return idle_; }
    [[nodiscard]] injector& injected() noexcept { return injector_; }
    /// What bounds the queue of plain tasks; null when nothing does.
    [[nodiscard]] queue_gate* gate() noexcept { return gate_ ? &*gate_ : nullptr; }
    [[nodiscard]] priority_levels& levels() noexcept { return levels_; }
    /// True once a level beside the normal one was used.
    [[nodiscard]] bool uses_levels() const noexcept { return uses_levels_.load(); }
    void note_levels() noexcept;
    [[nodiscard]] const timer_set& timers_armed() const noexcept { return timers_; }
    std::size_t expire_timers() noexcept;
    /// Something is there that any worker may take.
    [[nodiscard]] bool has_visible_work() const noexcept;

    /// More workers than processors that they may use: nobody spins.
    [[nodiscard]] bool is_oversubscribed() const noexcept { return search_rounds_ == 1; }
    /// How often a worker looks around for work before it falls asleep.
    [[nodiscard]] unsigned search_rounds() const noexcept { return search_rounds_; }

    /// True once a worker has forked.
    [[nodiscard]] bool has_forked() const noexcept { return forked_.load(); }
    void note_forking() noexcept {
        if (!forked_.load()) forked_.store(true);
    }
    /// For a worker that has announced sleep: makes every later fork of the pool tell, and every earlier one visible.
    void demand_attention() noexcept;

    [[nodiscard]] bool draining() const noexcept { return draining_.load(); }
    [[nodiscard]] bool terminated() const noexcept { return terminated_.load(); }
    /// Called by a worker that announced sleep while the pool drains: sees whether this is the end (see idle.md).
    void try_terminate() noexcept;
    /// Makes a worker look again whether this is the end.
    void nudge() noexcept {
        if (draining()) idle_.wake_all();
    }

    /// Keeps the pool alive for a thread that is not its worker, from before it makes something visible until it let
    /// go.
    class visit {
    public:
        explicit visit(pool_core& pool) noexcept : pool_(pool) { pool_.visitors_.fetch_add(1); }
        visit(const visit&) = delete;
        visit& operator=(const visit&) = delete;
        ~visit() { pool_.visitors_.fetch_sub(1); }

    private:
        pool_core& pool_;
    };

    /// The attached extension of that kind, made by `make(*this)` at the first call.
    template <class Make>
    [[nodiscard]] pool_extension& extension(extension_kind kind, Make make) {
        const auto index = static_cast<std::size_t>(kind);
        if (pool_extension* present = extensions_seen_[index].load()) return *present;
        const std::lock_guard lock(extension_mutex_);
        std::unique_ptr<pool_extension>& made = extensions_[index];
        if (made == nullptr) {
            made = make(*this);
            if (draining()) made->stop();
            extensions_seen_[index].store(made.get());
        }
        return *made;
    }

    /// An exception that nobody waits for left a task.
    void unowned_exception(std::exception_ptr error) noexcept;

    // --- for growth -------------------------------------------------------------------------------------------------

    /// The index of a new worker, without a thread.
    [[nodiscard]] std::size_t make_worker();
    [[nodiscard]] pthread_t start_thread(unsigned index);
    void spawn_by_handler(unsigned index);

    /// For a thread of the user's: it is the worker until the pool ends.
    void run_body(worker& which) noexcept;
    /// A body was destroyed before it ran.
    void drop_body(worker& which) noexcept;

private:
    [[nodiscard]] timer_clock::time_point now() noexcept override { return timer_clock::now(); }
    [[nodiscard]] bool arm(timer_node& node) override;
    void cancel(timer_node& node) noexcept override { timers_.cancel(node); }

    [[nodiscard]] bool has_share() const noexcept;
    [[nodiscard]] bool has_nested_wait() const noexcept;
    void start_threads();
    void run_worker(worker& which) noexcept;
    void stop_extensions() noexcept;
    void shut_down() noexcept;
    static void* thread_main(void* argument) noexcept;

    pool_options options_;
    const observation observed_;
    observed_place observed_place_{*this};
    unsigned search_rounds_;
    injector injector_;
    std::optional<queue_gate> gate_;
    priority_levels levels_{*this};
    std::mutex broadcasting_;
    idle_set idle_;
    timer_set timers_;
    std::atomic<bool> forked_{false};
    std::atomic<bool> levels_wanted_{false};
    std::atomic<bool> uses_levels_{false};  // after every worker has been told
    std::atomic<bool> draining_{false};
    std::atomic<bool> timers_closed_{false};
    std::atomic<bool> terminated_{false};
    std::atomic<std::size_t> visitors_{0};
    std::vector<std::unique_ptr<worker>> workers_;  // the first `made_`; element i is set before made_ says so
    std::atomic<std::size_t> made_{0};              // written by the making thread, then by the watcher
    std::vector<pthread_t> threads_;
    std::vector<std::string> names_;  // of the threads
    lent_bodies bodies_;
    std::atomic<bool> body_dropped_{false};         // by spawn_thread, during the call
    std::atomic<std::thread::id> making_thread_{};  // while it is in spawn_thread

    std::unique_ptr<growth> growth_;  // null when the pool cannot grow

    std::mutex extension_mutex_;
    // By kind. OWNER: extension_mutex_ until set, then constant.
    std::array<std::unique_ptr<pool_extension>, extension_kinds> extensions_;
    std::array<std::atomic<pool_extension*>, extension_kinds> extensions_seen_{};
};

}  // namespace coex::inline v0::detail
