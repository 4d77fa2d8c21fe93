#include <exec/io/blocking.hpp>

#include "pool/pool_core.hpp"
#include "pool/pool_extension.hpp"

#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/error_of.hpp>

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

namespace coex::inline v0 {
namespace detail {
namespace {

/// Calls in their order.
class call_list {
public:
    [[nodiscard]] blocking_call* first() const noexcept { return first_; }

    void push_back(blocking_call& call) noexcept {
        call.following = nullptr;
        call.preceding = last_;
        (last_ == nullptr ? first_ : last_->following) = &call;
        last_ = &call;
    }
    void remove(blocking_call& call) noexcept {
        (call.preceding == nullptr ? first_ : call.preceding->following) = call.following;
        (call.following == nullptr ? last_ : call.following->preceding) = call.preceding;
    }

private:
    blocking_call* first_ = nullptr;
    blocking_call* last_ = nullptr;
};

}  // namespace

/// The calls of the coroutines on one pool, which ends only when there is none. A call counts from when it is queued
/// until its coroutine was handed back.
class blocking_calls final : public pool_extension {
public:
    explicit blocking_calls(pool_core& pool) noexcept : pool_(pool) {}

    /// Those of the pool on which the coroutine is; null when it is elsewhere.
    ///
    /// Errors: std::bad_alloc.
    [[nodiscard]] static blocking_calls* of(const coroutine_base& coroutine) {
        const auto* const found = dynamic_cast<const pool_core*>(&coroutine.context().threads());
        if (found == nullptr) return nullptr;
        const auto make = [](pool_core& core) -> std::unique_ptr<pool_extension> {
            return std::make_unique<blocking_calls>(core);
        };
        return static_cast<blocking_calls*>(&const_cast<pool_core*>(found)->extension(extension_kind::calls, make));
    }

    /// For who has the call for itself: its coroutine goes on, or unwinds. LIFETIME: the call is gone afterwards.
    static void hand_back(blocking_call& call, outcome how) noexcept {
        blocking_calls* const calls = call.calls;
        std::optional<pool_core::visit> visit;
        if (calls != nullptr) visit.emplace(calls->pool_);
        if (how == outcome::stopped) {
            call.coroutine->unwind_later();
        } else {
            call.coroutine->resume_later();
        }
        if (calls == nullptr) return;
        calls->count_.fetch_sub(1);
        calls->pool_.nudge();
    }

    void stop() noexcept override;
    [[nodiscard]] bool quiet() noexcept override { return count_.load() == 0; }

    /// Under the lock of the threads. Returns false when the pool ends.
    [[nodiscard]] bool take_one_more() noexcept {
        if (!stopping_) count_.fetch_add(1);
        return !stopping_;
    }
    void refuse_more() noexcept { stopping_ = true; }

private:
    pool_core& pool_;
    std::atomic<std::size_t> count_{0};
    bool stopping_ = false;  // OWNER: the lock of the threads
};

namespace {

/// The helper threads of the process, and the calls that wait for one.
///
/// **A call is made by one thread, once.** It is in the queue, or with the thread that took it out under the lock; who
/// cancels takes it out under the lock too, or finds that it isn't there: then it has been taken, or it has not come
/// yet and is refused when it comes.
///
/// **The end of a pool** takes its calls out of the queue, as who cancels does. Those in progress it asks to stop,
/// which calls functions of others, so not under the lock: they are pinned meanwhile, and their helpers wait for that.
///
/// **A call in the queue is taken.** start() queues it under the lock, and starts a thread unless so many are idle
/// already that one of them will come for it, or there are as many as may be: those look into the list after their
/// calls. A thread ends only under the lock and with the list empty, or when it is one too many.
///
/// Thread-safe: yes. It lives until the process ends: its threads are detached and leave it only then.
class blocking_threads {
public:
    [[nodiscard]] static blocking_threads& of_process() {
        static auto* const threads = new blocking_threads;
        return *threads;
    }

    void set(blocking_limits limits) {
        const std::lock_guard lock(mutex_);
        limits_ = limits;
        ++changes_of_limits_;
        changed_.notify_all();
    }

    [[nodiscard]] std::size_t count() noexcept {
        const std::lock_guard lock(mutex_);
        return threads_;
    }

    [[nodiscard]] bool start(blocking_call& call) {
        const std::lock_guard lock(mutex_);
        if (call.refused) return false;
        if (waiting_ >= idle_ && threads_ < limits_.threads) start_thread();
        if (call.calls != nullptr && !call.calls->take_one_more()) return false;
        call.queued = true;
        queue_.push_back(call);
        ++waiting_;
        changed_.notify_one();
        return true;
    }

    [[nodiscard]] bool cancel(blocking_call& call) noexcept {
        const std::lock_guard lock(mutex_);
        call.refused = true;
        if (!call.queued) return false;
        take_out(call);
        return true;
    }

