#pragma once

#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/sender_awaiter.hpp>
#include <exec/coro/task_env.hpp>
#include <exec/vocab/read_env.hpp>
#include <exec/vocab/scheduler.hpp>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

namespace detail {

/// Moves the awaiting task to another execution context.
class hop_awaiter {
public:
    explicit hop_awaiter(const schedule_sender& sender) noexcept : context_(&sender.context()) {}
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        hop(coroutine.promise(), *context_);
    }
    static void await_resume() noexcept {}

private:
    static void hop(coroutine_base& coroutine, execution_context& context) noexcept;

    execution_context* context_;
};

/// Awaiters written for coex tasks: their await_suspend takes the place and the stop token from the coroutine's base,
/// so it does not accept just any coroutine.
template <class Awaiter>
concept task_aware = requires(Awaiter& awaiter) {
    awaiter.await_ready();
    awaiter.await_resume();
} && !requires(Awaiter& awaiter, std::coroutine_handle<> handle) { awaiter.await_suspend(handle); };

template <class T>
concept task_awaitable = requires(T&& awaited) {
    { std::forward<T>(awaited).operator co_await() } -> task_aware;
};

template <class T>
concept hop = std::same_as<std::remove_cvref_t<T>, schedule_sender>;

template <class T>
concept awaited_sender = !task_awaitable<T> && !hop<T> && sender<T>;

// Awaiters are made as prvalues, in the coroutine's frame: g++ 12 copies one that is passed through by reference.
template <hop Awaited>
[[nodiscard]] hop_awaiter make_awaiter(Awaited&& sender, coroutine_base&) noexcept {
    return hop_awaiter(sender);
}

template <task_awaitable Awaited>
[[nodiscard]] auto make_awaiter(Awaited&& awaited, coroutine_base&) noexcept(
    noexcept(std::forward<Awaited>(awaited).operator co_await())) {
    return std::forward<Awaited>(awaited).operator co_await();
}

template <awaited_sender Awaited>
[[nodiscard]] sender_awaiter<Awaited> make_awaiter(Awaited&& sender, coroutine_base& coroutine) {
    return sender_awaiter<Awaited>(std::forward<Awaited>(sender), coroutine);
}

/// For senders of other libraries: a specialisation whose `static auto adapt(T)` makes one of ours. What adapts a
/// library says so for all of its senders (interop/stdexec_adaptors.hpp).
template <class T>
struct sender_adaptor {};

template <class T>
concept adapted_sender = !task_awaitable<T> && !hop<T> && !sender<T> && requires(T&& foreign) {
    { sender_adaptor<std::remove_cvref_t<T>>::adapt(std::forward<T>(foreign)) } -> sender;
};

template <adapted_sender T>
using adapted_t = decltype(sender_adaptor<std::remove_cvref_t<T>>::adapt(std::declval<T>()));

template <adapted_sender Awaited>
[[nodiscard]] sender_awaiter<adapted_t<Awaited>> make_awaiter(Awaited&& foreign, coroutine_base& coroutine) {
    return sender_awaiter<adapted_t<Awaited>>(
        sender_adaptor<std::remove_cvref_t<Awaited>>::adapt(std::forward<Awaited>(foreign)), coroutine);
}

/// Keeps the compiler quiet after it has said what is wrong.
struct no_awaiter {
    [[nodiscard]] static bool await_ready() noexcept { return true; }
    static void await_suspend(std::coroutine_handle<>) noexcept {}
    static void await_resume() noexcept {}
};

template <class Awaited>
    requires(!hop<Awaited> && !task_awaitable<Awaited> && !awaited_sender<Awaited> && !adapted_sender<Awaited>)
auto make_awaiter(Awaited&&, coroutine_base&) noexcept {
    static_assert(
        !sizeof(Awaited),
        "coex: this cannot be awaited in a coex::task, which resumes where it was and so must be known to what it "
        "awaits. Await a coex task, operation or sender (a named one with std::move: it is awaited once), or give your "
        "type an operator co_await whose awaiter's await_suspend takes a coroutine derived from coex::coroutine_base");
    return no_awaiter();
}

template <class Awaited>
using awaiter_of = decltype(make_awaiter(std::declval<Awaited>(), std::declval<coroutine_base&>()));

}  // namespace detail

/// What `co_await std::declval<Awaited>()` gives in a task.
template <class Awaited>
using await_result_t = decltype(std::declval<detail::awaiter_of<Awaited>&>().await_resume());

/// Anything that can be awaited in a coex task: tasks, operations, and senders that can complete with values in one
/// way.
template <class Awaited>
concept awaitable = detail::task_awaitable<Awaited> || detail::hop<Awaited> || detail::single_sender<Awaited> ||
                    (detail::adapted_sender<Awaited> && detail::single_sender<detail::adapted_t<Awaited>>);

}  // namespace coex::inline v0
