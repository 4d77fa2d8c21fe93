#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/object.hpp>

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// What a task ended with: nothing yet, a value or an exception.
template <class T>
class task_result {
    static_assert(!std::is_rvalue_reference_v<T>, "coex: a task cannot return an rvalue reference; return a value");
    using stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, std::remove_const_t<T>>;

public:
    task_result() noexcept {}
    ~task_result() {
        if (kind_ == kind::value) detail::destroy(detail::address_of(value_));
        if (kind_ == kind::error) detail::destroy(&error_);
    }
    task_result(const task_result&) = delete;
    task_result& operator=(const task_result&) = delete;

    template <class Value = T>
        requires(!std::is_reference_v<T> && std::is_constructible_v<T, Value>)
    void return_value(Value&& value) noexcept(std::is_nothrow_constructible_v<T, Value>) {
        ::new (static_cast<void*>(detail::address_of(value_))) stored(std::forward<Value>(value));
        kind_ = kind::value;
    }
    void return_value(T value) noexcept
        requires std::is_reference_v<T>
    {
        ::new (static_cast<void*>(detail::address_of(value_))) stored(detail::address_of(value));
        kind_ = kind::value;
    }

    template <class... Args>
    void emplace(Args&&... args) noexcept(std::is_nothrow_constructible_v<stored, Args...>) {
        ::new (static_cast<void*>(detail::address_of(value_))) stored(std::forward<Args>(args)...);
        kind_ = kind::value;
    }

    void unhandled_exception() noexcept {
        // A local's destructor threw after the result had been given.
        if (kind_ == kind::value) detail::destroy(detail::address_of(value_));
        fail(std::current_exception());
    }
    void fail(std::exception_ptr error) noexcept {
        ::new (static_cast<void*>(&error_)) std::exception_ptr(std::move(error));
        kind_ = kind::error;
    }

    [[nodiscard]] bool failed() const noexcept { return kind_ == kind::error; }
    [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }

    /// The value, moved out, or the exception, thrown.
    T take() {
        if (kind_ == kind::error) [[unlikely]]
            detail::rethrow(error_);
        COEX_ASSERT(kind_ == kind::value, "the result of a task was asked for before the task ended");
        if constexpr (std::is_reference_v<T>) {
            return *value_;
        } else {
            return std::move(value_);
        }
    }

private:
    enum class kind : unsigned char { none, value, error };

    union {
        stored value_;
        std::exception_ptr error_;
    };
    kind kind_ = kind::none;
};

template <>
class task_result<void> {
public:
    static void return_void() noexcept {}
    void unhandled_exception() noexcept { error_ = std::current_exception(); }
    void fail(std::exception_ptr error) noexcept { error_ = std::move(error); }
    [[nodiscard]] bool failed() const noexcept { return error_ != nullptr; }
    [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }
    void take() const {
        if (error_ != nullptr) detail::rethrow(error_);
    }

private:
    std::exception_ptr error_;
};

}  // namespace coex::inline v0::detail
