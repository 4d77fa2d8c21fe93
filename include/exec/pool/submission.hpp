#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/recycling.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task_result.hpp>
#include <exec/pool/end_latch.hpp>
#include <exec/vocab/result.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

namespace detail {

/// What submitted work and the owner of its handle share: whether it has ended, who waits for that, and who is the last
/// to let go.
class submission_base : public end_latch {
public:
    /// Whether the work was stopped before it had a result. Once it has ended.
    [[nodiscard]] bool was_stopped() const noexcept { return stopped_; }

protected:
    submission_base() = default;
    ~submission_base() = default;

    void set_stopped() noexcept { stopped_ = true; }

    // ORDER: acq_rel; each owner's writes happen before the last one destroys the object.
    [[nodiscard]] bool release_last() noexcept { return owners_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

private:
    std::atomic<unsigned> owners_{2};  // the handle and the work
    bool stopped_ = false;             // OWNER: the work, until it has ended; then constant
};

[[nodiscard]] std::exception_ptr submission_stopped() noexcept;

template <class T>
class submission_state : public submission_base {
public:
    [[nodiscard]] T take() { return result_.take(); }
    [[nodiscard]] std::exception_ptr failure() const noexcept { return result_.failed() ? result_.error() : nullptr; }
    [[nodiscard]] result<T> take_result() {
        if (was_stopped()) return result<T>::stopped();
        if (result_.failed()) return result<T>::failed(result_.error());
        if constexpr (std::is_void_v<T>) {
            return result<T>();
        } else {
            return result<T>(result_.take());
        }
    }
    void disown() noexcept {
        if (release_last()) destroy();
    }
    virtual bool request_stop() noexcept = 0;

protected:
    submission_state() = default;
    ~submission_state() = default;

    COEX_NOINLINE void end_as_stopped() noexcept {
        set_stopped();
        result_.fail(submission_stopped());  // for those who ask by take()
    }
    virtual void destroy() noexcept = 0;

    task_result<T> result_;
};

/// The stop requests for a function that takes no token: they matter until it starts, and nobody registers with them.
/// So a function that nobody stops pays for two stores and one look.
///
/// Thread-safe: yes.
/// Lifetime: of the parent's source.
class queued_stop {
public:
    explicit queued_stop(inplace_stop_token parent) noexcept
        : state_(parent.stop_possible() ? has_parent : 0), parent_(parent) {}

    /// Returns false when that had been asked before.
    bool request_stop() noexcept {
        // ORDER: acq_rel; pairs with the load in stop_requested() [Q2].
        return (state_.fetch_or(requested, std::memory_order_acq_rel) & requested) == 0;
    }
    [[nodiscard]] bool stop_requested() const noexcept {
        // ORDER: acquire; pairs with the update in request_stop() [Q2]: who ends as stopped sees what the requester did
        //   before.
        const unsigned char state = state_.load(std::memory_order_acquire);
        if (state == 0) [[likely]]
            return false;
        return (state & requested) != 0 || parent_.stop_requested();
    }

private:
    static constexpr unsigned char has_parent = 1;
    static constexpr unsigned char requested = 2;

    std::atomic<unsigned char> state_;
    inplace_stop_token parent_;
};

/// What is submitted with a `Stop` that tells of stop requests: a nested_stop_source, or a queued_stop.
template <class T, class Stop>
class stoppable_submission : public submission_state<T> {
public:
    bool request_stop() noexcept final { return stop_.request_stop(); }

protected:
    explicit stoppable_submission(inplace_stop_token token) noexcept : stop_(token) {}
    ~stoppable_submission() = default;

    Stop stop_;
};

template <class Function>
struct submission_call {
    static constexpr bool takes_token = std::is_invocable_v<Function&, inplace_stop_token>;
    static_assert(takes_token || std::is_invocable_v<Function&>,
                  "coex: submit() needs a function that can be called as f() or as f(coex::inplace_stop_token)");
    using stop = std::conditional_t<takes_token, nested_stop_source, queued_stop>;
    static decltype(auto) call(Function& function, stop& from) {
        if constexpr (takes_token) {
            return function(from.get_token());
        } else {
            static_cast<void>(from);
            return function();
        }
    }
    using result = decltype(call(std::declval<Function&>(), std::declval<stop&>()));
};

/// What `submit` and `post` with a token take.
template <class Function>
concept pool_function = std::is_invocable_v<Function&> || std::is_invocable_v<Function&, inplace_stop_token>;

/// A function that does nothing once its token is stopped.
template <class Function>
class stoppable_call {
public:
    template <class Initializer>
    stoppable_call(Initializer&& initializer, inplace_stop_token token)
        : function_(std::forward<Initializer>(initializer)), token_(token) {}

