#pragma once

#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/fork_task.hpp>
#include <exec/coro/fork_waiter.hpp>
#include <exec/coro/result_completion.hpp>
#include <exec/coro/task.hpp>
#include <exec/vocab/execution_context.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

template <class Returned>
inline constexpr bool is_forkable = false;
template <class T>
inline constexpr bool is_forkable<task<T>> = true;
template <class T>
inline constexpr bool is_forkable<fork_task<T>> = true;

/// A function that returns a coroutine to be forked.
template <class Function, class... Args>
concept returns_task_for =
    std::is_invocable_v<Function, Args...> && is_forkable<std::invoke_result_t<Function, Args...>>;
template <class Function>
concept returns_task = returns_task_for<Function>;

/// What a slot is made of. `Function` is a type, or an lvalue reference.
template <class Function>
struct fork_source {
    explicit fork_source(Function& which, fork_waiter& waiter) noexcept : function(which), all(waiter) {}
    Function& function;
    fork_waiter& all;
};

/// The coroutine that a function returned, in the frame of the parent, and its result.
template <class Returned>
class forked_child;

template <class T>
class forked_child<fork_task<T>> : public fork_place<T> {
public:
    using fork_place<T>::fork_place;

    /// Has the coroutine made by `function`; it starts at once, in most cases. Returns how it has ended.
    template <class Function>
    COEX_ALWAYS_INLINE outcome make(Function&& function, execution_context&) {
        forking_place = &this->made;
        ::new (static_cast<void*>(&this->made)) fork_task<T>(std::forward<Function>(function)());
        return this->inline_ending;
    }
    /// Has it made only.
    template <class Function>
    void make_lazy(Function&& function) {
        ::new (static_cast<void*>(&this->made)) fork_task<T>(std::forward<Function>(function)());
    }
    static void not_made() noexcept { forking_place = nullptr; }

    [[nodiscard]] bool is_lazy() const noexcept { return this->made.is_lazy(); }
    [[nodiscard]] auto coroutine() const noexcept { return this->made.coroutine(); }
};

template <class T>
class forked_child<task<T>> : public result_completion<T> {
public:
    explicit forked_child(fork_waiter& all) noexcept : result_completion<T>(all) {}

    template <class Function>
    COEX_ALWAYS_INLINE outcome make(Function&& function, execution_context& place) {
        coroutine_ = std::forward<Function>(function)().release();
        lazy_ = false;
        const coroutine_base& parent = *static_cast<fork_waiter&>(*this->owner).parent();
        return coroutine_.promise().start_on_this_stack(place, parent.stop_token(), *this);
    }
    template <class Function>
    void make_lazy(Function&& function) {
        coroutine_ = std::forward<Function>(function)().release();
        lazy_ = true;
    }
    static void not_made() noexcept {}

    [[nodiscard]] bool is_lazy() const noexcept { return lazy_; }
    [[nodiscard]] auto coroutine() const noexcept { return coroutine_; }

private:
    std::coroutine_handle<task_promise<T>> coroutine_;
    bool lazy_;
};

/// The waiter of one child. It keeps the function.
template <class Function>
class fork_slot : public forked_child<std::invoke_result_t<Function>> {
public:
    explicit fork_slot(const fork_source<Function>& source)
        : forked_child<std::invoke_result_t<Function>>(source.all),
          function_(static_cast<Function&&>(source.function)) {}
    fork_slot(fork_slot&&) = delete;
    fork_slot& operator=(fork_slot&&) = delete;
    ~fork_slot() = default;

    static constexpr bool holds_trivially =
        result_completion<typename std::invoke_result_t<Function>::value_type>::holds_trivially &&
        std::is_trivially_destructible_v<Function>;

    std::size_t start(fork_waiter& all, execution_context& place) noexcept {
        COEX_TRY {
            if (stack_is_deep()) {
                this->make_lazy(static_cast<Function&&>(function_));
            } else {
                static_cast<void>(start_on_this_stack(all, place));
            }
        }
        COEX_CATCH(...) {
            failed_to_start();
        }
        return units(all);
    }
    COEX_ALWAYS_INLINE bool start_on_this_stack(fork_waiter&, execution_context& place) {
        return this->make(static_cast<Function&&>(function_), place) == outcome::value;
    }
    COEX_NOINLINE void failed_to_start() noexcept {
        this->not_made();
        this->fail(std::current_exception(), this->inline_ending);
    }
    COEX_NOINLINE std::size_t units(fork_waiter& all) noexcept {
        outcome ended = this->inline_ending;
        if (ended == outcome::none && this->is_lazy()) {
            coroutine_base& parent = *all.parent();
            ended = this->coroutine().promise().start_inline(parent.context(), parent.stop_token(), *this);
        }
        if (ended == outcome::value) return 2;
        if (ended == outcome::none) return 1;
        // A frame that was stopped goes at once: a sibling may wait for what it holds.
        if (ended == outcome::stopped) this->coroutine().destroy();
        all.note_failure(*this, ended);
        return 2 + fork_waiter::not_with_value;
    }

private:
    Function function_;
};

}  // namespace coex::inline v0::detail
