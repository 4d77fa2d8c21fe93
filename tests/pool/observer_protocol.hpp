#pragma once

#include <exec/pool/pool_observer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace coex_test {

using coex::observed_pool;

/// What an observer was told, in one order.
class protocol final : public coex::pool_observer {
public:
    enum class kind {
        pool_started,
        pool_draining,
        pool_stopped,
        worker_started,
        worker_stopped,
        parked,
        woken,
        notified,
        posted,
        stolen,
        started,
        ended
    };
    struct entry {
        kind what;
        std::uint64_t pool;
        std::size_t worker;
        std::size_t victim;
        std::uintptr_t task;
        std::thread::id thread;
    };

    void pool_started(const observed_pool& pool) noexcept override {
        note(kind::pool_started, pool);
        const std::lock_guard lock(mutex_);
        pools_[pool.number] = pool.name + " with " + std::to_string(pool.threads);
    }
    void pool_draining(const observed_pool& pool) noexcept override { note(kind::pool_draining, pool); }
    void pool_stopped(const observed_pool& pool) noexcept override { note(kind::pool_stopped, pool); }
    void worker_started(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::worker_started, pool, worker);
    }
    void worker_stopped(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::worker_stopped, pool, worker);
    }
    void worker_parked(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::parked, pool, worker);
    }
    void worker_woken(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::woken, pool, worker);
    }
    void worker_notified(const observed_pool& pool, std::size_t worker) noexcept override {
        note(kind::notified, pool, worker);
    }
    void task_posted(const observed_pool& pool, std::uintptr_t task, coex::priority) noexcept override {
        note(kind::posted, pool, 0, task);
    }
    void task_stolen(const observed_pool& pool, std::size_t worker, std::size_t victim,
                     std::uintptr_t task) noexcept override {
        note(kind::stolen, pool, worker, task, victim);
    }
    void task_started(const observed_pool& pool, std::size_t worker, std::uintptr_t task) noexcept override {
        note(kind::started, pool, worker, task);
    }
    void task_ended(const observed_pool& pool, std::size_t worker, std::uintptr_t task) noexcept override {
        note(kind::ended, pool, worker, task);
    }

    [[nodiscard]] std::vector<entry> entries() const {
        const std::lock_guard lock(mutex_);
        return entries_;
    }
    [[nodiscard]] std::map<std::uint64_t, std::string> pools() const {
        const std::lock_guard lock(mutex_);
        return pools_;
    }
    [[nodiscard]] std::size_t count(kind what) const {
        const std::vector<entry> all = entries();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [what](const entry& each) { return each.what == what; }));
    }

private:
    void note(kind what, const observed_pool& pool, std::size_t worker = 0, std::uintptr_t task = 0,
              std::size_t victim = 0) noexcept {
        const std::lock_guard lock(mutex_);
        entries_.push_back({what, pool.number, worker, victim, task, std::this_thread::get_id()});
    }

    mutable std::mutex mutex_;
    std::vector<entry> entries_;
    std::map<std::uint64_t, std::string> pools_;
};
/// Fails unless each task was posted or stolen, then started, then ended, on one worker.
inline void expect_whole_lives(const std::vector<protocol::entry>& entries) {
    std::map<std::uintptr_t, int> waiting;
    std::map<std::size_t, std::vector<std::uintptr_t>> running;  // of each worker, innermost last
    for (const protocol::entry& each : entries) {
        if (each.what == protocol::kind::posted) ++waiting[each.task];
        // What was posted and then stolen is still the same task; a forked one begins here.
        if (each.what == protocol::kind::stolen && waiting[each.task] == 0) ++waiting[each.task];
        if (each.what == protocol::kind::started) {
            ASSERT_GT(waiting[each.task], 0) << "started before it was posted";
            --waiting[each.task];
            running[each.worker].push_back(each.task);
        }
        if (each.what == protocol::kind::ended) {
            ASSERT_FALSE(running[each.worker].empty());
            ASSERT_EQ(running[each.worker].back(), each.task);
            running[each.worker].pop_back();
        }
    }
    for (const auto& [task, count] : waiting) ASSERT_EQ(count, 0) << "posted and never started";
    for (const auto& [worker, tasks] : running) ASSERT_TRUE(tasks.empty()) << "started and never ended";
}

}  // namespace coex_test