    void operator()() {
        if (token_.stop_requested()) return;
        if constexpr (std::is_invocable_v<Function&, inplace_stop_token>) {
            function_(token_);
        } else {
            function_();
        }
    }

private:
    Function function_;
    inplace_stop_token token_;
};

template <class Function>
class submitted final
    : public stoppable_submission<typename submission_call<Function>::result, typename submission_call<Function>::stop>,
      public work_item {
    using call = submission_call<Function>;
    using result = typename call::result;

public:
    template <class Initializer>
    submitted(Initializer&& initializer, inplace_stop_token token)
        : stoppable_submission<result, typename call::stop>(token),
          work_item(&submitted::execute),
          function_(std::in_place, std::forward<Initializer>(initializer)) {}
    ~submitted() = default;

    static void execute(work_item* item) noexcept {
        auto* self = static_cast<submitted*>(item);
        if (self->stop_.stop_requested()) [[unlikely]] {
            self->end_as_stopped();
        } else {
            self->call_function();
        }
        self->function_.reset();
        self->end();
        self->disown();
    }

private:
    void call_function() noexcept {
        COEX_TRY {
            if constexpr (std::is_void_v<result>) {
                call::call(*function_, this->stop_);
            } else {
                this->result_.return_value(call::call(*function_, this->stop_));
            }
        }
        COEX_CATCH(...) {
            this->result_.unhandled_exception();
        }
    }
    void destroy() noexcept override { recycling_delete(this); }

    std::optional<Function> function_;
};

/// Waits in a task for submitted work. Work that was stopped stops the task, too.
template <class T>
class submission_awaiter : end_latch::waiter {
public:
    explicit submission_awaiter(submission_state<T>& state) noexcept
        : waiter{&submission_awaiter::on_ended}, state_(&state) {}
    submission_awaiter(const submission_awaiter&) = delete;
    submission_awaiter& operator=(const submission_awaiter&) = delete;
    ~submission_awaiter() {
        link_.reset();  // it names a source in the state
        state_->disown();
    }

    [[nodiscard]] bool await_ready() const noexcept { return state_->has_ended() && !state_->was_stopped(); }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        return suspend(coroutine.promise());
    }
    /// The error that await_resume() would rethrow, or null.
    [[nodiscard]] std::exception_ptr failure() noexcept {
        link_.reset();
        return state_->failure();
    }
    T await_resume() {
        link_.reset();
        return state_->take();
    }

private:
    struct forward_stop {
        submission_state<T>* work;
        void operator()() const noexcept { work->request_stop(); }
    };

    bool suspend(coroutine_base& coroutine) noexcept {
        coroutine_ = &coroutine;
        const bool former = coroutine.detach();
        link_.emplace(coroutine.stop_token(), forward_stop{state_});
        if (state_->try_wait(*this)) return true;
        coroutine.reattach(former);
        if (!state_->was_stopped()) return false;
        link_.reset();
        coroutine.unwind_here();
        return true;
    }
    static void on_ended(waiter* base, end_latch& latch) noexcept {
        auto* const self = static_cast<submission_awaiter*>(base);
        coroutine_base* const coroutine = self->coroutine_;
        const bool stopped = self->state_->was_stopped();
        latch.set_ended();
        if (stopped) {
            self->link_.reset();  // before the one who awaits the task learns of its end
            coroutine->unwind_later();
        } else {
            coroutine->resume_later();
        }
    }

    submission_state<T>* state_;
    coroutine_base* coroutine_ = nullptr;
    std::optional<inplace_stop_callback<forward_stop>> link_;
};

}  // namespace detail

/// The owner's end of `static_thread_pool::submit`. Move-only. Dropping it lets the work run on; its result is dropped.
///
/// Cancel:      work that has not started when stop is requested never runs, and is found to be stopped when its turn
///              comes. Work that runs sees its token, and decides itself; a task that is stopped ends as stopped.
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

    /// Waits for the work and returns its result, or throws its exception. Once. On a worker, its pool's other work is
    /// run meanwhile, on top of the caller: so that must not wait for what the caller does after this. It may wait for
    /// results itself, and so on, to any depth: when a stack is nearly used up, another takes its place.
    ///
    /// Errors: what the work threw; operation_stopped when it was stopped before it had a result.
    T get() { return end_of_work().take(); }

    /// The same without throwing: the value, the exception, or that it was stopped.
    ///
    /// Errors: what moving the value throws.
    result<T> get_result() { return end_of_work().take_result(); }

    /// True once the work has ended: `get()` will not wait.
    [[nodiscard]] bool is_ready() const noexcept { return state_ != nullptr && state_->has_ended(); }

    /// Asks the work to stop: see above. Returns false when that had been asked before.
    bool request_stop() noexcept { return state_ != nullptr && state_->request_stop(); }

    /// `co_await std::move(handle)`: the same as `get()`, holding no thread. A stop of the awaiting task is passed on
    /// to the work, and its end is awaited. Work that was stopped stops the awaiting task: it unwinds.
    [[nodiscard]] detail::submission_awaiter<T> operator co_await() && noexcept {
        COEX_REQUIRE(state_ != nullptr && !taken_, "submission: awaited an empty handle; a result can be taken once");
        return detail::submission_awaiter<T>(*std::exchange(state_, nullptr));
    }

private:
    detail::submission_state<T>& end_of_work() noexcept {
        COEX_REQUIRE(state_ != nullptr && !taken_,
                     "submission: the result of an empty handle; a result can be taken once");
        taken_ = true;  // state_ stays: another thread may request stop meanwhile
        state_->wait();
        return *state_;
    }

    detail::submission_state<T>* state_;  // written by what changes the handle: not by get()
    bool taken_ = false;
};

template <class T>
submission(detail::submission_state<T>&) -> submission<T>;

}  // namespace coex::inline v0
