#pragma once

#include <exec/sync/ring_buffer.hpp>
#include <exec/sync/waiter_list.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>

namespace coex::inline v0::detail {

enum class channel_step : unsigned char {
    done,   // the value was sent or received
    ended,  // nobody is left at the other end
    full,   // or empty: the step must wait, and no waiter was given
    waits,  // the waiter has entered
    left,   // the waiter's stop was requested before it could enter
};

/// Waits for a value. Who tells it has put the value there, unless the channel has ended.
template <class T>
struct receiving_waiter : leaving_waiter {
    explicit receiving_waiter(run_function* tell) noexcept : leaving_waiter(tell) {}
    std::optional<T> value;  // OWNER: the channel's lock, until it is told
};

/// Waits for room. Who tells it has moved the value away, unless nobody receives any more.
template <class T>
struct sending_waiter : leaving_waiter {
    explicit sending_waiter(run_function* tell) noexcept : leaving_waiter(tell) {}
    T* value = nullptr;  // moved from only when taken
    bool taken = false;  // OWNER: the channel's lock, until it is told
};

/// What all ends of a channel share.
///
/// I1: receivers wait only while no value is here, senders only while there is no room; so never both.
/// I2: a value goes to the receiver that has waited longest, its place to the sender that has waited longest; both
///     change hands under the lock. A waiter is in its list, or told once, or has left: no value is lost with it.
/// I3: the last end of a kind [G1] counts itself out before it takes the lock and tells those who wait; who comes to
/// wait
///     reads the count under the lock. So either it sees that the other end is gone, or it is told.
///
/// The lock is held while a value is moved; nobody is told, and nothing of the user's is destroyed, under it.
///
/// Thread-safe: yes.
template <class T>
class channel_state {
public:
    explicit channel_state(std::size_t capacity) noexcept : capacity_(capacity) {}
    channel_state(const channel_state&) = delete;
    channel_state& operator=(const channel_state&) = delete;

    // --- who has an end ---------------------------------------------------------------------------------------------

    void add_sender() noexcept { add(senders_); }
    void add_receiver() noexcept { add(receivers_); }

    /// LIFETIME: *this may be gone when this returns.
    void drop_sender() noexcept {
        if (senders_.fetch_sub(1) == 1) {
            std::unique_lock lock(mutex_);
            // Somebody may have made a new sender meanwhile [G1].
            work_item* const told = senders_.load() == 0 ? waiting_receivers_.take_all() : nullptr;
            lock.unlock();
            waiter_list::tell_all(told);
        }
        drop();
    }
    void drop_receiver() noexcept {
        if (receivers_.fetch_sub(1) == 1) {
            ring_buffer<T> unreceived;
            std::unique_lock lock(mutex_);
            work_item* const told = waiting_senders_.take_all();
            unreceived.swap(values_);
            lock.unlock();
            waiter_list::tell_all(told);
        }
        drop();
    }

    [[nodiscard]] bool has_receivers() const noexcept { return receivers_.load() != 0; }

    // --- steps ------------------------------------------------------------------------------------------------------

    /// Takes the oldest value, or enters the waiter, if there is one.
    [[nodiscard]] channel_step receive(std::optional<T>& value, receiving_waiter<T>* waiter) noexcept {
        std::unique_lock lock(mutex_);
        if (!values_.empty()) {
            value.emplace(std::move(values_.front()));
            values_.pop_front();
            work_item* const sender = waiting_senders_.pop_front();
            if (sender != nullptr) values_.push_back(take_from(*sender));  // allocates nothing: something was taken out
            lock.unlock();
            tell(sender);
            return channel_step::done;
        }
        if (work_item* const sender = waiting_senders_.pop_front()) {  // of a channel that has no room for any value
            value.emplace(take_from(*sender));
            lock.unlock();
            tell(sender);
            return channel_step::done;
        }
        if (senders_.load() == 0) return channel_step::ended;
        return enter(waiting_receivers_, waiter);
    }

    /// Moves `value` to the receiver that waits, or where there is room, or enters the waiter, if there is one.
    ///
    /// Errors: std::bad_alloc; then the value is as it was.
    [[nodiscard]] channel_step send(T& value, sending_waiter<T>* waiter) {
        std::unique_lock lock(mutex_);
        if (receivers_.load() == 0) return channel_step::ended;
        if (work_item* const receiver = waiting_receivers_.pop_front()) {
            static_cast<receiving_waiter<T>*>(receiver)->value.emplace(std::move(value));
            lock.unlock();
            tell(receiver);
            return channel_step::done;
        }
        if (values_.size() < capacity_) {
            values_.push_back(std::move(value));
            return channel_step::done;
        }
        return enter(waiting_senders_, waiter);
    }

    /// Take a waiter out whose stop was requested. Return false when it is being told, or has not entered.
    [[nodiscard]] bool remove(receiving_waiter<T>& waiter) noexcept {
        const std::lock_guard lock(mutex_);
        return waiting_receivers_.remove(waiter);
    }
    [[nodiscard]] bool remove(sending_waiter<T>& waiter) noexcept {
        const std::lock_guard lock(mutex_);
        return waiting_senders_.remove(waiter);
    }

private:
    ~channel_state() = default;

    void add(std::atomic<std::size_t>& ends) noexcept {
        ends.fetch_add(1);
        // ORDER: relaxed; who adds an end has one, or is the first: the object is there, and its count not zero.
        owners_.fetch_add(1, std::memory_order_relaxed);
    }
    void drop() noexcept {
        // ORDER: acq_rel; each owner's accesses happen before the last one destroys the object.
        if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    template <class Waiter>
    [[nodiscard]] static channel_step enter(waiter_list& list, Waiter* waiter) noexcept {
        if (waiter == nullptr) return channel_step::full;
        return list.try_push_back(*waiter) ? channel_step::waits : channel_step::left;
    }
    [[nodiscard]] static T&& take_from(work_item& sender) noexcept {
        auto& waiter = static_cast<sending_waiter<T>&>(sender);
        waiter.taken = true;
        return std::move(*waiter.value);
    }
    static void tell(work_item* waiter) noexcept {
        if (waiter != nullptr) waiter->run(waiter);
    }

    const std::size_t capacity_;  // the most values that wait here
    std::atomic<std::size_t> senders_{0};
    std::atomic<std::size_t> receivers_{0};
    std::atomic<std::size_t> owners_{0};  // both kinds, as long as they touch this
    std::mutex mutex_;
    ring_buffer<T> values_;          // OWNER: mutex_
    waiter_list waiting_receivers_;  // OWNER: mutex_
    waiter_list waiting_senders_;    // OWNER: mutex_
};

}  // namespace coex::inline v0::detail
