#pragma once

#include <exec/base/assert.hpp>
#include <exec/coro/children_waiter.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/frame_layout.hpp>
#include <exec/coro/result_completion.hpp>
#include <exec/coro/task.hpp>

#include <coroutine>
#include <utility>

namespace coex::inline v0 {

template <class T>
class fork_task;

namespace detail {

/// Where the calling thread is about to have a fork_task made that shall start at once; null when nowhere.
extern constinit thread_local const void* forking_place __attribute__((tls_model("initial-exec")));

/// The promise of a fork_task.
///
/// **How a child starts in its first call** [J1]. A fork_task cannot be moved, so the object that a coroutine returns
/// is made where the result of the call is wanted, before the body starts. A fork_join notes in `forking_place` where
/// it wants the fork_task of the next child, inside a `fork_place`, and calls the function; a coroutine that finds its
/// fork_task to lie just there is that child, knows by this where its result goes and who waits, and runs on. Every
/// other coroutine that the function may start meanwhile, on this thread or another, has its fork_task elsewhere: it is
/// lazy, as a task. So is the child when `forking_place` has been used for somebody else's child before it was made
/// (the function worked for its pool): then the fork_join starts it when it has been returned.
template <class T>
class fork_promise final : public waiting_promise<T> {
public:
    [[nodiscard]] fork_task<T> get_return_object() noexcept;

    class start {
    public:
        explicit start(bool at_once) noexcept : at_once_(at_once) {}
        [[nodiscard]] bool await_ready() const noexcept { return __builtin_expect(at_once_, true); }
        static void await_suspend(std::coroutine_handle<>) noexcept {}
        static void await_resume() noexcept {}

    private:
        bool at_once_;
    };
    [[nodiscard]] start initial_suspend() const noexcept { return start(this->has_waiter()); }

    /// The coroutine has its fork_task at `place`. Returns true when it starts at once.
    [[nodiscard]] COEX_ALWAYS_INLINE bool made_at(fork_task<T>* place) noexcept;
};

}  // namespace detail

/// A coroutine that is made to be forked: `co_await fork_join([&] { return child(1); }, [&] { return child(2); })`. In
/// such a place it starts at once, by a plain call, and gives its result straight to the fork_join; everywhere else it
/// is as lazy as a `task`, and starts when it is awaited.
///
/// Once started it is as a `task`: it may await whatever a task may, resumes where it was, has the stop token of its
/// awaiter, and ends stopped where a task would. See `task` for errors, stops and lifetimes.
///
/// Thread-safe: no; one awaiter, once.
/// Lifetime:    it cannot be moved: return the call of the coroutine, or await it, as it stands.
/// Complexity:  one frame from recycled memory.
template <class T = void>
class [[nodiscard]] fork_task {
public:
    using promise_type = detail::fork_promise<T>;
    using value_type = T;

    fork_task(fork_task&&) = delete;
    fork_task& operator=(fork_task&&) = delete;
    ~fork_task() {
        if (coroutine_ == nullptr) return;
        COEX_REQUIRE(lazy_,
                     "fork_join: a function threw after its coroutine had started; let it do nothing after the call "
                     "of the coroutine that it returns");
        coroutine_.destroy();
    }

    [[nodiscard]] detail::task_awaiter<T> operator co_await() && noexcept { return detail::task_awaiter<T>(release()); }

    /// The awaiter for a parent that is known already.
    [[nodiscard]] detail::task_awaiter<T> awaiter_in(coroutine_base& parent) && noexcept {
        return detail::task_awaiter<T>(release(), &parent);
    }

    // --- for those that fork --------------------------------------------------------------------------------------

    /// True until it has been started.
    [[nodiscard]] bool is_lazy() const noexcept { return lazy_; }
    [[nodiscard]] std::coroutine_handle<promise_type> coroutine() const noexcept { return coroutine_; }

private:
    friend promise_type;
    explicit fork_task(promise_type& promise) noexcept
        : coroutine_(std::coroutine_handle<promise_type>::from_promise(promise)), lazy_(!promise.made_at(this)) {}

    [[nodiscard]] std::coroutine_handle<promise_type> release() noexcept {
        COEX_REQUIRE(coroutine_, "fork_task: awaited twice; a coroutine can be awaited once");
        return std::exchange(coroutine_, nullptr);
    }

    std::coroutine_handle<promise_type> coroutine_;
    bool lazy_;
};

namespace detail {

/// Room for the fork_task that a function returns. Who made it there does not destroy it.
template <class T>
struct fork_room {
    fork_room() noexcept {}
    fork_room(const fork_room&) = delete;
    fork_room& operator=(const fork_room&) = delete;
    ~fork_room() {}

    union {
        fork_task<T> made;
    };
};

/// Where a fork_task starts at once: its result goes to the completion.
template <class T>
class fork_place : public result_completion<T>, protected fork_room<T> {
public:
    explicit fork_place(children_waiter& all) noexcept : result_completion<T>(all) {}

    /// The place around a fork_task that was made in one.
    [[nodiscard]] static fork_place& around(fork_task<T>* made) noexcept {
        // g++ takes it for a local of who made it elsewhere, where this is not reached, and warns of what lies around.
        asm("" : "+r"(made));
        return static_cast<fork_place&>(*reinterpret_cast<fork_room<T>*>(made));
    }
};

template <class T>
COEX_ALWAYS_INLINE bool fork_promise<T>::made_at(fork_task<T>* place) noexcept {
    if (forking_place != place) [[unlikely]] {
        this->settle_nowhere();
        return false;
    }
    forking_place = nullptr;
    auto& own = fork_place<T>::around(place);
    const coroutine_base& parent = *static_cast<children_waiter&>(*own.owner).parent();
    this->settle(parent.context(), parent.stop_token(), own);
    return true;
}

template <class T>
fork_task<T> fork_promise<T>::get_return_object() noexcept {
    static_assert(alignof(fork_promise) == alignof(coroutine_base), "the handle is found from the base's address");
    require_sound_frame(this->handle());
    return fork_task<T>(*this);
}

}  // namespace detail
}  // namespace coex::inline v0
