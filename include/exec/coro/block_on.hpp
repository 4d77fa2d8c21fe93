#pragma once

#include <exec/coro/awaiting.hpp>
#include <exec/coro/run_loop.hpp>
#include <exec/coro/task.hpp>

#include <coroutine>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// Runs a coroutine to its end on the calling thread, which becomes the coroutine's first place.
class blocking_run : public completion {
public:
    blocking_run() : completion(&blocking_run::on_ended) {}
    blocking_run(const blocking_run&) = delete;
    blocking_run& operator=(const blocking_run&) = delete;
    ~blocking_run() {
        if (coroutine_) coroutine_.destroy();
    }

    /// Takes the coroutine over and returns how it ended. A stopped one is gone then.
    outcome run(std::coroutine_handle<> coroutine, coroutine_base& base, inplace_stop_token token);

private:
    static coroutine_base* on_ended(completion* self, coroutine_base& child, outcome ending) noexcept;
    void destroy_coroutine() noexcept { std::exchange(coroutine_, nullptr).destroy(); }

    std::coroutine_handle<> coroutine_;
    run_loop loop_;
};

[[noreturn]] void throw_stopped();

template <class T>
[[nodiscard]] task<T> as_task(task<T> work) noexcept {
    return work;
}
template <awaitable Awaited>
[[nodiscard]] task<await_result_t<Awaited>> as_task(Awaited awaited) {
    co_return co_await std::move(awaited);
}

}  // namespace detail

/// Runs `work` on the calling thread until it has ended, and returns its result. The thread is the place where the work
/// starts, and where it resumes as long as it doesn't hop to a pool.
///
/// Errors:      rethrows what the work threw; std::system_error(errc::operation_canceled) when the work was stopped.
/// Cancel:      by `token`.
/// Thread-safe: yes. Not meant for a pool's worker, which it would block.
/// Lifetime:    returns only when nothing of the work is left.
template <awaitable Awaited>
await_result_t<Awaited> block_on(Awaited work, inplace_stop_token token = {}) {
    detail::blocking_run blocking;
    const auto coroutine = detail::as_task(std::move(work)).release();
    if (blocking.run(coroutine, coroutine.promise(), token) == detail::outcome::stopped) detail::throw_stopped();
    return coroutine.promise().take();
}

/// The same in the form of C++26: a tuple of the values, or nothing when the work was stopped.
template <awaitable Awaited>
auto sync_wait(Awaited work, inplace_stop_token token = {}) {
    using result = await_result_t<Awaited>;
    detail::blocking_run blocking;
    const auto coroutine = detail::as_task(std::move(work)).release();
    const bool stopped = blocking.run(coroutine, coroutine.promise(), token) == detail::outcome::stopped;
    if constexpr (std::is_void_v<result>) {
        if (stopped) return std::optional<std::tuple<>>();
        coroutine.promise().take();
        return std::optional(std::tuple<>());
    } else {
        if (stopped) return std::optional<std::tuple<result>>();
        return std::optional<std::tuple<result>>(std::in_place, coroutine.promise().take());
    }
}

}  // namespace coex::inline v0
