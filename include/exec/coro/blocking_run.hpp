#pragma once

#include <exec/base/config.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/coro/run_loop.hpp>
#include <exec/coro/task.hpp>

#include <coroutine>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// Runs a coroutine to its end on the calling thread, which becomes the coroutine's first place.
class blocking_run : public completion::waiter {
public:
    blocking_run() : waiter(&blocking_run::on_ended) {}
    blocking_run(const blocking_run&) = delete;
    blocking_run& operator=(const blocking_run&) = delete;
    ~blocking_run() {
        if (coroutine_) coroutine_.destroy();
    }

    /// Takes the coroutine over and returns how it ended. A stopped one is gone then.
    outcome run(std::coroutine_handle<> coroutine, coroutine_base& base, completion& own, inplace_stop_token token);

private:
    static coroutine_base* on_ended(completion* self, coroutine_base& child, outcome ending) noexcept;
    void destroy_coroutine() noexcept { std::exchange(coroutine_, nullptr).destroy(); }

    std::coroutine_handle<> coroutine_;
    run_loop loop_;
};

/// Runs a task so, and keeps its result.
template <class T>
class blocking_task : blocking_run, result_completion<T> {
public:
    blocking_task() : result_completion<T>(static_cast<blocking_run&>(*this)) {}
    // Not inlined, as take(): g++ 12 would warn that nobody initialises the result.
    COEX_NOINLINE ~blocking_task() {}

    /// Returns false when the task was stopped.
    [[nodiscard]] bool run(task<T> work, inplace_stop_token token) {
        const auto coroutine = work.release();
        return blocking_run::run(coroutine, coroutine.promise(), *this, token) != outcome::stopped;
    }
    COEX_NOINLINE T take() { return result_completion<T>::take(); }
};

template <class T>
[[nodiscard]] task<T> as_task(task<T> work) noexcept {
    return work;
}
template <awaitable Awaited>
[[nodiscard]] task<await_result_t<Awaited>> as_task(Awaited awaited) {
    co_return co_await std::move(awaited);
}

}  // namespace detail
}  // namespace coex::inline v0
