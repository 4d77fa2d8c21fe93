#pragma once

#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task.hpp>
#include <exec/vocab/fork_deque.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace coex::inline v0 {
namespace detail {

/// Waits in a parent for several children.
///
/// **The count** [W1]. `remaining_` starts with two units for each child and one for the parent. A child gives one back
/// when it has ended; who started it gives the other one back after that; the parent gives its own back last. Who
/// brings the count to zero continues the parent. So the parent is continued once, after the last child, sees what all
/// of them wrote, and no thread touches this object after it has given its last unit back. As long as all children are
/// started by the parent and end at once, nobody touches the count.
///
/// **Forking.** The parent starts its first child and leaves the others in the thread's fork_deque meanwhile, where an
/// idle worker of the same pool may take them. Those that nobody took it starts afterwards, in order.
///
/// OWNER: the parent until it has given its own unit back; then whoever gives the last one back.
class when_all_waiter : public completion::waiter {
public:
    when_all_waiter(const when_all_waiter&) = delete;
    when_all_waiter& operator=(const when_all_waiter&) = delete;

protected:
    template <class T>
    struct slot_source {
        std::coroutine_handle<task_promise<T>> child;
        when_all_waiter& all;
    };

    /// The waiter of one child, whose frame it owns; the job that starts the child.
    template <class T>
    class slot : public result_completion<T>, public work_item {
    public:
        explicit slot(const slot_source<T>& source) noexcept
            : result_completion<T>(source.all), work_item(&slot::run_elsewhere), child_(source.child) {}
        slot(slot&&) = delete;
        slot& operator=(slot&&) = delete;
        ~slot() {
            if (this->inline_ending != outcome::value) [[unlikely]]
                release();
        }

        /// Starts the child. Returns how many units of the count the caller has to give back: two when it has ended.
        COEX_ALWAYS_INLINE std::size_t run(when_all_waiter& all) noexcept {
            const outcome ended = child_.promise().start_inline(all.parent_->context(), all.source_.get_token(), *this);
            if (ended == outcome::value) [[likely]]
                return 2;
            return ended_otherwise(all, ended);
        }

    private:
        COEX_NOINLINE std::size_t ended_otherwise(when_all_waiter& all, outcome ended) noexcept {
            if (ended == outcome::none) return 1;
            // A frame that was stopped goes at once: a sibling may wait for what it holds.
            if (ended == outcome::stopped) child_.destroy();
            all.note_failure(*this, ended);
            return 2 + not_with_value;
        }
        // The frame is there still when the child was never started, or has detached and was not stopped.
        COEX_NOINLINE void release() noexcept {
            if (this->inline_ending == outcome::none && this->ending != outcome::stopped) child_.destroy();
        }
        static void run_elsewhere(work_item* item) noexcept {
            auto& self = *static_cast<slot*>(item);
            auto& all = static_cast<when_all_waiter&>(*self.owner);
            all.give_back(self.run(all) % not_with_value);
        }

        std::coroutine_handle<task_promise<T>> child_;
    };

    explicit when_all_waiter(coroutine_base* parent) noexcept
        : waiter(&when_all_waiter::on_child_ended),
          parent_(parent),
          source_(parent != nullptr ? parent->stop_token() : inplace_stop_token()) {}
    ~when_all_waiter() = default;

    [[nodiscard]] coroutine_base* parent() const noexcept { return parent_; }
    void set_parent(coroutine_base& parent) noexcept {
        parent_ = &parent;
        source_.set_parent(parent.stop_token());
    }

    void begin(std::size_t children) noexcept {
        // ORDER: relaxed; no child has been started, nobody else sees the counter.
        remaining_.store(2 * children + 1, std::memory_order_relaxed);
    }

    /// Returns where children may be left for others, or null.
    [[nodiscard]] fork_deque* forks() const noexcept {
        fork_deque* const own = this_thread_forks;
        return own != nullptr && own->home() == &parent_->context() ? own : nullptr;
    }

