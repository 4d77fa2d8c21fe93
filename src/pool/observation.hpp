#pragma once

#include <exec/base/config.hpp>
#include <exec/pool/pool_observer.hpp>
#include <exec/vocab/priority.hpp>
#include <exec/vocab/work_item.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace coex::inline v0::detail {

/// A pool's observer, if it has one, and what it is told.
class observation {
public:
    observation(pool_observer* observer, std::string name, std::size_t threads)
        : observer_(observer), pool_{std::move(name), threads, next_number()} {}

    [[nodiscard]] bool wanted() const noexcept { return observer_ != nullptr; }

    void pool_started() const noexcept { tell(&pool_observer::pool_started); }
    void pool_draining() const noexcept { tell(&pool_observer::pool_draining); }
    void pool_stopped() const noexcept { tell(&pool_observer::pool_stopped); }

    void worker_started(std::size_t worker) const noexcept { tell(&pool_observer::worker_started, worker); }
    void worker_stopped(std::size_t worker) const noexcept { tell(&pool_observer::worker_stopped, worker); }
    void worker_parked(std::size_t worker) const noexcept { tell(&pool_observer::worker_parked, worker); }
    void worker_woken(std::size_t worker) const noexcept { tell(&pool_observer::worker_woken, worker); }
    void worker_notified(std::size_t worker) const noexcept { tell(&pool_observer::worker_notified, worker); }

    void task_posted(const work_item* task, priority level = priority::normal) const noexcept {
        tell(&pool_observer::task_posted, number_of(task), level);
    }
    /// For linked items, from `first` to `last`.
    void tasks_posted(const work_item* first, const work_item* last, priority level = priority::normal) const noexcept {
        if (observer_ == nullptr) [[likely]]
            return;
        for (const work_item* each = first;; each = each->next) {
            task_posted(each, level);
            if (each == last) return;
        }
    }
    void task_stolen(std::size_t worker, std::size_t victim, const work_item* task) const noexcept {
        tell(&pool_observer::task_stolen, worker, victim, number_of(task));
    }
    void task_started(std::size_t worker, std::uintptr_t task) const noexcept {
        tell(&pool_observer::task_started, worker, task);
    }
    void task_ended(std::size_t worker, std::uintptr_t task) const noexcept {
        tell(&pool_observer::task_ended, worker, task);
    }
    [[nodiscard]] static std::uintptr_t number_of(const work_item* task) noexcept {
        return reinterpret_cast<std::uintptr_t>(task);
    }

private:
    static std::uint64_t next_number() noexcept;

    template <class... Args>
    COEX_ALWAYS_INLINE void tell(void (pool_observer::*event)(const observed_pool&, Args...) noexcept,
                                 std::type_identity_t<Args>... args) const noexcept {
        if (observer_ != nullptr) [[unlikely]]
            (observer_->*event)(pool_, args...);
    }

    pool_observer* observer_;
    observed_pool pool_;
};

}  // namespace coex::inline v0::detail
