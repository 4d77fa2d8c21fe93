#include "io/sequence_state.hpp"

#include "io/operation_access.hpp"
#include "io/service.hpp"

#include <cerrno>
#include <utility>

namespace coex::inline v0::detail {

sequence_state::filling::filling(sequence_state& state) noexcept
    : multishot_operation(state.pool_, state.group_), state_(&state) {
    state.prepare(request_);
}

sequence_state::sequence_state(static_thread_pool& pool, counted_ptr<buffer_group> group)
    : pool_(pool), service_(io_service::of(pool)), group_(std::move(group)) {}

bool sequence_state::wait(arrival& task, coroutine_base& coroutine) noexcept {
    if (coroutine.stop_token().stop_requested()) {
        coroutine.unwind_here();
        return true;
    }
    const bool at_home = &coroutine.context().threads() == &service_.pool();
    const bool former = coroutine.detach();
    task.coroutine_ = &coroutine;
    if (coroutine.stop_token().stop_possible()) {
        task.stop_callback_.emplace(coroutine.stop_token(), arrival::cancel{&task});
    }
    std::unique_lock lock(mutex_);
    if (has_news()) {
        lock.unlock();
        task.stop_callback_.reset();
        coroutine.reattach(former);
        return false;
    }
    if (task.stopped_) {
        lock.unlock();
        coroutine.unwind_later();
        return true;
    }
    waiter_ = &task;
    if (in_flight_) return true;
    in_flight_ = true;
    cancelled_ = false;
    operation_.emplace(*this);
    io_operation_access::service(*operation_) = &service_;
    self_ = counted_ptr<sequence_state>(this);
    service_.announce_one();
    lock.unlock();
    // LIFETIME: a stop may have ended the coroutine, and its owner the sequence. The operation keeps the state until it
    //   has ended; being announced, it keeps the pool.
    service_.begin_announced(*operation_, at_home);
    return true;
}

void sequence_state::stop_waiting(arrival& task) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (waiter_ != &task) {
            task.stopped_ = true;
            return;
        }
        waiter_ = nullptr;
    }
    task.coroutine_->unwind_later();
}

void sequence_state::part_came(int part, std::uint16_t number) noexcept {
    arrival* waiter = nullptr;
    bool cancels = false;
    {
        const std::lock_guard lock(mutex_);
        const bool enough = keep(part, number);
        if (!closed_) {
            cancels = enough && !cancelled_;
            cancelled_ = cancelled_ || cancels;
            waiter = std::exchange(waiter_, nullptr);
        }
    }
    if (cancels) service_.cancel(*operation_);
    if (waiter != nullptr) waiter->coroutine_->resume_later();
}

std::unique_lock<std::mutex> sequence_state::hold_descriptor() noexcept {
    std::unique_lock lock(mutex_);
    if (closed_) lock.unlock();
    return lock;
}

void sequence_state::ended(int result) noexcept {
    arrival* waiter = nullptr;
    bool stopped = false;
    counted_ptr<sequence_state> self;
    {
        const std::lock_guard lock(mutex_);
        in_flight_ = false;
        stopped = result == -ECANCELED && !cancelled_;
        if (result != -ECANCELED) note_end(result);
        waiter = std::exchange(waiter_, nullptr);
        self = std::move(self_);
    }
    if (waiter == nullptr) return;
    if (stopped) {
        waiter->coroutine_->unwind_later();
    } else {
        waiter->coroutine_->resume_later();
    }
}

void sequence_state::close() noexcept {
    bool cancels = false;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        cancels = in_flight_ && !std::exchange(cancelled_, true);
        drop_all();
    }
    if (cancels) service_.cancel(*operation_);
}

}  // namespace coex::inline v0::detail
