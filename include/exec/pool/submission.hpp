#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/recycling.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task_result.hpp>
#include <exec/pool/end_latch.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

namespace detail {

/// What a submitted function and the owner of its handle share: whether it has ended, who waits for that, and who is
/// the last to let go.
class submission_base : public end_latch {
public:
    inplace_stop_source& stop_source() noexcept { return source_; }

protected:
    ~submission_base() = default;

    // ORDER: acq_rel; each owner's writes happen before the last one destroys the object.
    [[nodiscard]] bool release_last() noexcept { return owners_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

private:
    std::atomic<unsigned> owners_{2};  // the handle and the function
    inplace_stop_source source_;
};

template <class T>
class submission_state : public submission_base {
public:
    [[nodiscard]] T take() { return result_.take(); }
    void disown() noexcept {
        if (release_last()) destroy();
    }

protected:
    ~submission_state() = default;
    virtual void destroy() noexcept = 0;

    task_result<T> result_;
};

template <class Function>
struct submission_call {
    static constexpr bool takes_token = std::is_invocable_v<Function&, inplace_stop_token>;
    static_assert(takes_token || std::is_invocable_v<Function&>,
                  "coex: submit() needs a function that can be called as f() or as f(coex::inplace_stop_token)");
    static decltype(auto) call(Function& function, inplace_stop_source& source) {
        if constexpr (takes_token) {
            return function(source.get_token());
        } else {
            return function();
        }
    }
    using result = decltype(call(std::declval<Function&>(), std::declval<inplace_stop_source&>()));
};

template <class Function>
class submitted final : public submission_state<typename submission_call<Function>::result>, public work_item {
    using call = submission_call<Function>;
    using result = typename call::result;

public:
    template <class Initializer>
    explicit submitted(Initializer&& initializer)
        : work_item(&submitted::execute), function_(std::in_place, std::forward<Initializer>(initializer)) {}
    ~submitted() = default;

private:
    static void execute(work_item* item) noexcept {
        auto* self = static_cast<submitted*>(item);
        try {
            if constexpr (std::is_void_v<result>) {
                call::call(*self->function_, self->stop_source());
            } else {
                self->result_.return_value(call::call(*self->function_, self->stop_source()));
            }
        } catch (...) {
            self->result_.unhandled_exception();
        }
        self->function_.reset();
        self->end();
        self->disown();
    }
    void destroy() noexcept override { recycling_delete(this); }

    std::optional<Function> function_;
};

/// Waits in a task for a submitted function.
template <class T>
class submission_awaiter : end_latch::waiter {
public:
    explicit submission_awaiter(submission_state<T>& state) noexcept
        : waiter{&submission_awaiter::on_ended}, state_(&state) {}
    submission_awaiter(const submission_awaiter&) = delete;
    submission_awaiter& operator=(const submission_awaiter&) = delete;
    ~submission_awaiter() { state_->disown(); }

    [[nodiscard]] bool await_ready() const noexcept { return state_->has_ended(); }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        return suspend(coroutine.promise());
    }
    T await_resume() {
        link_.reset();
        return state_->take();
    }

private:
    struct forward_stop {
        inplace_stop_source* source;
        void operator()() const noexcept { source->request_stop(); }
    };

    bool suspend(coroutine_base& coroutine) noexcept {
        coroutine_ = &coroutine;
        const bool former = coroutine.detach();
        link_.emplace(coroutine.stop_token(), forward_stop{&state_->stop_source()});
        if (state_->try_wait(*this)) return true;
        coroutine.reattach(former);
        return false;
    }
    static void on_ended(waiter* self, end_latch& latch) noexcept {
        coroutine_base* const coroutine = static_cast<submission_awaiter*>(self)->coroutine_;
        latch.set_ended();
        coroutine->resume_later();
    }

    submission_state<T>* state_;
    coroutine_base* coroutine_ = nullptr;
    std::optional<inplace_stop_callback<forward_stop>> link_;
};

}  // namespace detail

/// The owner's end of `static_thread_pool::submit`. Move-only. Dropping it lets the function run on; its result is
/// dropped.
///
/// Thread-safe: no; `request_stop` from any thread as long as the handle exists.
template <class T>
class [[nodiscard]] submission : public detail::awaitable_sender<submission<T>> {
public:
    explicit submission(detail::submission_state<T>& state) noexcept : state_(&state) {}
    submission(submission&& other) noexcept
        : state_(std::exchange(other.state_, nullptr)), taken_(std::exchange(other.taken_, false)) {}
    submission& operator=(submission&& other) noexcept {
        submission(std::move(other)).swap(*this);
        return *this;
    }
    ~submission() {
        if (state_ != nullptr) state_->disown();
    }
    void swap(submission& other) noexcept {
        std::swap(state_, other.state_);
        std::swap(taken_, other.taken_);
    }

    /// Waits for the function and returns its result, or throws its exception. Once. On a worker, its pool's other work
    /// is run meanwhile.
    T get() {
        COEX_REQUIRE(state_ != nullptr && !taken_, "submission: get() on an empty handle; a result can be taken once");
        taken_ = true;  // state_ stays: another thread may request stop meanwhile
        state_->wait();
        return state_->take();
    }

    /// True once the function has ended: `get()` will not wait.
    [[nodiscard]] bool is_ready() const noexcept { return state_ != nullptr && state_->has_ended(); }

    /// Stops the token that was given to the function.
    bool request_stop() noexcept { return state_ != nullptr && state_->stop_source().request_stop(); }

    /// `co_await std::move(handle)`: the same as `get()`, holding no thread. A stop of the awaiting task is passed on
    /// to the function, and its end is awaited.
    [[nodiscard]] detail::submission_awaiter<T> operator co_await() && noexcept {
        COEX_REQUIRE(state_ != nullptr && !taken_, "submission: awaited an empty handle; a result can be taken once");
        return detail::submission_awaiter<T>(*std::exchange(state_, nullptr));
    }

private:
    detail::submission_state<T>* state_;  // written by what changes the handle: not by get()
    bool taken_ = false;
};

template <class Function>
submission(detail::submitted<Function>&) -> submission<typename detail::submission_call<Function>::result>;

}  // namespace coex::inline v0
