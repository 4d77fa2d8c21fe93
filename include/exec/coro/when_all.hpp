#pragma once

#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <optional>
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
class when_all_waiter : public completion {
public:
    when_all_waiter() noexcept : completion(&when_all_waiter::on_child_ended) {}

protected:
    ~when_all_waiter() = default;

    /// To be called first, with the number of children. Each is then started by start_child(), and finish_start() ends
    /// it.
    void begin_start(coroutine_base& parent, std::size_t children);
    void start_child(coroutine_base& child) noexcept;
    /// Returns true when the parent stays suspended.
    [[nodiscard]] bool finish_start() noexcept;

    [[nodiscard]] coroutine_base* first_failed() const noexcept { return first_failed_.load(); }

private:
    struct forward_stop {
        inplace_stop_source* source;
        void operator()() const noexcept { source->request_stop(); }
    };

    static coroutine_base* on_child_ended(completion* self, coroutine_base& child) noexcept;
    void note_ending(coroutine_base& child) noexcept;
    [[nodiscard]] outcome overall() const noexcept;

    coroutine_base* parent_ = nullptr;
    bool parent_was_detached_ = false;
    std::size_t ended_at_start_ = 0;  // children that ended while they were started
    std::atomic<std::size_t> remaining_{0};
    std::atomic<coroutine_base*> first_failed_{nullptr};  // the first child in time that ended with an error
    std::atomic<bool> any_stopped_{false};
    inplace_stop_source source_;
    std::optional<inplace_stop_callback<forward_stop>> link_;
};

template <class T>
using child_handle = std::coroutine_handle<task_promise<T>>;

/// Waits for the tasks of a vector.
template <class T>
class when_all_range_awaiter : when_all_waiter {
public:
    explicit when_all_range_awaiter(std::vector<task<T>> tasks) : tasks_(std::move(tasks)) {
        children_.reserve(tasks_.size());
        for (task<T>& child : tasks_) children_.push_back(child.release());
        tasks_.clear();
    }
    ~when_all_range_awaiter() {
        for (child_handle<T> child : children_) child.destroy();
    }

    [[nodiscard]] bool await_ready() const noexcept { return children_.empty(); }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) {
        begin_start(parent.promise(), children_.size());
        for (std::size_t i = 0, count = children_.size(); i < count; ++i) start_child(children_[i].promise());
        return finish_start();
    }
    auto await_resume() {
        if (first_failed() != nullptr) {
            for (child_handle<T> child : children_) {
                if (&child.promise() == first_failed()) child.promise().take();
            }
        }
        if constexpr (!std::is_void_v<T>) {
            std::vector<T> results;
            results.reserve(children_.size());
            for (child_handle<T> child : children_) results.push_back(child.promise().take());
            return results;
        }
    }

private:
    std::vector<task<T>> tasks_;
    std::vector<child_handle<T>> children_;
};

/// Waits for a fixed number of tasks.
template <class... Ts>
class when_all_pack_awaiter : when_all_waiter {
public:
    explicit when_all_pack_awaiter(std::tuple<task<Ts>...>&& tasks) noexcept
        : children_(std::apply([](task<Ts>&... each) { return std::tuple(each.release()...); }, tasks)) {}
    ~when_all_pack_awaiter() {
        std::apply([](child_handle<Ts>... child) { (child.destroy(), ...); }, children_);
    }

    [[nodiscard]] static bool await_ready() noexcept { return sizeof...(Ts) == 0; }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) {
        begin_start(parent.promise(), sizeof...(Ts));
        std::apply([this](child_handle<Ts>... child) { (start_child(child.promise()), ...); }, children_);
        return finish_start();
    }
    auto await_resume() {
        return std::apply(
            [this](child_handle<Ts>... child) {
                ((&child.promise() == first_failed() ? static_cast<void>(child.promise().take()) : void()), ...);
                if constexpr (!(std::is_void_v<Ts> && ...)) return std::tuple_cat(result_of<Ts>(child)...);
            },
            children_);
    }

private:
    template <class T>
    static auto result_of(child_handle<T> child) {
        if constexpr (std::is_void_v<T>) {
            return std::tuple<>();
        } else {
            return std::tuple<T>(child.promise().take());
        }
    }

    std::tuple<child_handle<Ts>...> children_;
};

template <class T>
class [[nodiscard]] when_all_range {
public:
    explicit when_all_range(std::vector<task<T>> tasks) noexcept : tasks_(std::move(tasks)) {}
    [[nodiscard]] when_all_range_awaiter<T> operator co_await() && {
        return when_all_range_awaiter<T>(std::move(tasks_));
    }

private:
    std::vector<task<T>> tasks_;
};

template <class... Ts>
class [[nodiscard]] when_all_pack {
public:
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
