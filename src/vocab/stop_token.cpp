#include <exec/vocab/stop_token.hpp>

#include <exec/base/assert.hpp>
#include <exec/base/config.hpp>

#include <thread>

#include <memory>
#include <new>

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

namespace detail {

void stop_state::end() noexcept {
    // ORDER: relaxed; as in was_used().
    if ((state_.load(std::memory_order_relaxed) & used) == 0) return;
    COEX_REQUIRE(list_.callbacks == nullptr,
                 "inplace_stop_source destroyed while callbacks are registered: keep the source alive until the "
                 "operations that use its tokens have ended");
    // Not null only while request_stop() is running: then this is one of its callbacks, on its thread.
    if (list_.destroyed != nullptr) *list_.destroyed = true;
}

void stop_state::lock() const noexcept {
    // ORDER: acquire; pairs with the release in unlock() [T2]: the list as the previous holder left it.
    unsigned before = 0;
    while (((before = state_.fetch_or(locked | used, std::memory_order_acquire)) & locked) != 0) {
        std::this_thread::yield();
    }
    if ((before & used) == 0) ::new (static_cast<void*>(&list_)) list();
}

void stop_state::unlock() const noexcept {
    // ORDER: release; pairs with the acquire in lock() [T2]: publishes the changed list to the next holder.
    state_.fetch_and(~locked, std::memory_order_release);
}

bool stop_state::request_stop() noexcept {
    lock();
    // ORDER: acq_rel; release pairs with the acquire in stop_requested() [T1]; the lock is held, so nobody else sets
    // it.
    if ((state_.fetch_or(requested, std::memory_order_acq_rel) & requested) != 0) {
        unlock();
        return false;
    }
    list_.requester = this_thread();
    bool source_destroyed = false;
    list_.destroyed = &source_destroyed;
    while (list_.callbacks != nullptr) {
        stop_callback_base* callback = list_.callbacks;
        list_.callbacks = callback->next_;
        if (list_.callbacks != nullptr) list_.callbacks->previous_ = &list_.callbacks;
        callback->previous_ = nullptr;
        bool destroyed = false;
        callback->destroyed_ = &destroyed;  // out of the list: the link is not needed any more
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
    list_.destroyed = nullptr;
    unlock();
    return true;
}

bool stop_state::try_add(stop_callback_base& callback) const noexcept {
    // First the way on which a request from above arrives; then the callback: a request that came before is seen below.
    if (parent_ != nullptr) const_cast<nested_stop_source*>(static_cast<const nested_stop_source*>(this))->link();
    return try_add_here(callback);
}

bool stop_state::try_add_here(stop_callback_base& callback) const noexcept {
    lock();
    // ORDER: relaxed; the lock is held and `requested` is set only under it.
    if ((state_.load(std::memory_order_relaxed) & requested) != 0) {
        unlock();
        return false;
    }
    callback.next_ = list_.callbacks;
    callback.previous_ = &list_.callbacks;
    if (list_.callbacks != nullptr) list_.callbacks->previous_ = &callback.next_;
    list_.callbacks = &callback;
    unlock();
    return true;
}

void stop_state::remove(stop_callback_base& callback) const noexcept {
    lock();
    if (callback.previous_ != nullptr) {
        *callback.previous_ = callback.next_;
        if (callback.next_ != nullptr) callback.next_->previous_ = callback.previous_;
        unlock();
        return;
    }
    const bool inside_request = list_.requester == this_thread();
    unlock();
    if (inside_request) {
        if (callback.destroyed_ != nullptr) *callback.destroyed_ = true;
        return;
    }
    // ORDER: acquire; pairs with the release in request_stop() [T3]: nothing of the call is in progress afterwards.
    while (!callback.finished_.load(std::memory_order_acquire)) std::this_thread::yield();
}

void stop_callback_base::attach() noexcept {
    if (source_ == nullptr) return;
    attached(source_->try_add(*this));
}

void stop_callback_base::attached(bool added) noexcept {
    if (!added) {
        source_ = nullptr;  // never in the list: the destructor has nothing to do
        invoke_(this);
    }
}

void stop_callback_base::detach() noexcept {
    if (source_ != nullptr) source_->remove(*this);
}

nested_stop_source::forwarding::forwarding(nested_stop_source& to) noexcept
    : stop_callback_base(to.parent_,
                         [](stop_callback_base* self) noexcept { static_cast<forwarding*>(self)->to_.request_stop(); }),
      to_(to) {}

// Upwards, not recursively, however deeply sources are nested. When a request comes to a source above before the link
// to it is made, then making that link finds the request, and passes it down by the links that were made before.
void nested_stop_source::link() noexcept {
    nested_stop_source* source = this;
    while (source->parent_ != nullptr && (source->state_.fetch_or(linked) & linked) == 0) {
        const stop_state* const parent = source->parent_;
        auto* const made = ::new (static_cast<void*>(&source->forwarding_)) forwarding(*source);
        made->attached(parent->try_add_here(*made));
        // LIFETIME: the source is there still: its callback is about to be registered by work that its owner awaits.
        if (parent->parent_ == nullptr) break;
        source = const_cast<nested_stop_source*>(static_cast<const nested_stop_source*>(parent));
    }
}

void nested_stop_source::unlink_and_end() noexcept {
    // ORDER: relaxed; as in was_used().
    if ((state_.load(std::memory_order_relaxed) & linked) != 0) {
        forwarding_.detach();
        std::destroy_at(&forwarding_);
    }
    end();
}

}  // namespace detail
}  // namespace coex::inline v0
