#include <exec/sync/waitable.hpp>

#include <exec/base/assert.hpp>
#include <exec/base/config.hpp>
#include <exec/base/recycling.hpp>
#include <exec/pool/end_latch.hpp>

#include <thread>

namespace coex::inline v0::detail {

waitable::~waitable() {
    COEX_REQUIRE((load() & waiting) == 0,
                 "an event, mutex or semaphore is destroyed while somebody waits for it: keep it until the waits have "
                 "ended (set or release it, or request their stop)");
}

std::size_t waitable::lock() noexcept {
    std::size_t seen = load();
    for (;;) {
        if ((seen & locked) != 0) {
            std::this_thread::yield();
            seen = load();
        } else if (exchange(seen, seen | locked)) {
            return seen;
        }
    }
}

void waitable::unlock(std::size_t units) noexcept {
    const std::size_t word = units * unit | (waiters_.empty() ? 0 : waiting);
    // ORDER: release; pairs with the exchanges and loads of the word [V1]: publishes the list to the next that locks,
    //   and the count, with what its giver did before, to who takes it. Nobody else writes the word while it is locked.
    state_.store(word, std::memory_order_release);
}

bool waitable::try_take() noexcept {
    std::size_t seen = load();
    while (seen >= unit) {
        if ((seen & locked) != 0) {
            std::this_thread::yield();
            seen = load();
        } else if (exchange(seen, seen - unit)) {
            return true;
        }
    }
    return false;
}

waitable::entry waitable::enter_locked(work_item& waiter) noexcept {
    const bool entered = waiters_.try_push_back(waiter);
    unlock(0);
    // LIFETIME: the waiter may have been told, and what it belongs to be gone.
    return entered ? entry::waits : entry::left;
}

waitable::entry waitable::take_or_enter(work_item& waiter) noexcept {
    const std::size_t units = lock() / unit;
    if (units == 0) return enter_locked(waiter);
    unlock(units - 1);
    return entry::passed;
}

waitable::entry waitable::pass_or_enter(work_item& waiter) noexcept {
    const std::size_t units = lock() / unit;
    if (units == 0) return enter_locked(waiter);
    unlock(units);
    return entry::passed;
}

bool waitable::remove(leaving_waiter& waiter) noexcept {
    const std::size_t word = lock();
    const bool removed = waiters_.remove(waiter);
    unlock(word / unit);
    return removed;
}

// While somebody waits the count is zero: the units go to those who wait, in their order, and nobody overtakes them.
void waitable::give(std::size_t units) noexcept {
    std::size_t seen = load();
    while ((seen & (locked | waiting)) == 0) {
        COEX_REQUIRE(units <= most_units - seen / unit, "semaphore: released more often than it can count");
        if (exchange(seen, seen + units * unit)) return;
    }
    seen = lock();
    work_item* first = nullptr;
    work_item* last = nullptr;
    while (units > 0) {
        work_item* const waiter = waiters_.pop_front();
        if (waiter == nullptr) break;
        waiter->next = nullptr;
        (last == nullptr ? first : last->next) = waiter;
        last = waiter;
        --units;
    }
    unlock(seen / unit + units);
    // LIFETIME: only the waiters are touched from here on, each once.
    waiter_list::tell_all(first);
}

void waitable::give_the_one() noexcept {
    std::size_t seen = load();
    while ((seen & (locked | waiting)) == 0) {
        if (exchange(seen, unit)) return;
    }
    lock();
    work_item* const waiter = waiters_.pop_front();
    if (waiter != nullptr) waiter->next = nullptr;
    unlock(waiter == nullptr ? 1 : 0);
    // LIFETIME: only the waiter is touched from here on.
    waiter_list::tell_all(waiter);
}

void waitable::let_all_pass() noexcept {
    std::size_t seen = load();
    while ((seen & (locked | waiting)) == 0) {
        if (exchange(seen, unit)) return;
    }
    lock();
    work_item* const all = waiters_.take_all();
    unlock(1);
    // LIFETIME: only the waiters are touched from here on, each once.
    waiter_list::tell_all(all);
}

void waitable::take_back() noexcept {
    std::size_t seen = load();
    while (seen >= unit) {
        if ((seen & locked) != 0) {
            std::this_thread::yield();
            seen = load();
        } else if (exchange(seen, 0)) {
            return;
        }
    }
}

/// A coroutine that waits and can be stopped. The callback is registered before the coroutine enters, because
/// afterwards it may be resumed, and all this be gone, at any moment.
class waiting_coroutine::registration final : public leaving_waiter {
public:
    registration(coroutine_base& coroutine, waitable& what) noexcept
        : leaving_waiter(&registration::tell),
          coroutine_(coroutine),
          what_(what),
          callback_(coroutine.stop_token(), leave(*this)) {}

private:
    class leave {
    public:
        explicit leave(registration& self) noexcept : self_(&self) {}
        void operator()() const noexcept {
            if (self_->what_.remove(*self_)) self_->coroutine_.unwind_later();
        }

