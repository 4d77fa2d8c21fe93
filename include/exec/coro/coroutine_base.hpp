#pragma once

#include <exec/base/assert.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <coroutine>
#include <cstdint>
#include <new>
#include <utility>

namespace coex::inline v0 {

class coroutine_base;

namespace detail {

enum class outcome : unsigned char { none, value, error, stopped };

/// True when less than a safe rest of the calling thread's stack is left: a plain call would be unwise, so what would
/// have been called is submitted and runs on a fresh stack.
[[nodiscard]] inline bool stack_is_deep() noexcept;

/// Whoever waits for one coroutine to end: an awaiting task, a slot of a when_all, a block_on. Owns the coroutine's
/// frame, unless `inline_ending` says that it has ended by itself.
struct completion {
    /// Called once, on a thread of `child`'s context, when a *detached* child has ended. The frame of a stopped child
    /// it destroys there and then; who waits for several children, that of each. Returns a coroutine of the same
    /// context that shall continue in the caller's place (it resumes, or unwinds when `child` was stopped), or null.
    /// LIFETIME: the child, and the waiter itself, may be gone when this returns.
    using child_ended_function = coroutine_base*(completion*, coroutine_base& child, outcome ending) noexcept;

    /// What waits: for one coroutine, or for several at once.
    struct waiter {
        explicit waiter(child_ended_function* function) noexcept : child_ended(function) {}
        child_ended_function* child_ended;
    };

    explicit completion(waiter& who) noexcept : owner(&who) {}

    /// What is known of how the child ended, by whoever may look.
    [[nodiscard]] outcome known_ending() const noexcept {
        return inline_ending != outcome::none ? inline_ending : ending;
    }

    waiter* owner;
    outcome inline_ending = outcome::none;  // written by a child that never detached, read by who started it
    outcome ending = outcome::none;         // OWNER: the child that detached, then whoever it hands over to

protected:
    ~completion() = default;
};

}  // namespace detail

/// What every coex coroutine has, whatever it returns: its place (an execution context), its stop token, the item that
/// resumes it, and how it tells its waiter that it ended. The base of all promises.
///
/// **How an await costs no atomic operation.** A waiter starts its child by a plain call, `start_inline()`. A child
/// that ends without ever having suspended in earnest notes that in its waiter, leaves its result there, destroys its
/// own frame and returns: the waiter goes on, on the same stack, with neither an atomic operation nor an indirect jump;
/// a loop of a million such awaits keeps the stack flat at every optimisation level. A child that does suspend in
/// earnest (an operation will resume it later, perhaps on another thread) first calls `detach()`. From then on its
/// waiter reads nothing of the child: the child tells `child_ended`, and the waiter settles by an atomic of its own who
/// continues (task_waiter [C1], when_all_waiter [W1]).
///
/// **How a stopped coroutine ends.** Its frame is destroyed while it is suspended, in its own place and before its
/// waiter learns of the end; then the waiter ends the same way, so frames unwind from the innermost outwards, on a flat
/// stack.
///
/// A promise derives from it first, and has no greater alignment: the coroutine's handle is found from this address.
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
    void resume_later() noexcept { submit_to(*context_); }

    /// Moves the coroutine: it resumes on `context` and stays there.
    void resume_on(execution_context& context) noexcept {
        context_ = &context;
        submit_to(context);
    }

    /// Ends the coroutine as stopped: its frame unwinds, then its waiter's. Any thread, instead of `resume_later()`.
    void unwind_later() noexcept {
        run = &coroutine_base::run_unwind;
        context_->submit(this);
    }

    /// The same from within `await_suspend`, on the coroutine's own thread, `detach()` not called (or taken back).
    void unwind_here() noexcept;

    /// Ends the coroutine, whose result is with its waiter and whose `ending()` is noted, where it is suspended: from
    /// within `await_suspend`. Returns what to run next on this thread. LIFETIME: *this is gone, or may be.
    [[nodiscard]] std::coroutine_handle<> end_here() noexcept;

    // --- for those who wait for a coroutine -----------------------------------------------------------------------

