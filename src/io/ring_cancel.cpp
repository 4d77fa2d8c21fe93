#include "io/ring.hpp"
#include "io/ring_data.hpp"

#include <algorithm>
#include <mutex>

namespace coex::inline v0::detail {

void ring::cancel(io_operation& operation) noexcept {
    {
        const std::lock_guard lock(inbox_mutex_);
        ask_once_more(operation);
    }
    unpark();
}

void ring::cancel_all() noexcept {
    {
        const std::lock_guard lock(inbox_mutex_);
        all_asked_ = true;
        inbox_full_.store(true);
    }
    unpark();
}

void ring::forget(io_operation& operation) noexcept {
    const std::lock_guard lock(inbox_mutex_);
    forget_asked(operation);
    inbox_.remove(operation);
}

// Under inbox_mutex_.
void ring::forget_asked(io_operation& operation) noexcept {
    bool& is_asked = io_operation_access::asked(operation);
    if (is_asked) asked_.remove(operation);
    is_asked = false;
}

// Between the attempt that would have waited and the watch, or the kernel's thread, that waits in its place, an
// operation is nowhere that a cancellation looks: it answers that there is none, and the operation goes on waiting. The
// kernel gets on with it when it is entered next, so the same question is put again then. What a device is busy with is
// not found either, until it ends: so ever more seldom. Under lock_.
void ring::ask_again_later() noexcept {
    if (ask_again_at_ != timer_clock::time_point::max()) return;
    ask_again_at_ = timer_clock::now() + ask_pause_;
    ask_pause_ = std::min(2 * ask_pause_, longest_ask_pause);
    // ORDER: relaxed; a hint for the attendant, which looks again a little later.
    asks_again_.store(true, std::memory_order_relaxed);
}

// What has ended meanwhile has left the list. Under lock_.
void ring::ask_again_if_due() noexcept {
    if (ask_again_at_ == timer_clock::time_point::max() || timer_clock::now() < ask_again_at_) return;
    ask_again_at_ = timer_clock::time_point::max();
    // ORDER: relaxed; as in ask_again_later().
    asks_again_.store(false, std::memory_order_relaxed);
    // ORDER: relaxed; written under lock_.
    const bool all = ending_ && unfinished_.load(std::memory_order_relaxed) != 0;
    const std::lock_guard lock(inbox_mutex_);
    while (io_operation* operation = asked_.pop_front()) {
        io_operation_access::asked(*operation) = false;
        inbox_.push_back(*operation);
        inbox_full_.store(true);
    }
    if (!all) return;
    all_asked_ = true;
    inbox_full_.store(true);
}

bool ring::prepare_cancel(std::uint64_t target, int flags, std::uint64_t data) noexcept {
    io_uring_sqe* const entry = free_entry();
    if (entry == nullptr) return false;
    io_uring_prep_cancel64(entry, target, flags);
    io_uring_sqe_set_data64(entry, data);
    return true;
}

void ring::prepare_cancellations() noexcept {
    // What waits for an entry must be submitted before its cancellation, which would not find it otherwise.
    if (!inbox_full_.load() || !backlog_.empty()) return;
    const std::lock_guard lock(inbox_mutex_);
    inbox_full_.store(!returned_.empty());
    while (io_operation* operation = inbox_.pop_front()) {
        if (prepare_cancel(data_of(*operation), 0, data_of_cancel)) {
            io_operation_access::asked(*operation) = true;
            asked_.push_back(*operation);
            continue;
        }
        inbox_.push_back(*operation);
        inbox_full_.store(true);
        return;
    }
    if (!all_asked_) return;
    if (prepare_cancel(0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL, data_of_cancel_all)) {
        all_asked_ = false;
        ending_ = true;
    } else {
        inbox_full_.store(true);
    }
}

// Under inbox_mutex_. io_service::cancel() may be about to do the same.
void ring::ask_once_more(io_operation& operation) noexcept {
    forget_asked(operation);
    if (!io_operation_access::listed(operation)) inbox_.push_back(operation);
    inbox_full_.store(true);
}

}  // namespace coex::inline v0::detail