    private:
        registration* self_;
    };

    static void tell(work_item* self) noexcept { static_cast<registration*>(self)->coroutine_.resume_later(); }

    coroutine_base& coroutine_;
    waitable& what_;
    inplace_stop_callback<leave> callback_;
};

COEX_NOINLINE bool waiting_coroutine::suspend(coroutine_base& coroutine, enter_function* enter) {
    if (coroutine.stop_token().stop_possible()) return suspend_stoppable(coroutine, enter);
    const bool former = coroutine.detach();
    // LIFETIME: once the coroutine has entered, it may be running, or gone, with *this in its frame.
    if (enter(target(), waiter_list::as_waiter(coroutine)) == waitable::entry::waits) return true;
    coroutine.reattach(former);
    return false;
}

bool waiting_coroutine::suspend_stoppable(coroutine_base& coroutine, enter_function* enter) {
    if (coroutine.stop_token().stop_requested()) {
        coroutine.unwind_here();
        return true;
    }
    waitable& what = target();
    auto* const here = recycling_new<registration>(coroutine, what);
    word_ = reinterpret_cast<std::uintptr_t>(here) | registered;
    const bool former = coroutine.detach();
    const waitable::entry entered = enter(what, *here);
    // LIFETIME: once the coroutine has entered, it may be running, or gone, with *this in its frame.
    if (entered == waitable::entry::waits) return true;
    end();
    coroutine.reattach(former);
    if (entered == waitable::entry::passed) return false;
    coroutine.unwind_here();
    return true;
}

COEX_NOINLINE void waiting_coroutine::end_registration() noexcept {
    recycling_delete(reinterpret_cast<registration*>(word_ & ~registered));
    word_ = 0;
}

namespace {

class waiting_thread final : public leaving_waiter {
public:
    waiting_thread() noexcept : leaving_waiter(&waiting_thread::tell) {}

    void stop(waitable& what) noexcept {
        if (!what.remove(*this)) return;
        stopped_ = true;
        told_.end();
    }
    [[nodiscard]] bool wait() noexcept {
        told_.wait();
        return !stopped_;
    }

private:
    static void tell(work_item* self) noexcept { static_cast<waiting_thread*>(self)->told_.end(); }

    end_latch told_;
    bool stopped_ = false;  // written before told_ ends
};

}  // namespace

bool wait_on_thread(waitable& what, waitable::entry (*enter)(waitable&, work_item&) noexcept,
                    inplace_stop_token token) noexcept {
    waiting_thread here;
    const auto stop = [&here, &what]() noexcept { here.stop(what); };
    const inplace_stop_callback callback(token, stop);
    switch (enter(what, here)) {
        case waitable::entry::waits:
            return here.wait();
        case waitable::entry::passed:
            return true;
        case waitable::entry::left:
            break;
    }
    return false;
}

}  // namespace coex::inline v0::detail
