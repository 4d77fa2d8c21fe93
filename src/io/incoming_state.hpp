#pragma once

#include "io/multishot.hpp"

#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/incoming.hpp>
#include <exec/vocab/stop_token.hpp>

#include <sys/socket.h>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace coex::inline v0::detail {

class io_service;

/// What an incoming sequence is: a queue of parts, the multishot receive that fills it, and the task that waits.
///
/// The receive is begun by a task that finds nothing, and goes on until the kernel ends it, `ahead` parts wait, or the
/// sequence goes; so bytes stay in the socket, or come into the queue in their order, and are never dropped before the
/// sequence goes. It is begun anew only when it has ended and the queue is empty. Until then it keeps the state alive.
///
/// **Out of buffers** the kernel ends it. The task that waits then receives by a plain call into memory of its own,
/// which waits for nobody. The same is what happens without io_uring.
///
/// **Who continues the task.** Under the mutex, the part, the end or the stop takes it out of `waiter_`.
///
/// Lock order: the ring's lock, mutex_; under mutex_ nothing of others is called.
class incoming_state : public std::enable_shared_from_this<incoming_state> {
public:
    enum class kind : unsigned char { bytes, datagrams };

    incoming_state(socket& from, kind what, const receive_buffers& buffers, incoming_options options);
    incoming_state(const incoming_state&) = delete;
    incoming_state& operator=(const incoming_state&) = delete;
    ~incoming_state() = default;

    /// Waits for the next part; with none at the end of the stream.
    [[nodiscard]] static task<std::optional<received_datagram>> next(std::shared_ptr<incoming_state> self);

    /// The sequence goes: gives everything back, and ends the receive.
    void close() noexcept;

private:
    class receive final : public multishot_operation {
    public:
        explicit receive(incoming_state& state) noexcept;
        void part_came(unsigned bytes, std::uint16_t number) noexcept override { state_->part_came(bytes, number); }
        void ended(int result) noexcept override { state_->ended(result); }

    private:
        incoming_state* state_;
    };

    /// A task that waits for a part, or for a reason to look again.
    class arrival {
    public:
        explicit arrival(incoming_state& state) noexcept : state_(&state) {}
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
        friend class incoming_state;
        struct cancel {
            arrival* self;
            void operator()() const noexcept { self->state_->stop_waiting(*self); }
        };

        incoming_state* state_;
        coroutine_base* coroutine_ = nullptr;
        bool stopped_ = false;  // OWNER: the state's mutex; before it waited
        std::optional<inplace_stop_callback<cancel>> stop_callback_;
    };

    /// What is awaited to get an `arrival`.
    class next_arrival {
    public:
        explicit next_arrival(incoming_state& state) noexcept : state_(&state) {}
        [[nodiscard]] arrival operator co_await() && noexcept { return arrival(*state_); }

    private:
        incoming_state* state_;
    };

    enum class step : unsigned char { take, end, fail, receive_plainly, wait };

    [[nodiscard]] step look() const noexcept;
    [[nodiscard]] received_datagram take();
    [[nodiscard]] int receive_now(received_datagram& into);
    void note(int result) noexcept;
    [[nodiscard]] bool wait(arrival& task, coroutine_base& coroutine) noexcept;
    void stop_waiting(arrival& task) noexcept;
    void part_came(unsigned bytes, std::uint16_t number) noexcept;
    void ended(int result) noexcept;

    static_thread_pool& pool_;
    io_service& service_;
    const int descriptor_;
    const kind kind_;
    const std::size_t ahead_;
    const std::shared_ptr<buffer_group> group_;
    msghdr message_{};  // what the kernel is to receive of a datagram; constant

    std::mutex mutex_;
    // All below, OWNER: mutex_.
    std::optional<receive> receive_;        // the last one
    std::shared_ptr<incoming_state> self_;  // while the receive is in flight
    bool in_flight_ = false;
    bool cancelled_ = false;  // the receive in flight was asked to end, which may be done once
    bool plain_ = false;      // there is no multishot receive here
    bool starved_ = false;    // it ended for want of buffers
    bool over_ = false;       // the peer has ended its stream
    bool closed_ = false;     // the sequence has gone
    int failed_ = 0;          // a negated errno
    std::size_t queued_ = 0;  // parts in the queue: numbers of buffers of `receive_`, linked by their notes
    std::uint16_t first_ = 0;
    std::uint16_t last_ = 0;
    arrival* waiter_ = nullptr;
};

}  // namespace coex::inline v0::detail
