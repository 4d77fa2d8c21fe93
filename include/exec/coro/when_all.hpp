#pragma once

#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task.hpp>

#include <array>
#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace coex::inline v0 {
namespace detail {

/// Waits in a parent for several children. Each of them, and the parent for itself, holds one count; who brings it to
/// zero continues the parent [W1]. So the parent is continued once, after the last child, and sees what all of them
/// wrote.
///
/// OWNER: the parent until it has given its own count back; then whoever takes the last one.
class when_all_waiter {
public:
    when_all_waiter(const when_all_waiter&) = delete;
    when_all_waiter& operator=(const when_all_waiter&) = delete;

protected:
    /// The waiter of one child, whose frame it owns.
    class slot : public completion {
    public:
        template <class T>
        explicit slot(std::coroutine_handle<task_promise<T>> child) noexcept
            : completion(&when_all_waiter::on_child_ended), child_(child), base_(&child.promise()) {}
        slot(slot&& other) noexcept
            : completion(other), child_(std::exchange(other.child_, nullptr)), all_(other.all_), base_(other.base_) {}
        ~slot() {
            if (child_) child_.destroy();
        }
        template <class T>
        [[nodiscard]] task_promise<T>& promise() const noexcept {
            return std::coroutine_handle<task_promise<T>>::from_address(child_.address()).promise();
        }

    private:
        friend when_all_waiter;
        void destroy_child() noexcept { std::exchange(child_, nullptr).destroy(); }

        std::coroutine_handle<> child_;
        when_all_waiter* all_ = nullptr;
        coroutine_base* base_;
    };

    when_all_waiter() = default;
    ~when_all_waiter() = default;

    /// Starts all children inside `parent`. Returns true when the parent stays suspended.
    [[nodiscard]] bool start(coroutine_base& parent, std::span<slot> children);

    [[nodiscard]] const slot* first_failed() const noexcept { return first_failed_.load(); }

private:
    struct forward_stop {
        inplace_stop_source* source;
        void operator()() const noexcept { source->request_stop(); }
    };

    static coroutine_base* on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept;
    void note_ending(slot& child) noexcept;
    [[nodiscard]] outcome overall() const noexcept;

    coroutine_base* parent_ = nullptr;
    std::atomic<std::size_t> remaining_{0};
    std::atomic<slot*> first_failed_{nullptr};  // the first child in time that ended with an error
    std::atomic<bool> any_stopped_{false};
    inplace_stop_source source_;
    std::optional<inplace_stop_callback<forward_stop>> link_;
};

/// Waits for the tasks of a vector.
template <class T>
class when_all_range_awaiter : when_all_waiter {
public:
    explicit when_all_range_awaiter(std::vector<task<T>> tasks) {
        slots_.reserve(tasks.size());
        for (task<T>& child : tasks) slots_.emplace_back(child.release());
    }

    [[nodiscard]] bool await_ready() const noexcept { return slots_.empty(); }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) {
        return start(parent.promise(), slots_);
    }
    auto await_resume() {
        if (const slot* failed = first_failed()) failed->template promise<T>().take();
        if constexpr (!std::is_void_v<T>) {
            std::vector<T> results;
            results.reserve(slots_.size());
            for (const slot& each : slots_) results.push_back(each.template promise<T>().take());
            return results;
        }
    }

private:
    std::vector<slot> slots_;
};

/// Waits for a fixed number of tasks.
template <class... Ts>
class when_all_pack_awaiter : when_all_waiter {
public:
    explicit when_all_pack_awaiter(std::tuple<task<Ts>...>&& tasks) noexcept
        : slots_(std::apply([](task<Ts>&... each) { return std::array<slot, sizeof...(Ts)>{slot(each.release())...}; },
                            tasks)) {}

    [[nodiscard]] static bool await_ready() noexcept { return sizeof...(Ts) == 0; }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) {
        return start(parent.promise(), slots_);
    }
    auto await_resume() { return results(std::index_sequence_for<Ts...>()); }

private:
    template <std::size_t... Is>
    auto results(std::index_sequence<Is...>) {
        ((&slots_[Is] == first_failed() ? static_cast<void>(slots_[Is].template promise<Ts>().take()) : void()), ...);
        if constexpr (!(std::is_void_v<Ts> && ...)) return std::tuple_cat(result_of<Ts>(slots_[Is])...);
    }
    template <class T>
    static auto result_of(const slot& child) {
        if constexpr (std::is_void_v<T>) {
            return std::tuple<>();
        } else {
            return std::tuple<T>(child.template promise<T>().take());
        }
    }

    std::array<slot, sizeof...(Ts)> slots_;
};

template <class T>
class [[nodiscard]] when_all_range : public awaitable_sender<when_all_range<T>> {
public:
    explicit when_all_range(std::vector<task<T>> tasks) noexcept : tasks_(std::move(tasks)) {}
    [[nodiscard]] when_all_range_awaiter<T> operator co_await() && {
        return when_all_range_awaiter<T>(std::move(tasks_));
    }

private:
    std::vector<task<T>> tasks_;
};

template <class... Ts>
class [[nodiscard]] when_all_pack : public awaitable_sender<when_all_pack<Ts...>> {
public:
    static constexpr bool sends_tuple_apart = true;

    explicit when_all_pack(task<Ts>... tasks) noexcept : tasks_(std::move(tasks)...) {}
    [[nodiscard]] when_all_pack_awaiter<Ts...> operator co_await() && noexcept {
        return when_all_pack_awaiter<Ts...>(std::move(tasks_));
    }

private:
    std::tuple<task<Ts>...> tasks_;
};

}  // namespace detail

/// Runs all tasks concurrently and waits for every one of them. Each is started where the awaiter is, in order, and
/// runs there until it first suspends.
///
/// Completes:   with the results in the order of the tasks: a vector, or nothing for `task<void>`.
/// Errors:      the first error in time is rethrown, after all tasks have ended; the others are asked to stop by it.
/// Cancel:      a stop request is passed on to all tasks. When a task was stopped, the others are asked to stop too,
/// and
///              then the awaiter is stopped, unless some task failed: an error wins. As in C++26.
/// Lifetime:    the frames of the tasks live until the await has given its result.
/// Complexity:  one allocation for the vector; no other.
template <class T>
[[nodiscard]] detail::when_all_range<T> when_all(std::vector<task<T>> tasks) noexcept {
    return detail::when_all_range<T>(std::move(tasks));
}

/// The same for a fixed number of tasks: gives a tuple of the results that are not void, or nothing when all are.
template <class... Ts>
[[nodiscard]] detail::when_all_pack<Ts...> when_all(task<Ts>... tasks) noexcept {
    return detail::when_all_pack<Ts...>(std::move(tasks)...);
}

}  // namespace coex::inline v0