    /// The parent has started its children, and has `given` units to give back. Returns true when all have ended, with
    /// values or errors. Otherwise `wait()` goes on.
    [[nodiscard]] bool started(std::size_t children, std::size_t given) noexcept {
        if (given == 2 * children) [[likely]]
            return true;
        own_ = given % not_with_value + 1;
        return own_ == 2 * children + 1 && overall() != outcome::stopped;
    }

    /// Returns true when the parent stays suspended, or is being unwound.
    [[nodiscard]] bool wait(coroutine_base& parent) noexcept;

    /// By another thread than the parent's that started children. LIFETIME: *this may be gone when this returns.
    void give_back(std::size_t units) noexcept;

    [[nodiscard]] const completion* first_failed() const noexcept { return first_failed_.load(); }

    // Added to the units of a child that ended at once with an error, or stopped.
    static constexpr std::size_t not_with_value = std::size_t{1} << 48;

private:
    static coroutine_base* on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept;
    void note_failure(completion& child, outcome ending) noexcept;
    [[nodiscard]] outcome overall() const noexcept;

    coroutine_base* parent_;
    std::size_t own_;  // units of the parent; set before wait()
    std::atomic<std::size_t> remaining_;
    std::atomic<completion*> first_failed_{nullptr};  // the first child in time that ended with an error
    std::atomic<bool> any_stopped_{false};
    nested_stop_source source_;
};

/// Waits for the tasks of a vector.
template <class T>
class when_all_range_awaiter : when_all_waiter {
    // Together with its successors it may be one job: of those, the taker leaves the second half for others in turn.
    struct element : work_item {
        element() noexcept : work_item(&element::run_elsewhere) {}
        static void run_elsewhere(work_item* item) noexcept {
            auto& self = *static_cast<element*>(item);
            self.all->give_back(self.all->run(&self, self.count) % not_with_value);
        }

        std::optional<slot<T>> child;
        when_all_range_awaiter* all = nullptr;
        std::size_t count = 0;  // how many elements, from this one on, are one job
    };

public:
    explicit when_all_range_awaiter(std::vector<task<T>> tasks, coroutine_base* parent = nullptr)
        : when_all_waiter(parent), elements_(tasks.size()) {
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
    auto await_resume() {
        if (const completion* failed = first_failed()) {
            for (element& each : elements_) {
                if (&*each.child == failed) static_cast<void>(each.child->result.take());
            }
        }
        if constexpr (!std::is_void_v<T>) {
            std::vector<T> results;
            results.reserve(elements_.size());
            for (element& each : elements_) results.push_back(each.child->result.take());
            return results;
        }
    }

private:
    [[nodiscard]] bool start() noexcept {
        begin(elements_.size());
        return started(elements_.size(), run(elements_.data(), elements_.size()));
    }

    std::size_t run(element* first, std::size_t count) noexcept {
        if (count == 1) return first->child->run(*this);
        const std::size_t half = count / 2;
        element* const middle = first + half;
        fork_deque* const own = forks();
        if (own == nullptr) return run(first, half) + run(middle, count - half);
        middle->all = this;
        middle->count = count - half;
        const std::uint64_t index = own->push(middle);
        const std::size_t given = run(first, half);
        return this_worker_forks->pop(index) ? given + run(middle, count - half) : given;
    }

    std::vector<element> elements_;
};

/// Waits for a fixed number of tasks.
template <class... Ts>
class when_all_pack_awaiter : when_all_waiter {
    static constexpr std::size_t count = sizeof...(Ts);

public:
    explicit when_all_pack_awaiter(std::tuple<task<Ts>...>&& tasks, coroutine_base* parent = nullptr) noexcept
        : when_all_pack_awaiter(std::move(tasks), parent, std::index_sequence_for<Ts...>()) {}

    COEX_ALWAYS_INLINE ~when_all_pack_awaiter() = default;

    [[nodiscard]] COEX_ALWAYS_INLINE bool await_ready() noexcept {
        return count == 0 || (parent() != nullptr && start());
    }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        return parent() == nullptr ? start_in(coroutine.promise()) : wait(coroutine.promise());
    }
    COEX_ALWAYS_INLINE auto await_resume() { return results(std::index_sequence_for<Ts...>()); }

private:
    COEX_NOINLINE bool start_in(coroutine_base& parent) noexcept {
        set_parent(parent);
        return !start() && wait(parent);
    }

