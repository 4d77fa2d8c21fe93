#pragma once

#include <exec/algo/closure.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/as_exception.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/result.hpp>
#include <exec/vocab/sender.hpp>

#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// What a result holds: nothing, the value, or a tuple of the values.
template <class... Values>
struct as_result_value {
    using type = result<std::tuple<std::decay_t<Values>...>>;
};
template <class Value>
struct as_result_value<Value> {
    using type = result<std::decay_t<Value>>;
};
template <>
struct as_result_value<> {
    using type = result<void>;
};

template <class Signatures>
struct as_result_value_of {
    using type = result<void>;  // never completes with values
};
template <class... Values, class... Others>
struct as_result_value_of<completion_signatures<set_value_t(Values...), Others...>> : as_result_value<Values...> {};
template <class First, class... Others>
struct as_result_value_of<completion_signatures<First, Others...>>
    : as_result_value_of<completion_signatures<Others...>> {};

template <class Result>
struct as_result_map : keep_signatures {
    template <class... Values>
    using on_value = completion_signatures<set_value_t(Result)>;
    template <class Error>
    using on_error = completion_signatures<set_value_t(Result)>;
};

template <class Result, class Receiver>
class as_result_receiver {
public:
    using receiver_concept = receiver_tag;

    explicit as_result_receiver(Receiver&& receiver) noexcept : receiver_(std::move(receiver)) {}

    template <class... Values>
    void set_value(Values&&... values) && noexcept {
        coex::set_value(std::move(receiver_), made(std::forward<Values>(values)...));
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        coex::set_value(std::move(receiver_), Result::failed(as_exception(std::forward<Error>(error))));
    }
    void set_stopped() && noexcept { coex::set_stopped(std::move(receiver_)); }
    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(receiver_); }

private:
    template <class... Values>
    [[nodiscard]] static Result made(Values&&... values) noexcept {
        COEX_TRY {
            if constexpr (sizeof...(Values) <= 1) {
                return Result(std::forward<Values>(values)...);
            } else {
                return Result(std::tuple<std::decay_t<Values>...>(std::forward<Values>(values)...));
            }
        }
        COEX_CATCH(...) {
            return Result::failed(std::current_exception());
        }
    }

    [[no_unique_address]] Receiver receiver_;
};

template <class Child>
class as_result_sender {
    template <class C, class Env>
    using result_in =
        typename as_result_value_of<decltype(coex::get_completion_signatures<C, forwarded_t<Env>>())>::type;

public:
    using sender_concept = sender_tag;
    static constexpr bool completes_inline = detail::completes_inline<Child>;

    template <class C>
    constexpr explicit as_result_sender(std::in_place_t, C&& child) : child_(std::forward<C>(child)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using child = child_of_t<Self, Child>;
        using from = decltype(coex::get_completion_signatures<child, forwarded_t<Env>>());
        constexpr bool fits = count_of<set_value_t, from> <= 1;
        static_assert(fits,
                      "coex: as_result: this sender can complete with different kinds of values, so there is no one "
                      "type of result; put into_variant() before it");
        if constexpr (fits) return mapped_t<from, as_result_map<result_in<child, Env>>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        using made = result_in<Child, env_of_t<Receiver>>;
        return coex::connect(std::move(child_), as_result_receiver<made, Receiver>(std::move(receiver)));
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        using made = result_in<const Child&, env_of_t<Receiver>>;
        return coex::connect(child_, as_result_receiver<made, Receiver>(std::move(receiver)));
    }

    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(child_); }

private:
    [[no_unique_address]] Child child_;
};

}  // namespace detail

/// Completes with a `result` instead of an error, so that awaiting it throws nothing:
/// `auto read = co_await as_result(file.read_at(0, block)); if (!read) ...`.
///
/// Completes: with `result<T>` of the value, `result<void>` of none, `result<std::tuple<...>>` of several.
/// Errors:    none: they are in the result, as the exception that would have been thrown; so is what moving the value
///            there throws.
/// Cancel:    a stop passes by and unwinds the awaiting task as ever.
inline constexpr struct as_result_t {
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& work) const {
        return detail::as_result_sender<std::remove_cvref_t<Sender>>(std::in_place, std::forward<Sender>(work));
    }
    [[nodiscard]] constexpr auto operator()() const { return detail::bind_adaptor(*this); }
} as_result{};

}  // namespace coex::inline v0
