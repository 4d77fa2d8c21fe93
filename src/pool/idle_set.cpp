#include "pool/idle_set.hpp"

#include "pool/futex_parker.hpp"
#include "pool/worker.hpp"
#include "vocab/timer_set.hpp"

#include <algorithm>
#include <utility>

namespace coex::inline v0::detail {

timer_clock::time_point idle_set::announce_sleep(worker& sleeper, const timer_set& timers) noexcept {
    const std::lock_guard lock(mutex_);
    sleepers_.push_back(&sleeper);
    counts_.fetch_add(1 - one_searching);
    if (timekeeper_ != nullptr) return timer_clock::time_point::max();
    const auto deadline = timers.next_deadline();
    if (deadline != timer_clock::time_point::max()) timekeeper_ = &sleeper;
    return deadline;
}

void idle_set::retract_sleep(worker& sleeper) noexcept {
    const std::lock_guard lock(mutex_);
    const auto place = std::find(sleepers_.begin(), sleepers_.end(), &sleeper);
    if (place != sleepers_.end()) {
        sleepers_.erase(place);
        counts_.fetch_add(one_searching - 1);
    }
    if (timekeeper_ == &sleeper) timekeeper_ = nullptr;
}

void idle_set::wake_one() noexcept {
    worker* chosen = nullptr;
    futex_parker* watcher = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (counts_.load() >> searching_shift != 0) return;
        if (!sleepers_.empty()) {
            // The timekeeper goes last: woken for work, it would have to wake another to keep the time.
            const auto from_back = sleepers_.back() == timekeeper_ && sleepers_.size() > 1 ? 2 : 1;
            const auto place = sleepers_.end() - from_back;
            chosen = *place;
            sleepers_.erase(place);
            counts_.fetch_add(one_searching - 1);
        } else if (watcher_ != nullptr) {
            watcher = std::exchange(watcher_, nullptr);
            counts_.fetch_sub(1);
        }
    }
    if (chosen != nullptr) chosen->wake();
    if (watcher != nullptr) watcher->unpark();
}

void idle_set::notify_deadline() noexcept {
    worker* chosen = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (timekeeper_ != nullptr) {
            chosen = timekeeper_;
        } else if (!sleepers_.empty()) {
            chosen = sleepers_.front();
        }
    }
    if (chosen != nullptr) chosen->unpark();
}

void idle_set::keep_time(const timer_set& timers) noexcept {
    if (timers.next_deadline() == timer_clock::time_point::max()) return;
    const std::uint64_t counts = counts_.load();
    if (counts >> searching_shift != 0 || (counts & sleeping_mask) == 0) return;
    worker* chosen = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (timekeeper_ == nullptr && !sleepers_.empty()) chosen = sleepers_.front();
    }
    if (chosen != nullptr) chosen->unpark();
}

void idle_set::wake_all() noexcept {
    const std::lock_guard lock(mutex_);
    for (worker* sleeper : sleepers_) sleeper->unpark();
    if (watcher_ != nullptr) watcher_->unpark();
}

void idle_set::announce_watcher(futex_parker& watcher) noexcept {
    const std::lock_guard lock(mutex_);
    watcher_ = &watcher;
    counts_.fetch_add(1);
}

void idle_set::retract_watcher() noexcept {
    const std::lock_guard lock(mutex_);
    if (std::exchange(watcher_, nullptr) != nullptr) counts_.fetch_sub(1);
}

void idle_set::add_worker() noexcept {
    const std::lock_guard lock(mutex_);
    ++workers_;
}

void idle_set::remove_worker() noexcept {
    const std::lock_guard lock(mutex_);
    --workers_;
}

// Under mutex_.
bool idle_set::take_off_for_good(worker& sleeper) noexcept {
    const auto place = std::find(sleepers_.begin(), sleepers_.end(), &sleeper);
    if (place == sleepers_.end()) return false;
    sleepers_.erase(place);
    counts_.fetch_sub(1);
    if (timekeeper_ == &sleeper) timekeeper_ = nullptr;
    return true;
}

std::size_t idle_set::workers() const noexcept {
    const std::lock_guard lock(mutex_);
    return workers_;
}

}  // namespace coex::inline v0::detail
