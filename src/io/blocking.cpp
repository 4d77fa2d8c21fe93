#include <exec/io/blocking.hpp>

#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/error_of.hpp>

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

namespace coex::inline v0 {
namespace detail {
namespace {

/// The helper threads of the process, and the calls that wait for one.
///
/// **A call is made by one thread, once.** It is in the list, or with the thread that took it out under the lock; who
/// cancels takes it out under the lock too, or finds that it isn't there: then it has been taken, or it has not come
/// yet and is refused when it comes.
///
/// **A call in the list is taken.** start() queues it under the lock, and starts a thread unless so many are idle
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
        push_back(call);
        changed_.notify_one();
        return true;
    }

    [[nodiscard]] bool cancel(blocking_call& call) noexcept {
        const std::lock_guard lock(mutex_);
        call.refused = true;
        if (!call.listed) return false;
        remove(call);
        return true;
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
            if (first_ == nullptr) {
                ++idle_;
                const bool found = changed_.wait_for(lock, limits_.keep_alive, [this, before = changes_of_limits_] {
                    return first_ != nullptr || changes_of_limits_ != before;
                });
                --idle_;
                if (!found) break;
                continue;
            }
            blocking_call& call = *first_;
            remove(call);
            lock.unlock();
            call.run(&call);
            // LIFETIME: the call is gone.
            lock.lock();
        }
        --threads_;
        // What this one was told of, another must hear of.
        if (first_ != nullptr) changed_.notify_one();
    }

    void push_back(blocking_call& call) noexcept {
        call.listed = true;
        call.following = nullptr;
        call.preceding = last_;
        (last_ == nullptr ? first_ : last_->following) = &call;
        last_ = &call;
        ++waiting_;
    }
    void remove(blocking_call& call) noexcept {
        call.listed = false;
        (call.preceding == nullptr ? first_ : call.preceding->following) = call.following;
        (call.following == nullptr ? last_ : call.following->preceding) = call.preceding;
        --waiting_;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    blocking_limits limits_;  // OWNER: mutex_; and so are the following
    std::size_t changes_of_limits_ = 0;
    blocking_call* first_ = nullptr;
    blocking_call* last_ = nullptr;
    std::size_t waiting_ = 0;
    std::size_t idle_ = 0;
    std::size_t threads_ = 0;
};

}  // namespace

bool start_blocking(blocking_call& call) {
    return blocking_threads::of_process().start(call);
}

bool cancel_blocking(blocking_call& call) noexcept {
    return blocking_threads::of_process().cancel(call);
}

COEX_NOINLINE bool blocking_wait::suspend(coroutine_base& coroutine) {
    if (coroutine.stop_token().stop_requested()) {
        coroutine.unwind_here();
        return true;
    }
    coroutine_ = &coroutine;
    const bool former = coroutine.detach();
    // First the callback, then the call: a stop in between is noted in it, and the start refuses it.
    if (coroutine.stop_token().stop_possible()) stop_callback_.emplace(coroutine.stop_token(), cancel_request{this});
    bool begun = false;
    COEX_TRY {
        begun = start_blocking(*this);
    }
    COEX_CATCH(...) {
        stop_callback_.reset();
        coroutine.reattach(former);
        COEX_RETHROW;
    }
    // LIFETIME: once it has begun, the call may have ended, and *this with it.
    if (begun) return true;
    stop_callback_.reset();
    coroutine.reattach(former);
    coroutine.unwind_here();
    return true;
}

void blocking_wait::cancel_request::operator()() const noexcept {
    // LIFETIME: the wait lives until its coroutine has resumed or unwound, which ends the callback first.
    if (cancel_blocking(*wait)) wait->coroutine_->unwind_later();
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