    // Of more children than may be pushed at once, the last ones are started here.
    static constexpr std::size_t forked = count == 0 ? 0 : std::min<std::size_t>(count - 1, fork_deque::margin - 1);

    template <std::size_t... Is>
    when_all_pack_awaiter(std::tuple<task<Ts>...>&& tasks, coroutine_base* parent, std::index_sequence<Is...>) noexcept
        : when_all_waiter(parent), slots_(slot_source<Ts>{std::get<Is>(tasks).release(), *this}...) {}

    [[nodiscard]] COEX_ALWAYS_INLINE bool start() noexcept {
        if constexpr (count == 0) {
            return true;
        } else {
            using others = std::make_index_sequence<count - 1 - forked>;
            begin(count);
            return started(count, run(std::make_index_sequence<forked>(), others()));
        }
    }

    template <std::size_t... Is, std::size_t... Others>
    COEX_ALWAYS_INLINE std::size_t run(std::index_sequence<Is...>, std::index_sequence<Others...>) noexcept {
        fork_deque* const own = forks();
        std::size_t given = 0;
        if (own == nullptr) {
            given += std::get<0>(slots_).run(*this);
            ((given += std::get<1 + Is>(slots_).run(*this)), ...);
        } else {
            // The last one first, so that the second is popped first, and thieves take the last.
            [[maybe_unused]] std::array<std::uint64_t, forked + 1> indices;
            ((indices[forked - Is] = own->push(&std::get<forked - Is>(slots_))), ...);
            given += std::get<0>(slots_).run(*this);
            ((given += this_worker_forks->pop(indices[1 + Is]) ? std::get<1 + Is>(slots_).run(*this) : 0), ...);
        }
        ((given += std::get<1 + forked + Others>(slots_).run(*this)), ...);
        return given;
    }

    template <std::size_t... Is>
    COEX_ALWAYS_INLINE auto results(std::index_sequence<Is...>) {
        if (const completion* const failed = first_failed()) [[unlikely]] {
            ((&std::get<Is>(slots_) == failed ? static_cast<void>(std::get<Is>(slots_).result.take()) : void()), ...);
        }
        if constexpr (count > 0 && !(std::is_void_v<Ts> || ...)) {
            return std::tuple<Ts...>(std::get<Is>(slots_).result.take()...);
        } else if constexpr (!(std::is_void_v<Ts> && ...)) {
            return std::tuple_cat(result_of<Ts>(std::get<Is>(slots_))...);
        }
    }
    template <class T>
    static auto result_of(slot<T>& child) {
        if constexpr (std::is_void_v<T>) {
            return std::tuple<>();
        } else {
            return std::tuple<T>(child.result.take());
        }
    }

    std::tuple<slot<Ts>...> slots_;
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

    explicit when_all_pack(task<Ts>... tasks) noexcept : tasks_(std::move(tasks)...) {}
    [[nodiscard]] when_all_pack_awaiter<Ts...> operator co_await() && noexcept {
        return when_all_pack_awaiter<Ts...>(std::move(tasks_));
    }
    [[nodiscard]] when_all_pack_awaiter<Ts...> awaiter_in(coroutine_base& parent) && noexcept {
        return when_all_pack_awaiter<Ts...>(std::move(tasks_), &parent);
    }

private:
    std::tuple<task<Ts>...> tasks_;
};

}  // namespace detail

/// Runs all tasks concurrently and waits for every one of them. Each is started on the pool of the awaiter: on its own
/// thread, in order, each as soon as the one before has ended or suspended; or earlier, on a worker that is idle.
///
/// Completes:   with the results in the order of the tasks: a vector, or nothing for `task<void>`.
/// Errors:      the first error in time is rethrown, after all tasks have ended; the others are asked to stop by it.
/// Cancel:      a stop request is passed on to all tasks. When a task was stopped, the others are asked to stop too,
/// and
///              then the awaiter is stopped, unless some task failed: an error wins. As in C++26.
/// Lifetime:    the frame of a task, with its parameters, goes when the task has ended, its result when the await has
///              given it.
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
