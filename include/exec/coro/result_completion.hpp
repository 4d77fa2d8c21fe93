#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/object.hpp>
#include <exec/coro/coroutine_base.hpp>

#include <concepts>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// How the result of a task<T> is kept: references as pointers.
template <class T>
using result_in_place = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, std::remove_const_t<T>>;

template <class T, class Value>
concept constructs_result = (std::is_reference_v<T> && std::is_convertible_v<Value, T>) ||
                            (!std::is_reference_v<T> && std::is_constructible_v<T, Value>);

/// A completion that has room for the result of a task<T>. What is there, the ending tells.
///
/// OWNER: the child until it ends; then its waiter.
template <class T>
class result_completion : public completion {
    static_assert(!std::is_rvalue_reference_v<T>, "coex: a task cannot return an rvalue reference; return a value");

public:
    /// True when nothing is to be done for a value that is not wanted any more.
    static constexpr bool holds_trivially = std::is_trivially_destructible_v<result_in_place<T>>;

    explicit result_completion(waiter& who) noexcept : completion(who) {}
    result_completion(const result_completion&) = delete;
    result_completion& operator=(const result_completion&) = delete;
    ~result_completion() {
        if constexpr (holds_trivially) {
            if (inline_ending == outcome::value) [[likely]]
                return;
        }
        destroy_held();
    }

    // --- for the child --------------------------------------------------------------------------------------------

    template <class Value>
    void emplace(Value&& value) noexcept(std::is_nothrow_constructible_v<result_in_place<T>, Value>) {
        if constexpr (std::is_reference_v<T>) {
            T reference = std::forward<Value>(value);
            ::new (static_cast<void*>(detail::address_of(value_))) result_in_place<T>(detail::address_of(reference));
        } else {
            ::new (static_cast<void*>(detail::address_of(value_))) result_in_place<T>(std::forward<Value>(value));
        }
    }
    COEX_NOINLINE void fail(std::exception_ptr error, outcome& ending_of_child) noexcept {
        // A local's destructor threw after the result had been given.
        if (ending_of_child == outcome::value) detail::destroy(detail::address_of(value_));
        ::new (static_cast<void*>(&error_)) std::exception_ptr(std::move(error));
        ending_of_child = outcome::error;
    }

    // --- for the waiter -------------------------------------------------------------------------------------------

    /// The value, moved out, or the exception, thrown.
    T take() {
        if (inline_ending != outcome::value) [[unlikely]]
            check_value();
        return take_value();
    }
    /// When it is known that there is a value.
    T take_value() {
        if constexpr (std::is_reference_v<T>) {
            return *value_;
        } else {
            return std::move(value_);
        }
    }
    /// The same where it lies.
    [[nodiscard]] T&& held_value() noexcept {
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T&&>(*value_);
        } else {
            return std::move(value_);
        }
    }
    /// When it is known that there is an error.
    [[nodiscard]] std::exception_ptr& held_error() noexcept { return error_; }

private:
    COEX_NOINLINE void check_value() const {
        if (known_ending() == outcome::error) detail::rethrow(error_);
        COEX_ASSERT(known_ending() == outcome::value, "the result of a task was asked for before the task ended");
    }
    COEX_NOINLINE void destroy_held() noexcept {
        if (known_ending() == outcome::value) detail::destroy(detail::address_of(value_));
        if (known_ending() == outcome::error) detail::destroy(&error_);
    }

    union {
        result_in_place<T> value_;
        std::exception_ptr error_;
    };
};

template <>
class result_completion<void> : public completion {
public:
    static constexpr bool holds_trivially = true;

    explicit result_completion(waiter& who) noexcept : completion(who) {}

    void fail(std::exception_ptr error, outcome& ending_of_child) noexcept {
        error_ = std::move(error);
        ending_of_child = outcome::error;
    }
    void take() const {
        if (error_ != nullptr) detail::rethrow(error_);
    }
    static void take_value() noexcept {}
    [[nodiscard]] std::exception_ptr& held_error() noexcept { return error_; }
    [[nodiscard]] const std::exception_ptr& held_error() const noexcept { return error_; }

private:
    std::exception_ptr error_;
};

}  // namespace coex::inline v0::detail
