#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/then.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/sender.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// The one value of the one way in which a sender completes with values.
template <class Signatures>
struct one_value;
template <class Value, class... Others>
struct one_value<completion_signatures<set_value_t(Value), Others...>> {
    using type = std::decay_t<Value>;
};
template <class... Values, class... Others>
    requires(sizeof...(Values) != 1)
struct one_value<completion_signatures<set_value_t(Values...), Others...>> {
    using type = void;
};
template <class First, class... Others>
struct one_value<completion_signatures<First, Others...>> : one_value<completion_signatures<Others...>> {};
template <>
struct one_value<completion_signatures<>> {
    using type = void;
};

template <class Value>
struct optional_map : keep_signatures {
    template <class V>
    using wrapped =
        std::conditional_t<std::is_nothrow_constructible_v<Value, V>,
                           completion_signatures<set_value_t(std::optional<Value>)>,
                           completion_signatures<set_value_t(std::optional<Value>), set_error_t(std::exception_ptr)>>;
    template <class... Values>
    using on_value = united_t<wrapped<Values>...>;
    template <class Map>
    using on_stopped = completion_signatures<set_value_t(std::optional<Value>)>;
};

template <class Value, class Receiver>
class optional_receiver {
public:
    using receiver_concept = receiver_tag;

    explicit optional_receiver(Receiver&& receiver) noexcept : receiver_(std::move(receiver)) {}

    template <class V>
    void set_value(V&& value) && noexcept {
        if constexpr (std::is_nothrow_constructible_v<Value, V>) {
            coex::set_value(std::move(receiver_), std::optional<Value>(std::in_place, std::forward<V>(value)));
        } else {
            COEX_TRY {
                coex::set_value(std::move(receiver_), std::optional<Value>(std::in_place, std::forward<V>(value)));
            }
            COEX_CATCH(...) {
                coex::set_error(std::move(receiver_), std::current_exception());
            }
        }
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        coex::set_error(std::move(receiver_), std::forward<Error>(error));
    }
    void set_stopped() && noexcept { coex::set_value(std::move(receiver_), std::optional<Value>()); }
    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(receiver_); }

private:
    [[no_unique_address]] Receiver receiver_;
};

template <class Child>
class optional_sender {
    template <class C, class Env>
    using value_of = typename one_value<decltype(coex::get_completion_signatures<C, forwarded_t<Env>>())>::type;

public:
    using sender_concept = sender_tag;
    static constexpr bool completes_inline = detail::completes_inline<Child>;

    template <class C>
    constexpr explicit optional_sender(std::in_place_t, C&& child) : child_(std::forward<C>(child)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using child = child_of_t<Self, Child>;
        using from = decltype(coex::get_completion_signatures<child, forwarded_t<Env>>());
        using value = value_of<child, Env>;
        constexpr bool fits = count_of<set_value_t, from> == 1 && !std::is_void_v<value>;
        static_assert(
            fits,
            "coex: stopped_as_optional needs a sender that completes with exactly one value, of which it makes an "
            "optional; put then(...) before it to make one value of none or several, or use let_stopped");
        if constexpr (fits) return mapped_t<from, optional_map<value>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        using value = value_of<Child, env_of_t<Receiver>>;
        return coex::connect(std::move(child_), optional_receiver<value, Receiver>(std::move(receiver)));
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        using value = value_of<const Child&, env_of_t<Receiver>>;
        return coex::connect(child_, optional_receiver<value, Receiver>(std::move(receiver)));
    }

    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(child_); }

private:
    [[no_unique_address]] Child child_;
};

/// A function that makes an error completion of what it holds.
template <class Error>
class gives_error {
public:
    template <class E>
    constexpr explicit gives_error(std::in_place_t, E&& error) : error_(std::forward<E>(error)) {}
    [[nodiscard]] auto operator()() && noexcept(std::is_nothrow_move_constructible_v<Error>) {
        return just_error(std::move(error_));
    }

private:
    [[no_unique_address]] Error error_;
};

}  // namespace detail

/// Completes with `std::optional` of the value, or with an empty one when the sender was stopped.
inline constexpr struct stopped_as_optional_t {
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& sender) const {
        return detail::optional_sender<std::remove_cvref_t<Sender>>(std::in_place, std::forward<Sender>(sender));
    }
    [[nodiscard]] constexpr auto operator()() const { return detail::bind_adaptor(*this); }
} stopped_as_optional{};

/// Completes with `error` when the sender was stopped.
inline constexpr struct stopped_as_error_t {
    template <sender Sender, detail::movable_value Error>
    [[nodiscard]] constexpr auto operator()(Sender&& sender, Error&& error) const {
        return let_stopped(std::forward<Sender>(sender),
                           detail::gives_error<std::decay_t<Error>>(std::in_place, std::forward<Error>(error)));
    }
    template <detail::movable_value Error>
    [[nodiscard]] constexpr auto operator()(Error&& error) const {
        return detail::bind_adaptor(*this, std::forward<Error>(error));
    }
} stopped_as_error{};

}  // namespace coex::inline v0
