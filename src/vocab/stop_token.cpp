#include <exec/vocab/stop_token.hpp>

#include <exec/base/assert.hpp>
#include <exec/base/config.hpp>

#include <thread>

namespace coex::inline v0 {
namespace {

/// Names the calling thread: an address that no other thread has at the same time.
COEX_NOINLINE const void* this_thread() noexcept {
    static thread_local const char place = 0;
    return &place;
}

}  // namespace

// The life of a callback. It is in the list (previous_ != null) until either its destructor takes it out, or
// request_stop() does and runs it. Both take the lock to decide, so exactly one of them wins. When request_stop() won,
// the destructor must wait for the end of the call: it spins on finished_, unless it runs inside the very call (the
// callback destroys itself), where it only reports through destroyed_ that the object is gone.

inplace_stop_source::~inplace_stop_source() {
    COEX_REQUIRE(callbacks_ == nullptr,
                 "inplace_stop_source destroyed while callbacks are registered: keep the source alive until the "
                 "operations that use its tokens have ended");
    // Not null only while request_stop() is running: then this is one of its callbacks, on its thread.
    if (destroyed_ != nullptr) *destroyed_ = true;
}

void inplace_stop_source::lock() const noexcept {
    // ORDER: acquire; pairs with the release in unlock() [T2]: the list as the previous holder left it.
    while ((state_.fetch_or(locked, std::memory_order_acquire) & locked) != 0) std::this_thread::yield();
}

void inplace_stop_source::unlock() const noexcept {
    // ORDER: release; pairs with the acquire in lock() [T2]: publishes the changed list to the next holder.
    state_.fetch_and(~locked, std::memory_order_release);
}

bool inplace_stop_source::request_stop() noexcept {
    lock();
    // ORDER: acq_rel; release pairs with the acquire in stop_requested() [T1]; the lock is held, so nobody else sets
    // it.
    if ((state_.fetch_or(requested, std::memory_order_acq_rel) & requested) != 0) {
        unlock();
        return false;
    }
    requester_ = this_thread();
    bool source_destroyed = false;
    destroyed_ = &source_destroyed;
    while (callbacks_ != nullptr) {
        detail::stop_callback_base* callback = callbacks_;
        callbacks_ = callback->next_;
        if (callbacks_ != nullptr) callbacks_->previous_ = &callbacks_;
        callback->previous_ = nullptr;
        bool destroyed = false;
        callback->destroyed_ = &destroyed;
        unlock();

        callback->invoke_(callback);
        // LIFETIME: the callback may have destroyed itself; otherwise it is gone as soon as finished_ is set.
        if (!destroyed) {
            callback->destroyed_ = nullptr;
            // ORDER: release; pairs with the acquire in remove() [T3]: the call is over before the object goes.
            callback->finished_.store(true, std::memory_order_release);
        }
        // LIFETIME: the callback may have ended what owns this source.
        if (source_destroyed) return true;
        lock();
    }
    destroyed_ = nullptr;
    unlock();
    return true;
}

bool inplace_stop_source::try_add(detail::stop_callback_base& callback) const noexcept {
    lock();
    // ORDER: relaxed; the lock is held and `requested` is set only under it.
    if ((state_.load(std::memory_order_relaxed) & requested) != 0) {
        unlock();
        return false;
    }
    callback.next_ = callbacks_;
    callback.previous_ = &callbacks_;
    if (callbacks_ != nullptr) callbacks_->previous_ = &callback.next_;
    callbacks_ = &callback;
    unlock();
    return true;
}

void inplace_stop_source::remove(detail::stop_callback_base& callback) const noexcept {
    lock();
    if (callback.previous_ != nullptr) {
        *callback.previous_ = callback.next_;
        if (callback.next_ != nullptr) callback.next_->previous_ = callback.previous_;
        unlock();
        return;
    }
    const bool inside_request = requester_ == this_thread();
    unlock();
    if (inside_request) {
        if (callback.destroyed_ != nullptr) *callback.destroyed_ = true;
        return;
    }
    // ORDER: acquire; pairs with the release in request_stop() [T3]: nothing of the call is in progress afterwards.
    while (!callback.finished_.load(std::memory_order_acquire)) std::this_thread::yield();
}

namespace detail {

void stop_callback_base::attach() noexcept {
    if (source_ == nullptr) return;
    if (!source_->try_add(*this)) {
        source_ = nullptr;  // never in the list: the destructor has nothing to do
        invoke_(this);
    }
}

void stop_callback_base::detach() noexcept {
    if (source_ != nullptr) source_->remove(*this);
}

}  // namespace detail
}  // namespace coex::inline v0
