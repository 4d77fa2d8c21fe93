#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/base/std_chrono.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task_result.hpp>
#include <exec/vocab/result.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

/// How many threads `blocking()` uses.
struct blocking_limits {
    /// At most so many calls are in progress; others wait in their order.
    std::size_t threads = 128;
    /// A thread ends when it has had nothing to do for so long.
    std::chrono::milliseconds keep_alive{10'000};
};

/// Changes what `blocking()` may use, from now on, for the whole process. Threads that are too many end after their
/// calls.
///
/// Errors:      std::invalid_argument for no thread at all, or a negative time.
/// Thread-safe: yes.
void set_blocking_limits(blocking_limits limits);

/// How many threads `blocking()` has at the moment, busy or idle.
[[nodiscard]] std::size_t blocking_thread_count() noexcept;

namespace detail {

class blocking_calls;

/// A call that waits for a helper thread, or is made by one.
///
/// OWNER: the queue's lock, while it is queued or in progress, and for `refused`; then the helper that took it.
struct blocking_call {
    using function = void(blocking_call*) noexcept;

    explicit blocking_call(function* run_call) noexcept : run(run_call) {}

    function* run;  // makes the call and keeps what it gives
    coroutine_base* coroutine = nullptr;
    blocking_calls* calls = nullptr;  // those of the pool on which the coroutine is; null when that is elsewhere
    inplace_stop_source stop;         // of the token that the function is given
    blocking_call* following = nullptr;
    blocking_call* preceding = nullptr;
    bool queued = false;
    bool refused = false;  // cancelled before it was queued
    bool pinned = false;   // its pool asks it to stop: it must not go meanwhile
};

/// A function of ours that returns its error in a `result`, instead of throwing it.
template <class Function>
inline constexpr bool fails_by_result = requires { requires Function::fails_by_result; };

template <class Function, class Returned>
struct blocking_result {
    using type = Returned;
};
template <class Function, class T>
    requires fails_by_result<Function>
struct blocking_result<Function, result<T>> {
    using type = T;
};

template <class Function>
struct blocking_traits {
    static constexpr bool takes_token = std::is_invocable_v<Function&, inplace_stop_token>;
    static_assert(takes_token || std::is_invocable_v<Function&>,
                  "coex: blocking() needs a function that can be called as f() or as f(coex::inplace_stop_token)");
    static decltype(auto) call(Function& function, inplace_stop_token token) {
        if constexpr (takes_token) {
            return function(token);
        } else {
            return function();
        }
    }
    using returned = decltype(call(std::declval<Function&>(), inplace_stop_token()));
    using result = typename blocking_result<Function, returned>::type;
};

class blocking_wait : protected blocking_call {
protected:
    explicit blocking_wait(function* run_call) noexcept : blocking_call(run_call) {}
    blocking_wait(const blocking_wait&) = delete;
    blocking_wait& operator=(const blocking_wait&) = delete;
    ~blocking_wait() = default;

    [[nodiscard]] bool suspend(coroutine_base& waiting);
    void resumed() noexcept { stop_callback_.reset(); }

private:
    struct cancel_request {
        blocking_wait* wait;
        void operator()() const noexcept;
    };

    std::optional<inplace_stop_callback<cancel_request>> stop_callback_;
};

template <class Function>
class blocking_awaiter : blocking_wait {
    using traits = blocking_traits<Function>;
    using result = typename traits::result;

public:
    explicit blocking_awaiter(Function&& to_call)
        : blocking_wait(&blocking_awaiter::call), function_(std::move(to_call)) {}

    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> handle) {
        return suspend(handle.promise());
    }
    result await_resume() {
        resumed();
        return result_.take();
    }
    /// The same, with the error as it is.
    coex::result<result> await_result()
        requires fails_by_result<Function>
    {
        resumed();
        if (result_.failed()) return failure{result_.error()};
        if constexpr (std::is_void_v<result>) {
            return {};
        } else {
            return result_.take();
        }
    }

private:
    static void call(blocking_call* self_call) noexcept {
        auto& self = *static_cast<blocking_awaiter*>(self_call);
        COEX_TRY {
            if constexpr (fails_by_result<Function>) {
                self.keep(traits::call(self.function_, self.stop.get_token()));
            } else if constexpr (std::is_void_v<result>) {
                traits::call(self.function_, self.stop.get_token());
            } else {
                self.result_.return_value(traits::call(self.function_, self.stop.get_token()));
            }
        }
        COEX_CATCH(...) {
            self.result_.unhandled_exception();
        }
    }

    void keep(coex::result<result> ended) {
        if (ended.has_error()) return result_.fail(ended.error());
        if constexpr (!std::is_void_v<result>) result_.return_value(*std::move(ended));
    }

    Function function_;
    task_result<result> result_;
};

template <class Function>
class [[nodiscard]] blocking_sender : public awaitable_sender<blocking_sender<Function>> {
public:
    template <class Initializer>
    explicit blocking_sender(std::in_place_t, Initializer&& function)
        : function_(std::forward<Initializer>(function)) {}
    [[nodiscard]] blocking_awaiter<Function> operator co_await() && {
        return blocking_awaiter<Function>(std::move(function_));
    }

private:
    Function function_;
};

}  // namespace detail

/// Calls `function()`, or `function(inplace_stop_token)`, on a helper thread, so that a call that blocks (a name
/// look-up, a database client, a directory listing) holds no worker. The task resumes where it was.
///
/// The helper threads belong to the process; they are started when calls wait, up to `blocking_limits::threads`, and
/// end when they were idle for some time.
///
/// Completes: with what the function returns.
/// Errors:    what the function throws; std::system_error when no thread can be started.
/// Cancel:    by the stop token of the awaiting task: a call that has not begun never does, and the task unwinds. One
///            that has begun goes on to its end; it can watch the token that it is given. When the pool on which the
///            task is ends, its calls are cancelled in the same way, and the destructor waits for those that have
///            begun: their tasks resume with what they give.
/// Lifetime:  another place than a pool must outlive the call.
template <class Function>
[[nodiscard]] auto blocking(Function&& function) {
    return detail::blocking_sender<std::decay_t<Function>>(std::in_place, std::forward<Function>(function));
}

}  // namespace coex::inline v0
