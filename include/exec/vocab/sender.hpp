#pragma once

#include <exec/vocab/env.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

/// The sender/receiver vocabulary, with the names of C++26 `std::execution` (2026 spelling).

namespace coex::inline v0 {

struct sender_tag {};
struct receiver_tag {};
struct operation_state_tag {};
struct scheduler_tag {};

namespace detail {

/// Completion functions take their receiver as a movable rvalue.
template <class Receiver>
concept completable = !std::is_lvalue_reference_v<Receiver> && !std::is_const_v<Receiver>;

}  // namespace detail

/// Completes a receiver with values.
struct set_value_t {
    template <detail::completable Receiver, class... Values>
        requires requires(Receiver&& receiver, Values&&... values) {
            std::forward<Receiver>(receiver).set_value(std::forward<Values>(values)...);
        }
    constexpr void operator()(Receiver&& receiver, Values&&... values) const noexcept {
        static_assert(
            noexcept(std::forward<Receiver>(receiver).set_value(std::forward<Values>(values)...)),
            "coex: a receiver's set_value may throw, and nobody could take what it throws; declare it noexcept");
        std::forward<Receiver>(receiver).set_value(std::forward<Values>(values)...);
    }
};
inline constexpr set_value_t set_value{};

/// Completes a receiver with an error.
struct set_error_t {
    template <detail::completable Receiver, class Error>
        requires requires(Receiver&& receiver, Error&& error) {
            std::forward<Receiver>(receiver).set_error(std::forward<Error>(error));
        }
    constexpr void operator()(Receiver&& receiver, Error&& error) const noexcept {
        static_assert(
            noexcept(std::forward<Receiver>(receiver).set_error(std::forward<Error>(error))),
            "coex: a receiver's set_error may throw, and nobody could take what it throws; declare it noexcept");
        std::forward<Receiver>(receiver).set_error(std::forward<Error>(error));
    }
};
inline constexpr set_error_t set_error{};

/// Completes a receiver as stopped: neither value nor error, somebody asked for the work to end.
struct set_stopped_t {
    template <detail::completable Receiver>
        requires requires(Receiver&& receiver) { std::forward<Receiver>(receiver).set_stopped(); }
    constexpr void operator()(Receiver&& receiver) const noexcept {
        static_assert(
            noexcept(std::forward<Receiver>(receiver).set_stopped()),
            "coex: a receiver's set_stopped may throw, and nobody could take what it throws; declare it noexcept");
        std::forward<Receiver>(receiver).set_stopped();
    }
};
inline constexpr set_stopped_t set_stopped{};

/// Something that can be connected to a receiver, giving an operation.
template <class T>
concept sender = std::derived_from<typename std::remove_cvref_t<T>::sender_concept, sender_tag> &&
                 std::move_constructible<std::remove_cvref_t<T>> && std::constructible_from<std::remove_cvref_t<T>, T>;

/// Somebody who can be told how an operation completed.
template <class T>
concept receiver =
    std::derived_from<typename std::remove_cvref_t<T>::receiver_concept, receiver_tag> &&
    std::move_constructible<std::remove_cvref_t<T>> && std::constructible_from<std::remove_cvref_t<T>, T> &&
    std::is_nothrow_move_constructible_v<std::remove_cvref_t<T>>;

/// What `connect` returns: stays where it is, does nothing until `start()`.
template <class T>
concept operation_state = std::derived_from<typename T::operation_state_concept, operation_state_tag> &&
                          std::is_object_v<T> && requires(T& operation) {
                              { operation.start() } noexcept;
                          };

/// Joins a sender and a receiver into an operation.
inline constexpr struct connect_t {
    template <sender Sender, receiver Receiver>
    [[nodiscard]] constexpr auto operator()(Sender&& sender, Receiver&& receiver) const
        noexcept(noexcept(std::forward<Sender>(sender).connect(std::forward<Receiver>(receiver))))
            -> decltype(std::forward<Sender>(sender).connect(std::forward<Receiver>(receiver))) {
        static_assert(
            operation_state<decltype(std::forward<Sender>(sender).connect(std::forward<Receiver>(receiver)))>,
            "coex: what a sender's connect() returns is no operation state: it needs `using operation_state_concept = "
            "coex::operation_state_tag` and `void start() & noexcept`");
        return std::forward<Sender>(sender).connect(std::forward<Receiver>(receiver));
    }
} connect{};

template <class Sender, class Receiver>
using connect_result_t = decltype(connect(std::declval<Sender>(), std::declval<Receiver>()));

/// Starts an operation.
inline constexpr struct start_t {
    template <operation_state Operation>
    constexpr void operator()(Operation& operation) const noexcept {
        operation.start();
    }
} start{};

/// The sender that completes on the scheduler's place: `co_await schedule(s)` moves a task there.
inline constexpr struct schedule_t {
    template <class Scheduler>
        requires requires(Scheduler&& scheduler) { std::forward<Scheduler>(scheduler).schedule(); }
    [[nodiscard]] constexpr auto operator()(Scheduler&& scheduler) const
        noexcept(noexcept(std::forward<Scheduler>(scheduler).schedule())) {
        static_assert(sender<decltype(std::forward<Scheduler>(scheduler).schedule())>,
                      "coex: what a scheduler's schedule() returns is no sender: it needs `using sender_concept = "
                      "coex::sender_tag`, and to be movable");
        return std::forward<Scheduler>(scheduler).schedule();
    }
} schedule{};

/// A cheap, equality-comparable handle of a place where work can run.
template <class T>
concept scheduler =
    std::derived_from<typename std::remove_cvref_t<T>::scheduler_concept, scheduler_tag> &&
    std::equality_comparable<std::remove_cvref_t<T>> && std::copyable<std::remove_cvref_t<T>> && requires(T&& handle) {
        { std::forward<T>(handle).schedule() } -> sender;
    };

namespace detail {

/// True for senders whose operations always complete inside `start()`, on the same thread: those that have a member
/// `static constexpr bool completes_inline = true`.
template <class Sender>
inline constexpr bool completes_inline = false;
template <class Sender>
    requires requires { requires std::remove_cvref_t<Sender>::completes_inline; }
inline constexpr bool completes_inline<Sender> = true;

}  // namespace detail

template <scheduler Scheduler>
using schedule_result_t = decltype(schedule(std::declval<Scheduler>()));

}  // namespace coex::inline v0
