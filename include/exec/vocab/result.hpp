#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/object.hpp>
#include <exec/vocab/error_of.hpp>

#include <exception>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

namespace coex::inline v0 {

/// Work was stopped before it had a result: what is thrown where somebody asks for the value all the same. Its code is
/// std::errc::operation_canceled.
class operation_stopped : public std::system_error {
public:
    /// `what`: which work.
    explicit operation_stopped(const char* what);
    operation_stopped(const operation_stopped&) = default;
    operation_stopped& operator=(const operation_stopped&) = default;
    ~operation_stopped() override;
};

template <class T>
class result;

namespace detail {

[[noreturn]] void throw_result_stopped();

/// How a result holds a reference.
template <class T>
struct referred {
    referred(T& to) noexcept : object(address_of(to)) {}  // NOLINT: as a reference is made
    referred(T&&) = delete;

    T* object;
};

/// What the results of all types have in common.
template <class Stored>
class result_base {
public:
    [[nodiscard]] bool has_value() const noexcept { return std::holds_alternative<Stored>(held_); }
    [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] bool has_error() const noexcept { return std::holds_alternative<std::exception_ptr>(held_); }
    [[nodiscard]] bool was_stopped() const noexcept { return !has_value() && !has_error(); }

    /// The exception; null unless `has_error()`.
    [[nodiscard]] std::exception_ptr error() const noexcept {
        const auto* const error = std::get_if<std::exception_ptr>(&held_);
        return error == nullptr ? nullptr : *error;
    }

    /// The exception as a code and in words, without throwing it (see error_code_of); empty unless `has_error()`.
    [[nodiscard]] std::error_code error_code() const noexcept { return error_code_of(error()); }
    [[nodiscard]] std::string error_message() const { return error_message_of(error()); }

protected:
    struct stopped_state {};
    using variant = std::variant<stopped_state, Stored, std::exception_ptr>;

    explicit result_base(variant held) noexcept(std::is_nothrow_move_constructible_v<variant>)
        : held_(std::move(held)) {}
    result_base(const result_base&) = default;
    result_base(result_base&&) = default;
    result_base& operator=(const result_base&) = default;
    result_base& operator=(result_base&&) = default;
    ~result_base() = default;

    void throw_unless_value() const {
        if (has_value()) [[likely]]
            return;
        if (const auto* const error = std::get_if<std::exception_ptr>(&held_)) detail::rethrow(*error);
        throw_result_stopped();
    }
    void require_value() const noexcept {
        COEX_REQUIRE(has_value(), "result: * or -> on a result without a value; ask has_value(), or use value()");
    }

    [[nodiscard]] Stored& stored() noexcept { return *std::get_if<Stored>(&held_); }
    [[nodiscard]] const Stored& stored() const noexcept { return *std::get_if<Stored>(&held_); }

private:
    variant held_;
};

/// An error on its way into a `result<T>` of whatever T.
struct failure {
    template <class T>
    operator result<T>() && {
        return result<T>::failed(std::move(error));
    }

    std::exception_ptr error;
};

}  // namespace detail

/// How work ended: with a value, with an exception, or stopped. For those who want to look before they throw.
///
/// ```cpp
/// coex::result<int> answer = handle.get_result();
/// if (answer) use(*answer);
/// else if (answer.was_stopped()) ...
/// else log(answer.error());
/// ```
///
/// `result<T&>` holds a reference, `result<void>` no value.
///
/// Thread-safe: as a value of type `T`.
template <class T>
class [[nodiscard]] result
    : public detail::result_base<
          std::conditional_t<std::is_reference_v<T>, detail::referred<std::remove_reference_t<T>>, T>> {
    static_assert(!std::is_rvalue_reference_v<T>, "coex: result<T&&> would dangle; use result<T>");
    static_assert(!std::is_same_v<std::remove_cv_t<std::remove_reference_t<T>>, std::exception_ptr>,
                  "coex: result<std::exception_ptr>: use result<void>, which has an error() of its own");
    using stored_type = std::conditional_t<std::is_reference_v<T>, detail::referred<std::remove_reference_t<T>>, T>;
    using base = detail::result_base<stored_type>;
    using variant = typename base::variant;

public:
    using value_type = T;

    /// With a value.
    template <class Value = T>
        requires(std::is_constructible_v<stored_type, Value> && !std::is_base_of_v<base, std::remove_cvref_t<Value>>)
    explicit(!std::is_convertible_v<Value, stored_type>) result(Value&& value)
        : base(variant(std::in_place_index<1>, std::forward<Value>(value))) {}

    /// With an exception, which must not be null.
    [[nodiscard]] static result failed(std::exception_ptr error) {
        COEX_REQUIRE(error != nullptr, "result: failed() without an exception");
        return result(std::in_place, variant(std::in_place_index<2>, std::move(error)));
    }
    [[nodiscard]] static result stopped() { return result(std::in_place, variant(std::in_place_index<0>)); }

    /// The value.
    ///
    /// Errors: throws the exception that the work ended with, and operation_stopped when it was stopped.
    decltype(auto) value() & {
        this->throw_unless_value();
        return get(*this);
    }
    decltype(auto) value() const& {
        this->throw_unless_value();
        return get(*this);
    }
    T value() && {
        this->throw_unless_value();
        return static_cast<T&&>(get(*this));
    }

    /// The value of a result that has one; asking another aborts.
    [[nodiscard]] decltype(auto) operator*() & noexcept {
        this->require_value();
        return get(*this);
    }
    [[nodiscard]] decltype(auto) operator*() const& noexcept {
        this->require_value();
        return get(*this);
    }
    [[nodiscard]] T&& operator*() && noexcept {
        this->require_value();
        return static_cast<T&&>(get(*this));
    }
    [[nodiscard]] auto* operator->() noexcept { return detail::address_of(**this); }
    [[nodiscard]] const auto* operator->() const noexcept { return detail::address_of(**this); }

    /// The value, or `other` when there is none.
    template <class Other>
    [[nodiscard]] std::remove_cvref_t<T> value_or(Other&& other) const& {
        if (this->has_value()) return get(*this);
        return static_cast<std::remove_cvref_t<T>>(std::forward<Other>(other));
    }
    template <class Other>
    [[nodiscard]] std::remove_cvref_t<T> value_or(Other&& other) && {
        if (this->has_value()) return static_cast<T&&>(get(*this));
        return static_cast<std::remove_cvref_t<T>>(std::forward<Other>(other));
    }

private:
    result(std::in_place_t, variant held) : base(std::move(held)) {}

    template <class Self>
    [[nodiscard]] static auto& get(Self& self) noexcept {
        if constexpr (std::is_reference_v<T>) {
            return *self.stored().object;
        } else {
            return self.stored();
        }
    }
};

/// How work ended that gives no value.
template <>
class [[nodiscard]] result<void> : public detail::result_base<std::monostate> {
public:
    using value_type = void;

    result() noexcept : result_base(variant(std::in_place_index<1>)) {}
    [[nodiscard]] static result failed(std::exception_ptr error) {
        COEX_REQUIRE(error != nullptr, "result: failed() without an exception");
        return result(variant(std::in_place_index<2>, std::move(error)));
    }
    [[nodiscard]] static result stopped() { return result(variant(std::in_place_index<0>)); }

    /// Nothing; or throws as `result<T>::value()`.
    void value() const { throw_unless_value(); }

private:
    explicit result(variant held) noexcept : result_base(std::move(held)) {}
};

}  // namespace coex::inline v0
