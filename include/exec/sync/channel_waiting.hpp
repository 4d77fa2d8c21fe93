#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/pool/end_latch.hpp>
#include <exec/sync/channel_state.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <concepts>
#include <coroutine>
#include <optional>
#include <utility>

namespace coex::inline v0::detail {

/// How one receives: what the waits of tasks and of threads have in common.
template <class T>
class receive_step : protected receiving_waiter<T> {
public:
    receive_step(channel_state<T>& channel, work_item::run_function* tell) noexcept
        : receiving_waiter<T>(tell), channel_(channel) {}

    [[nodiscard]] channel_step step() noexcept { return channel_.receive(this->value, this); }
    [[nodiscard]] bool leave() noexcept { return channel_.remove(*this); }
    [[nodiscard]] std::optional<T> result() noexcept { return std::move(this->value); }

private:
    channel_state<T>& channel_;
};

/// How one sends a value that lies elsewhere. Gives whether it was taken.
template <class T>
class send_step : protected sending_waiter<T> {
public:
    send_step(channel_state<T>& channel, T& sent, work_item::run_function* tell) noexcept
        : sending_waiter<T>(tell), channel_(channel) {
        this->value = &sent;
    }

    [[nodiscard]] channel_step step() {
        const channel_step made = channel_.send(*this->value, this);
        if (made == channel_step::done) this->taken = true;
        return made;
    }
    [[nodiscard]] bool leave() noexcept { return channel_.remove(*this); }
    [[nodiscard]] bool result() const noexcept { return this->taken; }

private:
    channel_state<T>& channel_;
};

/// Makes a step in a coroutine.
///
/// The stop callback is registered before the waiter enters the channel, because afterwards the coroutine may be
/// resumed, and all this be gone, at any moment.
template <class Step>
class step_of_task : Step {
public:
    template <class... Arguments>
    explicit step_of_task(Arguments&... arguments) noexcept : Step(arguments..., &step_of_task::tell) {}

    /// Returns true when the coroutine stays suspended, or is being unwound.
    [[nodiscard]] bool suspend(coroutine_base& coroutine) {
        const inplace_stop_token token = coroutine.stop_token();
        if (token.stop_requested()) {
            coroutine.unwind_here();
            return true;
        }
        coroutine_ = &coroutine;
        const bool former = coroutine.detach();
        channel_step made = channel_step::left;
        COEX_TRY {
            if (token.stop_possible()) callback_.emplace(token, stop_request(*this));
            made = this->step();
            // LIFETIME: once it waits, the coroutine may be running, or gone, with *this in its frame.
            if (made == channel_step::waits) return true;
        }
        COEX_CATCH(...) {
            callback_.reset();
            coroutine.reattach(former);
            COEX_RETHROW;
        }
        callback_.reset();
        coroutine.reattach(former);
        if (made != channel_step::left) return false;
        coroutine.unwind_here();
        return true;
    }
    [[nodiscard]] auto take_result() noexcept {
        callback_.reset();
        return this->result();
    }

private:
    class stop_request {
    public:
        explicit stop_request(step_of_task& self) noexcept : self_(&self) {}
        void operator()() const noexcept {
            if (self_->leave()) self_->coroutine_->unwind_later();
        }

    private:
        step_of_task* self_;
    };

    static void tell(work_item* self) noexcept { static_cast<step_of_task*>(self)->coroutine_->resume_later(); }

    coroutine_base* coroutine_ = nullptr;
    std::optional<inplace_stop_callback<stop_request>> callback_;
};

/// Makes a step on a thread, which blocks, or on a worker works for its pool, until the step is made. When `token` is
/// stopped first, nothing was received or taken.
template <class Step>
class step_of_thread : Step {
public:
    template <class... Arguments>
    explicit step_of_thread(Arguments&... arguments) noexcept : Step(arguments..., &step_of_thread::tell) {}

    [[nodiscard]] auto make(inplace_stop_token token) {
        const inplace_stop_callback callback(token, stop_request(*this));
        if (this->step() == channel_step::waits) told_.wait();
        return this->result();
    }

private:
    class stop_request {
    public:
        explicit stop_request(step_of_thread& self) noexcept : self_(&self) {}
        void operator()() const noexcept {
            if (self_->leave()) self_->told_.end();
        }

    private:
        step_of_thread* self_;
    };

    static void tell(work_item* self) noexcept { static_cast<step_of_thread*>(self)->told_.end(); }

    end_latch told_;
};

template <class T>
class receive_awaiter {
public:
    explicit receive_awaiter(channel_state<T>& channel) noexcept : step_(channel) {}

    // Not ready, ever: a stop request ends a loop even while there are values.
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        return step_.suspend(coroutine.promise());
    }
    [[nodiscard]] std::optional<T> await_resume() noexcept { return step_.take_result(); }

private:
    step_of_task<receive_step<T>> step_;
};

template <class T>
class [[nodiscard]] receive_sender : public awaitable_sender<receive_sender<T>> {
public:
    explicit receive_sender(channel_state<T>& channel) noexcept : channel_(&channel) {}
    [[nodiscard]] receive_awaiter<T> operator co_await() && noexcept { return receive_awaiter<T>(*channel_); }

private:
    channel_state<T>* channel_;
};

template <class T>
class send_awaiter {
public:
    send_awaiter(channel_state<T>& channel, T&& value) noexcept : value_(std::move(value)), step_(channel, value_) {}
    send_awaiter(const send_awaiter&) = delete;
    send_awaiter& operator=(const send_awaiter&) = delete;

    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        return step_.suspend(coroutine.promise());
    }
    bool await_resume() noexcept { return step_.take_result(); }

private:
    T value_;
    step_of_task<send_step<T>> step_;
};

template <class T>
class [[nodiscard]] send_sender : public awaitable_sender<send_sender<T>> {
public:
    send_sender(channel_state<T>& channel, T&& value) noexcept : channel_(&channel), value_(std::move(value)) {}
    [[nodiscard]] send_awaiter<T> operator co_await() && noexcept {
        return send_awaiter<T>(*channel_, std::move(value_));
    }

private:
    channel_state<T>* channel_;
    T value_;
};

}  // namespace coex::inline v0::detail
