#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/object.hpp>
#include <exec/base/recycling.hpp>
#include <exec/base/std_ranges.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

template <class T>
class generator;

namespace detail {

/// What a yield leaves for the consumer: the address of what was yielded, which lives until the coroutine goes on.
template <class T>
class yielded {
public:
    using value = std::remove_reference_t<T>;

    [[nodiscard]] value* current() const noexcept { return current_; }

protected:
    value* current_ = nullptr;
};

template <class T>
class generator_promise : public yielded<T> {
    using value = typename yielded<T>::value;

    /// Suspends while the consumer looks at a copy.
    class copied {
    public:
        copied(generator_promise& promise, const value& from) : promise_(&promise), copy_(from) {}
        [[nodiscard]] static bool await_ready() noexcept { return false; }
        void await_suspend(std::coroutine_handle<>) noexcept { promise_->current_ = detail::address_of(copy_); }
        static void await_resume() noexcept {}

    private:
        generator_promise* promise_;
        value copy_;
    };

public:
    [[nodiscard]] generator<T> get_return_object() noexcept;
    [[nodiscard]] static std::suspend_always initial_suspend() noexcept { return {}; }
    [[nodiscard]] std::suspend_always final_suspend() noexcept {
        this->current_ = nullptr;
        return {};
    }

    [[nodiscard]] std::suspend_always yield_value(value& element) noexcept {
        this->current_ = detail::address_of(element);
        return {};
    }
    [[nodiscard]] std::suspend_always yield_value(value&& element) noexcept {
        this->current_ = detail::address_of(element);
        return {};
    }
    [[nodiscard]] copied yield_value(const value& element)
        requires(!std::is_const_v<value> && std::copy_constructible<value>)
    {
        return copied(*this, element);
    }

    static void return_void() noexcept {}
    void unhandled_exception() noexcept { error_ = std::current_exception(); }
    void rethrow() {
        if (error_ != nullptr) [[unlikely]]
            detail::rethrow(std::exchange(error_, nullptr));
    }

    /// It is no task: it cannot wait.
    template <class Awaited>
    auto await_transform(Awaited&&) noexcept {
        static_assert(!sizeof(Awaited),
                      "coex: a generator runs inside its consumer's loop and cannot wait for anything; use a "
                      "coex::async_generator to co_await in it");
        return std::suspend_never();
    }

    static void* operator new(std::size_t bytes) { return recycling_allocate(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept { recycling_deallocate(frame, bytes); }

private:
    std::exception_ptr error_;
};

}  // namespace detail

/// A coroutine that computes a sequence, one `co_yield` after the other, as far as its consumer asks:
/// `for (int each : numbers()) ...`. An input range, as C++23 `std::generator`; without `elements_of`.
///
/// Errors:      an exception that leaves the body comes out of `begin()` or `++`; then the sequence has ended.
/// Thread-safe: no.
/// Lifetime:    an element lives until the iterator moves on: what was yielded is not copied, unless it is const.
///              Destroying the generator destroys the locals of the body. A lambda's captures die with the lambda.
/// Complexity:  one frame from recycled memory.
template <class T>
class [[nodiscard]] generator {
public:
    using promise_type = detail::generator_promise<T>;
    using reference = std::conditional_t<std::is_reference_v<T>, T, T&>;

    class iterator {
    public:
        using value_type = std::remove_cvref_t<T>;
        using difference_type = std::ptrdiff_t;

        iterator(iterator&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
        iterator& operator=(iterator&& other) noexcept {
            coroutine_ = std::exchange(other.coroutine_, nullptr);
            return *this;
        }
        ~iterator() = default;

        [[nodiscard]] reference operator*() const noexcept {
            return static_cast<reference>(*coroutine_.promise().current());
        }
        iterator& operator++() {
            advance(coroutine_);
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept { return at.coroutine_.done(); }

    private:
        friend generator;
        explicit iterator(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

        std::coroutine_handle<promise_type> coroutine_;
    };

    generator(generator&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    generator& operator=(generator&& other) noexcept {
        generator(std::move(other)).swap(*this);
        return *this;
    }
    ~generator() {
        if (coroutine_) coroutine_.destroy();
    }

    void swap(generator& other) noexcept { std::swap(coroutine_, other.coroutine_); }

    /// Runs the body to its first yield. Once.
    [[nodiscard]] iterator begin() {
        COEX_REQUIRE(coroutine_ && coroutine_.promise().current() == nullptr && !coroutine_.done(),
                     "generator: begun twice, or after it was moved from; its elements can be visited once");
        advance(coroutine_);
        return iterator(coroutine_);
    }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    friend promise_type;
    explicit generator(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

    static void advance(std::coroutine_handle<promise_type> coroutine) {
        coroutine.resume();
        coroutine.promise().rethrow();
    }

    std::coroutine_handle<promise_type> coroutine_;
};

template <class T>
generator<T> detail::generator_promise<T>::get_return_object() noexcept {
    return generator<T>(std::coroutine_handle<generator_promise>::from_promise(*this));
}

}  // namespace coex::inline v0
