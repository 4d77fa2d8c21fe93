#pragma once

#include <exec/base/assert.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <coroutine>
#include <utility>

namespace coex::inline v0 {

class coroutine_base;

namespace detail {

/// Whoever waits for a coroutine to end: an awaiting task, a when_all, a block_on.
struct completion {
    /// Called once, on a thread of `child`'s context, when a *detached* child has ended. Returns a coroutine of the
    /// same context that shall continue in the caller's place (it resumes, or unwinds when `child` was stopped), or
    /// null. LIFETIME: `child` may be destroyed by this call.
    using child_ended_function = coroutine_base*(completion*, coroutine_base& child) noexcept;

    explicit completion(child_ended_function* function) noexcept : child_ended(function) {}
    child_ended_function* child_ended;

protected:
    ~completion() = default;
};

enum class outcome : unsigned char { none, value, error, stopped };

}  // namespace detail

/// What every coex coroutine has, whatever it returns: its place (an execution context), its stop token, the item that
/// resumes it, and how it tells its waiter that it ended. The base of all promises.
///
/// **How an await costs no atomic operation.** A waiter starts its child by a plain call, `start_inline()`. A child
/// that ends without ever having suspended in earnest sets `ended_inline_` and returns: the waiter reads that flag and
/// goes on, on the same stack, with neither an atomic operation nor an indirect jump; a loop of a million such awaits
/// keeps the stack flat at every optimisation level. A child that does suspend in earnest (an operation will resume it
/// later, perhaps on another thread) first calls `detach()`. From then on its waiter reads none of its plain members:
/// both meet in `meeting_`.
///
/// **The meeting** [C1]. The detached child's last act and the waiter's decision to stay suspended each exchange
/// `meeting_`. The second to arrive continues the waiter; so it is continued exactly once, and sees all that the child
/// wrote.
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
    /// already; otherwise `waiter.child_ended` will be called (or, for a task's waiter, the two meet).
    [[nodiscard]] bool start_inline(execution_context& context, inplace_stop_token token,
                                    detail::completion& waiter) noexcept;

    /// How the coroutine ended. Valid for its waiter, once it ended.
    [[nodiscard]] detail::outcome ending() const noexcept { return outcome_; }

    /// Used by the awaiting parent after `start_inline` gave false. Returns true when the parent must stay suspended.
    [[nodiscard]] bool parent_waits() noexcept {
        // ORDER: acq_rel; pairs with the exchange in child_met_parent() [C1]: whoever comes second sees the other's
        // writes.
        return meeting_.exchange(meeting::parent_waits, std::memory_order_acq_rel) != meeting::child_ended;
    }

    /// Used by the ended child's side. Returns true when the parent is suspended and must be continued by the caller.
    [[nodiscard]] bool child_met_parent() noexcept {
        // ORDER: acq_rel; pairs with the exchange in parent_waits() [C1].
        return meeting_.exchange(meeting::child_ended, std::memory_order_acq_rel) == meeting::parent_waits;
    }

    [[nodiscard]] std::coroutine_handle<> handle() noexcept { return get_handle_(*this); }

    /// Continues this (detached, suspended) coroutine on the calling thread after a child with `ending` has ended:
    /// resumes or unwinds it.
    void continue_here(detail::outcome ending) noexcept;

    /// The same on a thread of its own context.
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

    void set_outcome(detail::outcome outcome) noexcept { outcome_ = outcome; }

    /// The end of the coroutine, from its final suspension point: what to run next on this thread.
    [[nodiscard]] std::coroutine_handle<> end() noexcept;

private:
    enum class meeting : unsigned char { nobody, parent_waits, child_ended };

    static void run_resume(work_item* item) noexcept;
    static void run_unwind(work_item* item) noexcept;
    static void unwind(coroutine_base* coroutine) noexcept;

    handle_function* get_handle_;
    execution_context* context_ = nullptr;
    inplace_stop_token stop_token_;
    detail::completion* waiter_ = nullptr;
    std::atomic<meeting> meeting_{meeting::nobody};
    detail::outcome outcome_ = detail::outcome::none;
    bool detached_ = false;  // suspended in earnest at least once; written only while nobody else can see the coroutine
    bool ended_inline_ = false;  // written only while not detached, read by the waiter on the same thread
};

namespace detail {

/// True when less than a safe rest of the calling thread's stack is left: a plain call would be unwise, so what would
/// have been called is submitted and runs on a fresh stack.
[[nodiscard]] bool stack_is_deep() noexcept;

}  // namespace detail
}  // namespace coex::inline v0