    void stop(blocking_calls& ending) noexcept {
        call_list dropped;
        {
            const std::lock_guard lock(mutex_);
            ending.refuse_more();
            for (blocking_call* call = queue_.first(); call != nullptr;) {
                blocking_call& each = *call;
                call = call->following;
                if (each.calls != &ending) continue;
                take_out(each);
                dropped.push_back(each);
            }
            for (blocking_call* call = in_progress_.first(); call != nullptr; call = call->following) {
                call->pinned = call->pinned || call->calls == &ending;
            }
        }
        while (blocking_call* call = dropped.first()) {
            dropped.remove(*call);
            blocking_calls::hand_back(*call, outcome::stopped);
        }
        while (blocking_call* call = pinned_one(ending)) {
            call->stop.request_stop();
            const std::lock_guard lock(mutex_);
            call->pinned = false;
            unpinned_.notify_all();
        }
    }

private:
    // With other threads there the call only waits for one of them.
    void start_thread() {
        COEX_TRY {
            std::thread made([this] { help(); });
            pthread_setname_np(made.native_handle(), "coex-blocking");
            made.detach();
            ++threads_;
        }
        COEX_CATCH(const std::system_error&) {
            if (threads_ != 0) return;
            detail::throw_exception(std::system_error(error_code_of(std::current_exception()),
                                                      "blocking: cannot start a thread for the call"));
        }
    }

    void help() noexcept {
        std::unique_lock lock(mutex_);
        while (threads_ <= limits_.threads) {
            if (queue_.first() == nullptr) {
                ++idle_;
                const bool found = changed_.wait_for(lock, limits_.keep_alive, [this, before = changes_of_limits_] {
                    return queue_.first() != nullptr || changes_of_limits_ != before;
                });
                --idle_;
                if (!found) break;
                continue;
            }
            make_next_call(lock);
        }
        --threads_;
        // What this one was told of, another must hear of.
        if (queue_.first() != nullptr) changed_.notify_one();
    }

    // Under the lock, which it gives up meanwhile.
    void make_next_call(std::unique_lock<std::mutex>& lock) noexcept {
        blocking_call& call = *queue_.first();
        take_out(call);
        in_progress_.push_back(call);
        lock.unlock();
        call.run(&call);
        lock.lock();
        unpinned_.wait(lock, [&call] { return !call.pinned; });
        in_progress_.remove(call);
        lock.unlock();
        blocking_calls::hand_back(call, outcome::value);
        lock.lock();
    }

    void take_out(blocking_call& call) noexcept {
        call.queued = false;
        queue_.remove(call);
        --waiting_;
    }

    [[nodiscard]] blocking_call* pinned_one(const blocking_calls& ending) noexcept {
        const std::lock_guard lock(mutex_);
        blocking_call* call = in_progress_.first();
        while (call != nullptr && (call->calls != &ending || !call->pinned)) call = call->following;
        return call;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::condition_variable unpinned_;
    blocking_limits limits_;  // OWNER: mutex_; and so are the following
    std::size_t changes_of_limits_ = 0;
    call_list queue_;
    call_list in_progress_;
    std::size_t waiting_ = 0;  // in the queue
    std::size_t idle_ = 0;
    std::size_t threads_ = 0;
};

}  // namespace

void blocking_calls::stop() noexcept {
    blocking_threads::of_process().stop(*this);
}

COEX_NOINLINE bool blocking_wait::suspend(coroutine_base& waiting) {
    if (waiting.stop_token().stop_requested()) {
        waiting.unwind_here();
        return true;
    }
    calls = blocking_calls::of(waiting);
    coroutine = &waiting;
    const bool former = waiting.detach();
    // First the callback, then the call: a stop in between is noted in it, and the start refuses it.
    if (waiting.stop_token().stop_possible()) stop_callback_.emplace(waiting.stop_token(), cancel_request{this});
    bool begun = false;
    COEX_TRY {
        begun = blocking_threads::of_process().start(*this);
    }
    COEX_CATCH(...) {
        stop_callback_.reset();
        waiting.reattach(former);
        COEX_RETHROW;
    }
    // LIFETIME: once it has begun, the call may have ended, and *this with it.
    if (begun) return true;
    stop_callback_.reset();
    waiting.reattach(former);
    waiting.unwind_here();
    return true;
}

void blocking_wait::cancel_request::operator()() const noexcept {
    // LIFETIME: the wait lives until its coroutine has resumed or unwound, which ends the callback first.
    if (blocking_threads::of_process().cancel(*wait)) {
        blocking_calls::hand_back(*wait, outcome::stopped);
    } else {
        wait->stop.request_stop();
    }
}

}  // namespace detail

void set_blocking_limits(blocking_limits limits) {
    if (limits.threads == 0) {
        detail::throw_exception(
            std::invalid_argument("set_blocking_limits: threads = 0: calls would wait for ever; allow at least one"));
    }
    if (limits.keep_alive.count() < 0) {
        detail::throw_exception(
            std::invalid_argument("set_blocking_limits: keep_alive = " + std::to_string(limits.keep_alive.count()) +
                                  " ms is negative; 0 ends idle threads at once"));
    }
    detail::blocking_threads::of_process().set(limits);
}

std::size_t blocking_thread_count() noexcept {
    return detail::blocking_threads::of_process().count();
}

}  // namespace coex::inline v0
