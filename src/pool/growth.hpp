#pragma once

#include "pool/futex_parker.hpp"

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace coex::inline v0::detail {

class pool_core;
class worker;

/// Lets a pool have more workers for a while: the watcher, a thread that is told when work waits and every worker is
/// busy, looks whether they get on with it, and starts another when too few do. Why nothing is missed: "More workers
/// for a while" in idle.md.
///
/// A worker that has left keeps its place in the pool, with its queues, its parker and its index, for the next thread.
///
/// Thread-safe: left(); all else: the thread that makes the pool, and the watcher.
class growth {
public:
    explicit growth(pool_core& pool);

    /// Starts the watcher. Errors: std::system_error.
    void start();
    /// After the pool has terminated: waits for the watcher, and for all threads that it started.
    void join() noexcept;

    /// The last thing that the thread of a worker does, which has left: its place may be used again.
    void left(worker& which) noexcept;

private:
    static void* watcher_main(void* self) noexcept;
    void watch() noexcept;
    void watch_for_a_moment() noexcept;
    [[nodiscard]] std::size_t workers_that_got_on() noexcept;
    void remember_counts() noexcept;
    void grow() noexcept;
    [[nodiscard]] std::optional<std::size_t> free_place();
    void start_worker(std::size_t index);

    pool_core& pool_;
    futex_parker parker_;
    std::optional<pthread_t> watcher_;
    bool exhausted_ = false;                         // OWNER: the watcher; no place was free, or no thread to be had
    std::vector<std::uint64_t> counts_;              // OWNER: the watcher; what each worker had executed
    std::vector<std::optional<pthread_t>> threads_;  // OWNER: the watcher, until it has ended; by index

    std::mutex mutex_;
    std::vector<std::size_t> free_;  // OWNER: mutex_; places of workers that have left
};

}  // namespace coex::inline v0::detail
