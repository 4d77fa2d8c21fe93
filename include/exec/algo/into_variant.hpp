#pragma once

#include <exec/algo/closure.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/value_types.hpp>

#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace coex::inline v0 {
namespace detail {

/// `std::variant<std::tuple<...>...>` of what a sender can send.
template <class Child, class... Env>
using variant_of_t = typename gathered<set_value_t, decltype(get_completion_signatures<Child, Env...>()),
                                       decayed_tuple>::template as<variant_or_empty>;

template <class Signature>
inline constexpr bool is_nothrow_as_variant = true;
template <class... Values>
inline constexpr bool is_nothrow_as_variant<set_value_t(Values...)> =
    (std::is_nothrow_constructible_v<std::decay_t<Values>, Values> && ...);

template <class Signatures>
inline constexpr bool are_nothrow_as_variant = false;
template <class... Signatures>
inline constexpr bool are_nothrow_as_variant<completion_signatures<Signatures...>> =
    (is_nothrow_as_variant<Signatures> && ...);

template <class Variant>
struct into_variant_map : keep_signatures {
    template <class... Values>
    using on_value = completion_signatures<set_value_t(Variant)>;
};

template <class Variant, class Receiver>
class into_variant_receiver {
public:
    using receiver_concept = receiver_tag;

    explicit into_variant_receiver(Receiver&& receiver) noexcept : receiver_(std::move(receiver)) {}

    template <class... Values>
    void set_value(Values&&... values) && noexcept {
        using tuple = decayed_tuple<Values...>;
        if constexpr ((std::is_nothrow_constructible_v<std::decay_t<Values>, Values> && ...)) {
            coex::set_value(std::move(receiver_), Variant(std::in_place_type<tuple>, std::forward<Values>(values)...));
        } else {
            COEX_TRY {
                coex::set_value(std::move(receiver_),
                                Variant(std::in_place_type<tuple>, std::forward<Values>(values)...));
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
    void set_stopped() && noexcept { coex::set_stopped(std::move(receiver_)); }
    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(receiver_); }

private:
    [[no_unique_address]] Receiver receiver_;
};

template <class Child>
class into_variant_sender {
public:
    using sender_concept = sender_tag;
    static constexpr bool completes_inline = detail::completes_inline<Child>;

    template <class C>
    constexpr explicit into_variant_sender(std::in_place_t, C&& child) : child_(std::forward<C>(child)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using child = child_of_t<Self, Child>;
        using from = decltype(coex::get_completion_signatures<child, forwarded_t<Env>>());
        using map = into_variant_map<variant_of_t<child, forwarded_t<Env>>>;
        if constexpr (are_nothrow_as_variant<from>) {
            return mapped_t<from, map>{};
        } else {
            return mapped_t<from, map, set_error_t(std::exception_ptr)>{};
        }
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        using variant = variant_of_t<Child, forwarded_t<env_of_t<Receiver>>>;
        return coex::connect(std::move(child_), into_variant_receiver<variant, Receiver>(std::move(receiver)));
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        using variant = variant_of_t<const Child&, forwarded_t<env_of_t<Receiver>>>;
        return coex::connect(child_, into_variant_receiver<variant, Receiver>(std::move(receiver)));
    }

    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(child_); }

private:
    [[no_unique_address]] Child child_;
};

}  // namespace detail

/// Makes one value of a sender's different ways to complete with values: a `std::variant` of `std::tuple`s.
inline constexpr struct into_variant_t {
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& sender) const {
        return detail::into_variant_sender<std::remove_cvref_t<Sender>>(std::in_place, std::forward<Sender>(sender));
    }
    [[nodiscard]] constexpr auto operator()() const { return detail::bind_adaptor(*this); }
} into_variant{};

}  // namespace coex::inline v0