    /// Starts the coroutine on the calling thread, which must belong to `context`. Returns how it has ended: with a
    /// value or an error, and its frame is gone, or stopped, and its frame is to be destroyed. When it returns `none`,
    /// `waiter.child_ended` will be called, or has been: nothing of the coroutine may be touched.
    [[nodiscard]] detail::outcome start_inline(execution_context& context, inplace_stop_token token,
                                               detail::completion& waiter) noexcept {
        if (detail::stack_is_deep()) [[unlikely]] {
            settle(context, token, waiter);
            detached_ = true;
            submit_to(context);
            return detail::outcome::none;
        }
        return start_on_this_stack(context, token, waiter);
    }
    /// The same for callers that know that the stack is not deep.
    [[nodiscard]] detail::outcome start_on_this_stack(execution_context& context, inplace_stop_token token,
                                                      detail::completion& waiter) noexcept {
        settle(context, token, waiter);
        handle().resume();
        // LIFETIME: the coroutine has ended, or detached and may have ended elsewhere by now: it is gone, perhaps.
        return waiter.inline_ending;
    }

    [[nodiscard]] std::coroutine_handle<> handle() noexcept {
        return std::coroutine_handle<coroutine_base>::from_promise(*this);
    }

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
    // PERF: bench fork_join_coroutines; what a started or submitted coroutine needs is not set before it is.
    coroutine_base() noexcept {}
    ~coroutine_base() = default;

    /// Gives the coroutine its place, its token and its waiter without starting it: for what plays a coroutine's part
    /// in an await (awaitable_sender.hpp).
    void settle(execution_context& context, inplace_stop_token token, detail::completion& waiter) noexcept {
        context_ = &context;
        ::new (static_cast<void*>(&stop_token_)) inplace_stop_token(token);
        waiter_ = &waiter;
    }

    /// Notes that the coroutine will be settled later, when it is started: for those of which some start at once.
    void settle_nowhere() noexcept { waiter_ = nullptr; }
    [[nodiscard]] bool has_waiter() const noexcept { return waiter_ != nullptr; }

    [[nodiscard]] detail::completion& waiter() const noexcept { return *waiter_; }

    /// Where the coroutine notes how it ends: its waiter reads the one until the coroutine detaches, the other later.
    [[nodiscard]] detail::outcome& ending() const noexcept {
        return detached_ ? waiter_->ending : waiter_->inline_ending;
    }

    /// At the end of the coroutine with a value or an error: when it never detached, the frame may go, and control
    /// returns to who started it. Otherwise the coroutine suspends finally and calls `end_detached`.
    [[nodiscard]] bool is_detached() const noexcept { return detached_; }

    /// Tells the waiter, which owns the frame, and returns what to run next on this thread.
    [[nodiscard]] std::coroutine_handle<> end_detached() noexcept;

private:
    void submit_to(execution_context& context) noexcept {
        run = &coroutine_base::run_resume;
        context.submit(this);
    }
    static void run_resume(work_item* item) noexcept;
    static void run_unwind(work_item* item) noexcept;
    static void unwind(coroutine_base* coroutine) noexcept;

    execution_context* context_;  // this and the next two: set when it is started
    union {
        inplace_stop_token stop_token_;
    };
    detail::completion* waiter_;
    bool detached_ = false;  // suspended in earnest at least once; written only while nobody else can see the coroutine
};

namespace detail {

/// The lowest address that the calling thread's stack should grow to; the highest there is, until it has been asked
/// for.
extern constinit thread_local std::uintptr_t stack_limit __attribute__((tls_model("initial-exec")));
[[nodiscard]] bool stack_is_really_deep() noexcept;
/// That address for a stack of `bytes` from `lowest` up.
[[nodiscard]] std::uintptr_t stack_limit_within(std::uintptr_t lowest, std::size_t bytes) noexcept;

inline bool stack_is_deep() noexcept {
    std::uintptr_t place = 0;
#if defined(__x86_64__)
    asm("movq %%rsp, %0" : "=r"(place));  // asking for the frame's address would cost the function a register
#else
    place = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
#endif
    if (place >= stack_limit) [[likely]]
        return false;
    return stack_is_really_deep();
}

}  // namespace detail
}  // namespace coex::inline v0
