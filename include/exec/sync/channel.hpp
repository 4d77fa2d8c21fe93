#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/std_ranges.hpp>
#include <exec/sync/channel_state.hpp>
#include <exec/sync/channel_waiting.hpp>
#include <exec/vocab/stop_token.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

/// How an attempt to send has ended. Unless `sent`, the value is as it was.
enum class send_status : unsigned char { sent, full, no_receiver };

/// An end of a channel that sends. Copyable: each copy counts as a sender.
///
/// Thread-safe: yes, also of one object; copying and destroying as of any object.
/// Lifetime:    must outlive the sends through it. The channel itself may be gone.
template <class T>
class channel_sender {
public:
    explicit channel_sender(detail::channel_state<T>& state) noexcept : state_(&state) { state_->add_sender(); }
    channel_sender(const channel_sender& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) state_->add_sender();
    }
    channel_sender(channel_sender&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    channel_sender& operator=(channel_sender other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~channel_sender() {
        if (state_ != nullptr) state_->drop_sender();
    }

    /// Sends `value`; while a bounded channel is full, blocks the calling thread, or on a worker runs its pool's other
    /// work. Returns false when the value was not taken (it is as it was then): nobody receives any more, or `token`
    /// was stopped first.
    ///
    /// Errors: std::bad_alloc; then the value is as it was.
    bool send(T&& value, inplace_stop_token token = {}) const {
        if (token.stop_requested()) return false;
        const detail::channel_step made = state().send(value, nullptr);
        if (made != detail::channel_step::full) return made == detail::channel_step::done;
        detail::step_of_thread<detail::send_step<T>> step(*state_, value);
        return step.make(token);
    }
    bool send(const T& value, inplace_stop_token token = {}) const {
        T copy(value);
        return send(std::move(copy), token);
    }

    /// Sends `value` if that needs no waiting.
    ///
    /// Errors: std::bad_alloc; then the value is as it was.
    [[nodiscard]] send_status try_send(T&& value) const {
        switch (state().send(value, nullptr)) {
            case detail::channel_step::done:
                return send_status::sent;
            case detail::channel_step::ended:
                return send_status::no_receiver;
            default:
                return send_status::full;
        }
    }
    [[nodiscard]] send_status try_send(const T& value) const {
        T copy(value);
        return try_send(std::move(copy));
    }

    /// `co_await tx.async_send(value)`: the same as `send`, holding no thread while it waits. A sender, too.
    ///
    /// Completes: with true, or with false when nobody receives any more.
    /// Errors:    std::bad_alloc.
    /// Cancel:    by the stop token of the awaiting task, also while there is room; the value is not sent then.
    [[nodiscard]] detail::send_sender<T> async_send(T value) const noexcept {
        return detail::send_sender<T>(state(), std::move(value));
    }

    /// False once nobody will receive any more.
    [[nodiscard]] bool has_receivers() const noexcept { return state().has_receivers(); }

    /// False after it was moved from.
    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

private:
    [[nodiscard]] detail::channel_state<T>& state() const noexcept {
        COEX_REQUIRE(state_ != nullptr, "channel_sender: used after it was moved from; copy it, or move it last");
        return *state_;
    }

    detail::channel_state<T>* state_;
};

/// An end of a channel that receives. Copyable: receivers share the values, each goes to one of them.
///
/// Thread-safe: yes, also of one object; copying and destroying as of any object.
/// Lifetime:    must outlive the receives through it. The channel itself may be gone.
template <class T>
class channel_receiver {
public:
    explicit channel_receiver(detail::channel_state<T>& state) noexcept : state_(&state) { state_->add_receiver(); }
    channel_receiver(const channel_receiver& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) state_->add_receiver();
    }
    channel_receiver(channel_receiver&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    channel_receiver& operator=(channel_receiver other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~channel_receiver() {
        if (state_ != nullptr) state_->drop_receiver();
    }

    /// `while (auto value = co_await rx.receive())`: holds no thread while it waits. A sender, too.
    ///
    /// Completes: with the oldest value; with nothing when there is none and the last sender is gone.
    /// Cancel:    by the stop token of the awaiting task, also while there are values; none is lost.
    [[nodiscard]] detail::receive_sender<T> receive() const noexcept { return detail::receive_sender<T>(state()); }

    /// The oldest value, or nothing when there is none now.
    [[nodiscard]] std::optional<T> try_receive() const noexcept {
        std::optional<T> value;
        static_cast<void>(state().receive(value, nullptr));
        return value;
    }

    /// Blocks the calling thread until there is a value. On a worker, its pool's other work is run meanwhile. Returns
    /// nothing when the last sender is gone, or `token` was stopped first.
    [[nodiscard]] std::optional<T> wait_receive(inplace_stop_token token = {}) const noexcept {
        std::optional<T> value;
        if (token.stop_requested() || state().receive(value, nullptr) != detail::channel_step::full) return value;
        detail::step_of_thread<detail::receive_step<T>> step(*state_);
        return step.make(token);
    }

    /// `for (T& value : rx)`, on a plain thread or a worker: calls `wait_receive()` until it returns nothing.
    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using difference_type = std::ptrdiff_t;
        using value_type = T;

        explicit iterator(const channel_receiver& from) : from_(&from) { ++*this; }
        [[nodiscard]] T& operator*() const noexcept { return *value_; }
        [[nodiscard]] T* operator->() const noexcept { return &*value_; }
        iterator& operator++() {
            value_ = from_->wait_receive();
            return *this;
        }
        void operator++(int) { ++*this; }
        [[nodiscard]] friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept {
            return !at.value_.has_value();
        }

    private:
        const channel_receiver* from_;
        mutable std::optional<T> value_;
    };
    [[nodiscard]] iterator begin() const { return iterator(*this); }
    [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

    /// False after it was moved from.
    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

protected:
    [[nodiscard]] detail::channel_state<T>& state() const noexcept {
        COEX_REQUIRE(state_ != nullptr, "channel: used after it was moved from");
        return *state_;
    }

private:
    detail::channel_state<T>* state_;
};

/// Hands values from tasks and threads to others, first in, first out. The channel itself is a receiver: what posted
/// tasks find, `for (auto& result : channel)` collects.
///
/// *Its end.* A loop over it, or over one of its receivers, ends when all values have been received and the last sender
/// is gone; without any sender, at once: so make the senders before the loop. When the last receiver is gone, values
/// that nobody received are destroyed, and senders learn that theirs was not taken.
///
/// Thread-safe: yes.
/// Lifetime:    senders and receivers may outlive it.
/// Complexity:  one allocation; the room for values doubles as it is needed, and is given back with the channel.
template <class T>
class channel : public channel_receiver<T> {
    static_assert(std::is_object_v<T> && std::is_nothrow_move_constructible_v<T>,
                  "coex: a channel moves its values under a lock, so T must be an object type whose move constructor "
                  "does not throw; send a std::unique_ptr to it otherwise");

public:
    static constexpr std::size_t unbounded = SIZE_MAX;

    /// At most `capacity` values wait in it, those of waiting senders not counted; with 0, a sender waits until its
    /// value is received.
    explicit channel(std::size_t capacity = unbounded) : channel_receiver<T>(*new detail::channel_state<T>(capacity)) {}
    channel(channel&&) noexcept = default;
    channel& operator=(channel&&) noexcept = default;

    [[nodiscard]] channel_sender<T> sender() const noexcept { return channel_sender<T>(this->state()); }
    [[nodiscard]] channel_receiver<T> receiver() const noexcept { return channel_receiver<T>(this->state()); }
};

}  // namespace coex::inline v0
