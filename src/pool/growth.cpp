#include "pool/growth.hpp"

#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <exec/base/exceptions.hpp>
#include <exec/vocab/timer.hpp>

#include <chrono>
#include <exception>
#include <system_error>

namespace coex::inline v0::detail {
namespace {

// How long the watcher looks on before it starts another worker; and how long when it cannot start any.
constexpr std::chrono::milliseconds moment{1};
constexpr std::chrono::milliseconds long_moment{20};

std::uint64_t executed_by(const worker& which) noexcept {
    // ORDER: relaxed; an estimate, which the worker writes.
    return which.statistics().executed.load(std::memory_order_relaxed);
}

}  // namespace

growth::growth(pool_core& pool) : pool_(pool), counts_(pool.most_workers()), threads_(pool.most_workers()) {
    free_.reserve(pool.most_workers());
}

void growth::start() {
    pthread_t thread{};
    const int failed = pthread_create(&thread, nullptr, &growth::watcher_main, this);
    if (failed != 0) {
        detail::throw_exception(
            std::system_error(failed, std::system_category(),
                              "static_thread_pool '" + pool_.options().name +
                                  "': cannot start the thread that watches whether more workers are needed"));
    }
    watcher_ = thread;
}

void growth::join() noexcept {
    if (watcher_) pthread_join(*watcher_, nullptr);
    for (const auto& each : threads_) {
        if (each) pthread_join(*each, nullptr);
    }
}

void growth::left(worker& which) noexcept {
    // Until here it counted, so that the pool could not end before what its stop handler has posted.
    pool_.idle().remove_worker();
    pool_.nudge();
    const std::lock_guard lock(mutex_);
    free_.push_back(which.index());
}

void* growth::watcher_main(void* self) noexcept {
    pthread_setname_np(pthread_self(), "coex-growth");
    static_cast<growth*>(self)->watch();
    return nullptr;
}

// Falls asleep like a worker: Announce, Demand, Recheck.
void growth::watch() noexcept {
    while (!pool_.terminated()) {
        pool_.idle().announce_watcher(parker_);
        pool_.demand_attention();
        if (!pool_.has_visible_work() && !pool_.terminated()) parker_.park(timer_clock::time_point::max());
        pool_.idle().retract_watcher();
        while (pool_.has_visible_work() && !pool_.terminated()) watch_for_a_moment();
    }
}

void growth::watch_for_a_moment() noexcept {
    remember_counts();
    const auto until = timer_clock::now() + (exhausted_ ? long_moment : moment);
    while (timer_clock::now() < until && !pool_.terminated()) parker_.park(until);
    // Work that waits while somebody sleeps or searches is about to be taken.
    if (!pool_.has_visible_work() || !pool_.idle().everybody_is_busy() || pool_.terminated()) return;
    if (workers_that_got_on() < pool_.options().threads) grow();
}

void growth::remember_counts() noexcept {
    const std::size_t made = pool_.worker_count();
    for (std::size_t i = 0; i < made; ++i) counts_[i] = executed_by(pool_.worker_at(i));
}

std::size_t growth::workers_that_got_on() noexcept {
    const std::size_t made = pool_.worker_count();
    std::size_t got_on = 0;
    for (std::size_t i = 0; i < made; ++i) {
        if (executed_by(pool_.worker_at(i)) != counts_[i]) ++got_on;
    }
    return got_on;
}

void growth::grow() noexcept {
    exhausted_ = true;
    COEX_TRY {
        const auto place = free_place();
        if (!place) return;
        // First it counts: the pool must not end before it has seen that there is nothing left to do.
        pool_.idle().add_worker();
        COEX_TRY {
            start_worker(*place);
            exhausted_ = false;
        }
        COEX_CATCH(...) {
            left(pool_.worker_at(*place));
            COEX_RETHROW;
        }
    }
    COEX_CATCH(...) {
        // No memory, no thread: the pool goes on with those that it has, and tries again.
        if (pool_.options().on_exception) pool_.unowned_exception(std::current_exception());
    }
}

// The place of a worker that has left, or a new one.
std::optional<std::size_t> growth::free_place() {
    {
        const std::lock_guard lock(mutex_);
        if (!free_.empty()) {
            const std::size_t place = free_.back();
            free_.pop_back();
            return place;
        }
    }
    if (pool_.worker_count() == pool_.most_workers()) return std::nullopt;
    return pool_.make_worker();
}

void growth::start_worker(std::size_t index) {
    if (pool_.options().spawn_thread) {
        pool_.spawn_by_handler(static_cast<unsigned>(index));
        return;
    }
    // The former thread of the place has nothing left to do but to end.
    if (threads_[index]) {
        pthread_join(*threads_[index], nullptr);
        threads_[index].reset();
    }
    threads_[index] = pool_.start_thread(static_cast<unsigned>(index));
}

}  // namespace coex::inline v0::detail
