#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

/// The sender/receiver vocabulary, with the names of C++26 `std::execution` (2026 spelling).

namespace coex::inline v0 {

struct sender_tag {};
struct receiver_tag {};
struct operation_state_tag {};
struct scheduler_tag {};

/// An environment without answers.
struct empty_env {};

/// Asks an object for its environment: `object.get_env()`, or the empty one.
inline constexpr struct get_env_t {
    template <class T>
    [[nodiscard]] constexpr decltype(auto) operator()(const T& object) const noexcept {
        if constexpr (requires { object.get_env(); }) {
            return object.get_env();
        } else {
            return empty_env{};
        }
    }
} get_env{};

/// Completes a receiver with values.
struct set_value_t {
    template <class Receiver, class... Values>
    void operator()(Receiver&& receiver, Values&&... values) const noexcept {
        std::forward<Receiver>(receiver).set_value(std::forward<Values>(values)...);
    }
};
inline constexpr set_value_t set_value{};

/// Completes a receiver with an error.
struct set_error_t {
    template <class Receiver, class Error>
    void operator()(Receiver&& receiver, Error&& error) const noexcept {
        std::forward<Receiver>(receiver).set_error(std::forward<Error>(error));
    }
};
inline constexpr set_error_t set_error{};

/// Completes a receiver as stopped: neither value nor error, somebody asked for the work to end.
struct set_stopped_t {
    template <class Receiver>
    void operator()(Receiver&& receiver) const noexcept {
        std::forward<Receiver>(receiver).set_stopped();
    }
};
inline constexpr set_stopped_t set_stopped{};

/// The ways in which a sender can complete, as function types: `set_value_t(int)`, `set_stopped_t()`.
template <class... Signatures>
struct completion_signatures {};

/// Something that can be connected to a receiver, giving an operation.
template <class T>
concept sender = std::derived_from<typename std::remove_cvref_t<T>::sender_concept, sender_tag> &&
                 std::move_constructible<std::remove_cvref_t<T>>;

template <class T>
concept receiver = std::derived_from<typename std::remove_cvref_t<T>::receiver_concept, receiver_tag> &&
                   std::move_constructible<std::remove_cvref_t<T>>;

/// What `connect` returns: stays where it is, does nothing until `start()`.
template <class T>
concept operation_state =
    std::derived_from<typename T::operation_state_concept, operation_state_tag> && requires(T& operation) {
        { operation.start() } noexcept;
    };

/// A cheap, equality-comparable handle of a place where work can run.
template <class T>
concept scheduler =
    std::derived_from<typename std::remove_cvref_t<T>::scheduler_concept, scheduler_tag> &&
    std::equality_comparable<std::remove_cvref_t<T>> && std::copyable<std::remove_cvref_t<T>> && requires(T&& handle) {
        { std::forward<T>(handle).schedule() } -> sender;
    };

/// Joins a sender and a receiver into an operation.
inline constexpr struct connect_t {
    template <class Sender, class Receiver>
    [[nodiscard]] auto operator()(Sender&& sender, Receiver&& receiver) const {
        return std::forward<Sender>(sender).connect(std::forward<Receiver>(receiver));
    }
} connect{};

/// Starts an operation.
inline constexpr struct start_t {
    template <operation_state Operation>
    void operator()(Operation& operation) const noexcept {
        operation.start();
    }
} start{};

/// The sender that completes on the scheduler's place: `co_await schedule(s)` moves a task there.
inline constexpr struct schedule_t {
    template <scheduler Scheduler>
    [[nodiscard]] auto operator()(Scheduler&& scheduler) const noexcept {
        return std::forward<Scheduler>(scheduler).schedule();
    }
} schedule{};

}  // namespace coex::inline v0
