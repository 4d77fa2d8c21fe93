#pragma once

#include "io/multishot.hpp"

#include <exec/base/counted.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/stop_token.hpp>

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <mutex>
#include <optional>

namespace coex::inline v0::detail {

class io_service;

/// What all sequences are that one multishot operation fills: that operation, and the task that waits for a part.
///
/// The operation is begun by a task that finds nothing, and goes on until the kernel ends it, enough waits to be taken,
/// or the sequence goes. It is begun anew only when it has ended and nothing is left to take. Until then it keeps the
/// state alive.
///
/// **Who continues the task.** Under the mutex, the part, the end or the stop takes it out of `waiter_`.
///
/// Lock order: the ring's lock, mutex_, the locks of buffers.
class sequence_state : public counted {
public:
    sequence_state(const sequence_state&) = delete;
    sequence_state& operator=(const sequence_state&) = delete;
    virtual ~sequence_state() = default;

    /// The sequence goes: gives back what nobody has taken, and ends the operation.
    void close() noexcept;

protected:
    /// A task that waits for a part, or for a reason to look again.
    class arrival {
    public:
        explicit arrival(sequence_state& state) noexcept : state_(&state) {}
        arrival(const arrival&) = delete;
        arrival& operator=(const arrival&) = delete;
        ~arrival() = default;

        [[nodiscard]] static bool await_ready() noexcept { return false; }
        template <std::derived_from<coroutine_base> Promise>
        bool await_suspend(std::coroutine_handle<Promise> coroutine) {
            return state_->wait(*this, coroutine.promise());
        }
        void await_resume() noexcept { stop_callback_.reset(); }

    private:
        friend class sequence_state;
        struct cancel {
            arrival* self;
            void operator()() const noexcept { self->state_->stop_waiting(*self); }
        };

        sequence_state* state_;
        coroutine_base* coroutine_ = nullptr;
        bool stopped_ = false;  // OWNER: the state's mutex; before it waited
        std::optional<inplace_stop_callback<cancel>> stop_callback_;
    };

    /// What is awaited to get an `arrival`.
    class next_arrival {
    public:
        explicit next_arrival(sequence_state& state) noexcept : state_(&state) {}
        [[nodiscard]] arrival operator co_await() && noexcept { return arrival(*state_); }

    private:
        sequence_state* state_;
    };

    /// Errors: as the first operation of a pool. `group`: whose buffers the parts come in; null for parts without.
    explicit sequence_state(static_thread_pool& pool, counted_ptr<buffer_group> group = nullptr);

    /// Says what is to be asked of the kernel.
    virtual void prepare(io_request& request) const noexcept = 0;

    // The following are called under the mutex.

    /// Whether a task finds something when it looks: otherwise it waits.
    [[nodiscard]] virtual bool has_news() const noexcept = 0;
    /// Keeps a part, or gives it back when the sequence is closed. Returns true when no more are wanted for now.
    [[nodiscard]] virtual bool keep(int part, std::uint16_t number) noexcept = 0;
    /// The operation has ended: with a negated errno, or because there is no more to come.
    virtual void note_end(int result) noexcept = 0;
    /// Gives back what was kept. Nothing comes after that, and nobody looks.
    virtual void drop_all() noexcept = 0;

    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    [[nodiscard]] bool is_in_flight() const noexcept { return in_flight_; }
    /// The buffers in which the last operation's parts came.
    [[nodiscard]] const counted_ptr<ring_buffers>& buffers() const noexcept { return operation_->buffers(); }

    [[nodiscard]] static_thread_pool& pool() const noexcept { return pool_; }
    [[nodiscard]] const counted_ptr<buffer_group>& group() const noexcept { return group_; }
    [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }

private:
    class filling final : public multishot_operation {
    public:
        explicit filling(sequence_state& state) noexcept;
        void part_came(int part, std::uint16_t number) noexcept override { state_->part_came(part, number); }
        std::unique_lock<std::mutex> hold_descriptor() noexcept override { return state_->hold_descriptor(); }
        void ended(int result) noexcept override { state_->ended(result); }

    private:
        sequence_state* state_;
    };

    [[nodiscard]] bool wait(arrival& task, coroutine_base& coroutine) noexcept;
    void stop_waiting(arrival& task) noexcept;
    void part_came(int part, std::uint16_t number) noexcept;
    [[nodiscard]] std::unique_lock<std::mutex> hold_descriptor() noexcept;
    void ended(int result) noexcept;

    static_thread_pool& pool_;
    io_service& service_;
    const counted_ptr<buffer_group> group_;

    std::mutex mutex_;
    // All below, OWNER: mutex_.
    std::optional<filling> operation_;  // the last one
    counted_ptr<sequence_state> self_;  // while the operation is in flight
    bool in_flight_ = false;
    bool cancelled_ = false;  // the operation in flight was asked to end, which may be done once
    bool closed_ = false;     // the sequence has gone
    arrival* waiter_ = nullptr;
};

}  // namespace coex::inline v0::detail
