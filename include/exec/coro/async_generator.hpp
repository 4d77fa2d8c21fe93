#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/base/object.hpp>
#include <exec/base/recycling.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/frame_layout.hpp>
#include <exec/coro/generator.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

template <class T>
class async_generator;

namespace detail {

/// Waits in a consumer for an asynchronous generator's next step: to its next yield, or its end.
///
/// A step is what a child task is to its parent: it is started by a plain call, and costs no atomic operation when it
/// never suspends in earnest. **The meeting** [C3]. Otherwise the end of the step and the consumer's decision to stay
/// suspended each exchange `meeting_`, and the second to arrive continues the consumer.
class generator_step : completion::waiter, completion {
public:
    generator_step(const generator_step&) = delete;
    generator_step& operator=(const generator_step&) = delete;

protected:
    /// `frame`: of the generator, which owns it; null once it has ended by being stopped.
    explicit generator_step(std::coroutine_handle<>& frame) noexcept
        : completion::waiter(&generator_step::on_step_ended),
          completion(static_cast<completion::waiter&>(*this)),
          frame_(&frame) {}
    ~generator_step() = default;

    /// Runs the step for `consumer`. Returns true when that stays suspended, or is being unwound.
    [[nodiscard]] bool run(coroutine_base& generator, coroutine_base& consumer) noexcept;

private:
    enum class meeting : unsigned char { nobody, consumer_waits, step_ended };

    static coroutine_base* on_step_ended(completion* self, coroutine_base& generator, outcome ending) noexcept;
    void destroy_generator() noexcept { std::exchange(*frame_, nullptr).destroy(); }

    std::coroutine_handle<>* frame_;
    coroutine_base* consumer_ = nullptr;
    std::atomic<meeting> meeting_{meeting::nobody};
};

template <class T>
class async_generator_promise final : public coroutine_base, public yielded<T> {
    using value = typename yielded<T>::value;

    /// Ends a step.
    class step_end {
    public:
        [[nodiscard]] static bool await_ready() noexcept { return false; }
        static std::coroutine_handle<> await_suspend(std::coroutine_handle<async_generator_promise> self) noexcept {
            return self.promise().end_step();
        }
        static void await_resume() noexcept {}
    };
    class copied : public step_end {
    public:
        copied(async_generator_promise& promise, const value& from) : copy_(from) {
            promise.current_ = detail::address_of(copy_);
        }
        copied(const copied&) = delete;
        copied& operator=(const copied&) = delete;

    private:
        value copy_;
    };

public:
    [[nodiscard]] async_generator<T> get_return_object() noexcept;
    [[nodiscard]] static std::suspend_always initial_suspend() noexcept { return {}; }
    [[nodiscard]] step_end final_suspend() noexcept {
        this->current_ = nullptr;
        return step_end();
    }

    [[nodiscard]] step_end yield_value(value& element) noexcept {
        this->current_ = detail::address_of(element);
        return step_end();
    }
    [[nodiscard]] step_end yield_value(value&& element) noexcept {
        this->current_ = detail::address_of(element);
        return step_end();
    }
    [[nodiscard]] copied yield_value(const value& element)
        requires(!std::is_const_v<value> && std::copy_constructible<value>)
    {
        return copied(*this, element);
    }

    static void return_void() noexcept {}
    void unhandled_exception() noexcept { error_ = std::current_exception(); }
    [[nodiscard]] value* take() {
        if (error_ != nullptr) [[unlikely]]
            detail::rethrow(std::exchange(error_, nullptr));
        return this->current_;
    }

    template <class Awaited>
    [[nodiscard]] auto await_transform(Awaited&& awaited) {
        return make_awaiter(std::forward<Awaited>(awaited), *this);
    }

    static void* operator new(std::size_t bytes) { return recycling_allocate(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept { recycling_deallocate(frame, bytes); }

private:
    [[nodiscard]] std::coroutine_handle<> end_step() noexcept {
        this->ending() = error_ != nullptr ? outcome::error : outcome::value;
        if (!this->is_detached()) return std::noop_coroutine();
        return this->end_detached();
    }

    std::exception_ptr error_;
};

template <class T>
class next_awaiter : generator_step {
public:
    explicit next_awaiter(std::coroutine_handle<>& frame, async_generator_promise<T>* promise) noexcept
        : generator_step(frame), promise_(frame && !frame.done() ? promise : nullptr) {}

    [[nodiscard]] bool await_ready() const noexcept { return promise_ == nullptr; }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> consumer) noexcept {
        return run(*promise_, consumer.promise());
    }
    [[nodiscard]] std::remove_reference_t<T>* await_resume() {
        return promise_ == nullptr ? nullptr : promise_->take();
    }

private:
    async_generator_promise<T>* promise_;
};

/// What `next()` returns.
template <class T>
class [[nodiscard]] next_sender : public awaitable_sender<next_sender<T>> {
public:
    explicit next_sender(std::coroutine_handle<>& frame, async_generator_promise<T>* promise) noexcept
        : frame_(&frame), promise_(promise) {}
    [[nodiscard]] next_awaiter<T> operator co_await() && noexcept { return next_awaiter<T>(*frame_, promise_); }

private:
    std::coroutine_handle<>* frame_;
    async_generator_promise<T>* promise_;
};

}  // namespace detail

/// A coroutine that computes a sequence and may wait for anything on the way, as a task does. Its consumer, a task,
/// asks for one element after the other:
/// ```
/// while (const line* each = co_await lines.next()) print(*each);
/// ```
///
/// *Where it runs.* Each step starts where the consumer is; during the step the generator is as a task that the
/// consumer awaits: hopping moves only itself, and the consumer resumes where it was.
///
/// Errors:      an exception that leaves the body is rethrown by `next()`; then the sequence has ended.
/// Cancel:      it has the stop token of the consumer of each step; when it is stopped it unwinds, then its consumer.
/// Thread-safe: no; one step at a time.
/// Lifetime:    an element lives until the next step: what was yielded is not copied, unless it is const. The generator
///              must outlive a step. Destroying it between steps destroys the locals of the body. A lambda's captures
///              die with the lambda.
/// Complexity:  one frame from recycled memory; a step that completes at once costs no atomic operation.
template <class T>
class [[nodiscard]] async_generator {
public:
    using promise_type = detail::async_generator_promise<T>;

    async_generator(async_generator&& other) noexcept
        : frame_(std::exchange(other.frame_, nullptr)), promise_(std::exchange(other.promise_, nullptr)) {}
    async_generator& operator=(async_generator&& other) noexcept {
        async_generator(std::move(other)).swap(*this);
        return *this;
    }
    ~async_generator() {
        if (frame_) frame_.destroy();
    }

    void swap(async_generator& other) noexcept {
        std::swap(frame_, other.frame_);
        std::swap(promise_, other.promise_);
    }

    /// Completes: with the address of the next element, or null at the end of the sequence, and ever after.
    /// Errors:    what left the body.
    [[nodiscard]] detail::next_sender<T> next() noexcept { return detail::next_sender<T>(frame_, promise_); }

private:
    friend promise_type;
    explicit async_generator(promise_type& promise) noexcept
        : frame_(std::coroutine_handle<promise_type>::from_promise(promise)), promise_(&promise) {}

    std::coroutine_handle<> frame_;
    promise_type* promise_;
};

template <class T>
async_generator<T> detail::async_generator_promise<T>::get_return_object() noexcept {
    static_assert(alignof(async_generator_promise) == alignof(coroutine_base),
                  "the handle is found from the base's address");
    require_sound_frame(this->handle());
    return async_generator<T>(*this);
}

}  // namespace coex::inline v0
