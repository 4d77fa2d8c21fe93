#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/children_awaiter.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all_waiter.hpp>
#include <exec/vocab/fork_deque.hpp>
#include <exec/vocab/work_item.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace coex::inline v0 {
namespace detail {

/// Waits for the tasks of a vector.
template <class T>
class when_all_range_awaiter : when_all_waiter {
    // Together with its successors it may be one job: of those, the taker leaves the second half for others in turn.
    struct element : work_item {
        element() noexcept : work_item(&element::run_elsewhere) {}
        static void run_elsewhere(work_item* item) noexcept {
            auto& self = *static_cast<element*>(item);
            execution_context& place = self.all->parent()->context();
            self.all->give_back(self.all->run(&self, self.count, place) % not_with_value);
        }

        std::optional<slot<T>> child;
        when_all_range_awaiter* all = nullptr;
        std::size_t count = 0;  // how many elements, from this one on, are one job
    };

public:
    explicit when_all_range_awaiter(std::vector<task<T>> tasks, coroutine_base* parent = nullptr)
        : when_all_waiter(parent, tasks.size()), elements_(tasks.size()) {
        for (std::size_t i = 0; i < tasks.size(); ++i)
            elements_[i].child.emplace(slot_source<T>{tasks[i].release(), *this});
    }

    [[nodiscard]] bool await_ready() noexcept { return elements_.empty() || (parent() != nullptr && start()); }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        if (parent() == nullptr) {
            set_parent(coroutine.promise());
            if (start()) return false;
        }
        return wait(coroutine.promise());
    }
    /// The error that await_resume() would rethrow, or null.
    [[nodiscard]] std::exception_ptr* failure() noexcept {
        if (first_failed() != nullptr) {
            for (element& each : elements_) {
                if (wins(*each.child)) return &each.child->held_error();
            }
        }
        return nullptr;
    }
    auto await_resume() {
        if (const std::exception_ptr* const error = failure()) detail::rethrow(*error);
        if constexpr (!std::is_void_v<T>) {
            std::vector<T> results;
            results.reserve(elements_.size());
            for (element& each : elements_) results.push_back(each.child->take());
            return results;
        }
    }

private:
    [[nodiscard]] bool start() noexcept {
        return started(elements_.size(), run(elements_.data(), elements_.size(), parent()->context()));
    }

    std::size_t run(element* first, std::size_t count, execution_context& place) noexcept {
        if (count == 1) return first->child->start(*this, place);
        const std::size_t half = count / 2;
        element* const middle = first + half;
        fork_deque* const own = forks_at(place);
        if (own == nullptr) return run(first, half, place) + run(middle, count - half, place);
        middle->all = this;
        middle->count = count - half;
        const std::uint64_t index = own->push(middle);
        const std::size_t given = run(first, half, place);
        return this_worker_forks->pop(index) ? given + run(middle, count - half, place) : given;
    }

    std::vector<element> elements_;
};

template <class... Ts>
using task_handles = std::tuple<std::coroutine_handle<task_promise<Ts>>...>;

/// Waits for a fixed number of tasks.
template <class... Ts>
class when_all_pack_awaiter : public children_awaiter<when_all_waiter, when_all_waiter::slot<Ts>...> {
public:
    explicit when_all_pack_awaiter(const task_handles<Ts...>& tasks, coroutine_base* parent = nullptr) noexcept
        : when_all_pack_awaiter(tasks, parent, std::index_sequence_for<Ts...>()) {}
    COEX_ALWAYS_INLINE ~when_all_pack_awaiter() = default;

private:
    template <std::size_t... Is>
    when_all_pack_awaiter(const task_handles<Ts...>& tasks, coroutine_base* parent, std::index_sequence<Is...>) noexcept
        : children_awaiter<when_all_waiter, when_all_waiter::slot<Ts>...>(
              parent, when_all_waiter::slot_source<Ts>{std::get<Is>(tasks), *this}...) {}
};

template <class T>
class [[nodiscard]] when_all_range : public awaitable_sender<when_all_range<T>> {
public:
    explicit when_all_range(std::vector<task<T>> tasks) noexcept : tasks_(std::move(tasks)) {}
    [[nodiscard]] when_all_range_awaiter<T> operator co_await() && {
        return when_all_range_awaiter<T>(std::move(tasks_));
    }
    [[nodiscard]] when_all_range_awaiter<T> awaiter_in(coroutine_base& parent) && {
        return when_all_range_awaiter<T>(std::move(tasks_), &parent);
    }

private:
    std::vector<task<T>> tasks_;
};

template <class... Ts>
class [[nodiscard]] when_all_pack : public awaitable_sender<when_all_pack<Ts...>> {
public:
    static constexpr bool sends_tuple_apart = true;

    explicit when_all_pack(task<Ts>... tasks) noexcept : tasks_(tasks.release()...) {}
    when_all_pack(when_all_pack&& other) noexcept : tasks_(other.hand_over()) {}
    when_all_pack& operator=(when_all_pack&& other) noexcept {
        when_all_pack(std::move(other)).swap(*this);
        return *this;
    }
    ~when_all_pack() {
        if constexpr (sizeof...(Ts) != 0) {
            if (std::get<0>(tasks_)) [[unlikely]]
                destroy();
        }
    }
    void swap(when_all_pack& other) noexcept { tasks_.swap(other.tasks_); }

    [[nodiscard]] when_all_pack_awaiter<Ts...> operator co_await() && noexcept {
        return when_all_pack_awaiter<Ts...>(release());
    }
    [[nodiscard]] when_all_pack_awaiter<Ts...> awaiter_in(coroutine_base& parent) && noexcept {
        return when_all_pack_awaiter<Ts...>(release(), &parent);
    }

private:
    [[nodiscard]] task_handles<Ts...> release() noexcept {
        if constexpr (sizeof...(Ts) != 0) {
            COEX_REQUIRE(std::get<0>(tasks_), "when_all: awaited twice, or after it was moved from");
        }
        return hand_over();
    }
    [[nodiscard]] task_handles<Ts...> hand_over() noexcept {
        const task_handles<Ts...> tasks = tasks_;
        if constexpr (sizeof...(Ts) != 0) std::get<0>(tasks_) = nullptr;
        return tasks;
    }
    COEX_NOINLINE void destroy() noexcept {
        std::apply([](auto... each) { (each.destroy(), ...); }, tasks_);
    }

    task_handles<Ts...> tasks_;  // the first one is null when they have been handed over
};

}  // namespace detail

/// Runs all tasks concurrently and waits for every one of them. Each is started on the pool of the awaiter: on its own
/// thread, in order, each as soon as the one before has ended or suspended; or earlier, on a worker that is idle.
///
/// Completes:  with the results in the order of the tasks: a vector, or nothing for `task<void>`.
/// Errors:     the first error in time is rethrown, after all tasks have ended; the others are asked to stop by it.
/// Cancel:     a stop request is passed on to all tasks. When a task was stopped, the others are asked to stop too, and
///             then the awaiter is stopped, unless some task failed: an error wins. As in C++26.
/// Lifetime:   the frame of a task, with its parameters, goes when the task has ended, on the thread where it was, its
///             result when the await has given it.
/// Complexity: one allocation for the vector; no other.
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
