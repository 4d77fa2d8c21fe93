#pragma once

#include <exec/base/assert.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <coroutine>
#include <utility>

namespace coex::inline v0 {

class coroutine_base;

namespace detail {

enum class outcome : unsigned char { none, value, error, stopped };

/// Whoever waits for one coroutine to end: an awaiting task, a slot of a when_all, a block_on. Owns the coroutine's
/// frame.
struct completion {
    /// Called once, on a thread of `child`'s context, when a *detached* child has ended. Of a stopped child it destroys
    /// the frame, there and then. Returns a coroutine of the same context that shall continue in the caller's place (it
    /// resumes, or unwinds when `child` was stopped), or null. LIFETIME: the child, and the waiter itself, may be gone
    /// when this returns.
    using child_ended_function = coroutine_base*(completion*, coroutine_base& child, outcome ending) noexcept;

    explicit completion(child_ended_function* function) noexcept : child_ended(function) {}

    child_ended_function* child_ended;
    bool ended_inline = false;       // written by a child that never detached, read by the thread that started it
    outcome ending = outcome::none;  // OWNER: the ending child, then whoever it hands over to

protected:
    ~completion() = default;
};

}  // namespace detail

/// What every coex coroutine has, whatever it returns: its place (an execution context), its stop token, the item that
/// resumes it, and how it tells its waiter that it ended. The base of all promises.
///
/// **How an await costs no atomic operation.** A waiter starts its child by a plain call, `start_inline()`. A child
/// that ends without ever having suspended in earnest notes that in its waiter and returns: the waiter goes on, on the
/// same stack, with neither an atomic operation nor an indirect jump; a loop of a million such awaits keeps the stack
/// flat at every optimisation level. A child that does suspend in earnest (an operation will resume it later, perhaps
/// on another thread) first calls `detach()`. From then on its waiter reads nothing of the child: the child tells
/// `child_ended`, and the waiter settles by an atomic of its own who continues (task_waiter [C1], when_all_waiter
/// [W1]).
///
/// **How a stopped coroutine ends.** Its frame is destroyed while it is suspended, in its own place and before its
/// waiter learns of the end; then the waiter ends the same way, so frames unwind from the innermost outwards, on a flat
/// stack.
///
/// OWNER: the thread that runs the coroutine; while it is suspended, the operation that will resume it.
class coroutine_base : public work_item {
public:
    coroutine_base(const coroutine_base&) = delete;
    coroutine_base& operator=(const coroutine_base&) = delete;

    [[nodiscard]] execution_context& context() const noexcept { return *context_; }
    [[nodiscard]] inplace_stop_token stop_token() const noexcept { return stop_token_; }

    // --- for operations that a coroutine awaits -------------------------------------------------------------------

    /// To be called by `await_suspend` before anything can resume this coroutine. Returns the former value for
    /// `reattach`.
    bool detach() noexcept { return std::exchange(detached_, true); }

    /// Takes `detach()` back, when the operation turned out to be complete before anybody else saw the coroutine.
    void reattach(bool former) noexcept { detached_ = former; }

    /// Resumes the coroutine where it was. Any thread. LIFETIME: the operation may be gone when this returns.
    void resume_later() noexcept { context_->submit(this); }

    /// Moves the coroutine: it resumes on `context` and stays there.
    void resume_on(execution_context& context) noexcept {
        context_ = &context;
        context.submit(this);
    }

    /// Ends the coroutine as stopped: its frame unwinds, then its waiter's. Any thread, instead of `resume_later()`.
    void unwind_later() noexcept {
        run = &coroutine_base::run_unwind;
        context_->submit(this);
    }

    /// The same from within `await_suspend`, on the coroutine's own thread, `detach()` not called (or taken back).
    void unwind_here() noexcept;

    // --- for those who wait for a coroutine -----------------------------------------------------------------------

    /// Starts the coroutine on the calling thread, which must belong to `context`. Returns true when it has ended
    /// already; otherwise `waiter.child_ended` will be called, or has been: nothing of the coroutine may be touched.
    [[nodiscard]] bool start_inline(execution_context& context, inplace_stop_token token,
                                    detail::completion& waiter) noexcept;

    [[nodiscard]] std::coroutine_handle<> handle() noexcept { return get_handle_(*this); }

    /// Continues this (detached, suspended) coroutine on a thread of its context after a child with `ending` has ended:
    /// resumes or unwinds it.
    void continue_later(detail::outcome ending) noexcept {
        if (ending == detail::outcome::stopped) {
            unwind_later();
        } else {
            resume_later();
        }
    }

protected:
    using handle_function = std::coroutine_handle<>(coroutine_base&) noexcept;

    coroutine_base(handle_function* get_handle) noexcept
        : work_item(&coroutine_base::run_resume), get_handle_(get_handle) {}
    ~coroutine_base() = default;

    /// Gives the coroutine its place, its token and its waiter without starting it: for what plays a coroutine's part
    /// in an await (awaitable_sender.hpp).
    void settle(execution_context& context, inplace_stop_token token, detail::completion& waiter) noexcept {
        context_ = &context;
        stop_token_ = token;
        waiter_ = &waiter;
    }

    /// The end of the coroutine, from its final suspension point: what to run next on this thread.
    [[nodiscard]] std::coroutine_handle<> end(detail::outcome ending) noexcept;

private:
    static void run_resume(work_item* item) noexcept;
    static void run_unwind(work_item* item) noexcept;
    static void unwind(coroutine_base* coroutine) noexcept;

    handle_function* get_handle_;
    execution_context* context_ = nullptr;
    inplace_stop_token stop_token_;
    detail::completion* waiter_ = nullptr;
    bool detached_ = false;  // suspended in earnest at least once; written only while nobody else can see the coroutine
};

namespace detail {

/// True when less than a safe rest of the calling thread's stack is left: a plain call would be unwise, so what would
/// have been called is submitted and runs on a fresh stack.
[[nodiscard]] bool stack_is_deep() noexcept;

}  // namespace detail
}  // namespace coex::inline v0
