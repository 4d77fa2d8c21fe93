#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/pack.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/invoke.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <bool IsCallable, class F, class... Args>
struct call_result {
    using value = value_signature_t<std::invoke_result_t<F, Args...>>;
    using type = std::conditional_t<std::is_nothrow_invocable_v<F, Args...>, completion_signatures<value>,
                                    completion_signatures<value, set_error_t(std::exception_ptr)>>;
};
template <class F, class... Args>
struct call_result<false, F, Args...> {
    static_assert(
        sizeof(F*) == 0,
        "coex: the function given to then (or upon_error, upon_stopped) cannot be called with what the sender "
        "before it sends: its parameters differ in number or type. Give it one parameter for each value that is "
        "sent, taken by value, const& or &&; upon_error's takes the error, upon_stopped's nothing");
    using type = completion_signatures<>;
};
template <class F, class... Args>
using call_result_t = typename call_result<std::is_invocable_v<F, Args...>, F, Args...>::type;

/// The signatures of `then`: those that complete by `Channel` become the function's result.
template <class Channel, class F>
struct then_map;
template <class F>
struct then_map<set_value_t, F> : keep_signatures {
    template <class... Values>
    using on_value = call_result_t<F, Values...>;
};
template <class F>
struct then_map<set_error_t, F> : keep_signatures {
    template <class Error>
    using on_error = call_result_t<F, Error>;
};
template <class F>
struct then_map<set_stopped_t, F> : keep_signatures {
    template <class Map>
    using on_stopped = call_result_t<F>;
};

template <class Channel, class F, class Receiver>
class then_receiver {
public:
    using receiver_concept = receiver_tag;

    then_receiver(F&& function, Receiver&& receiver) noexcept(std::is_nothrow_move_constructible_v<F>)
        : function_(std::move(function)), receiver_(std::move(receiver)) {}

    template <class... Values>
    void set_value(Values&&... values) && noexcept {
        pass(set_value_t(), std::forward<Values>(values)...);
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        pass(set_error_t(), std::forward<Error>(error));
    }
    void set_stopped() && noexcept { pass(set_stopped_t()); }
    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(receiver_); }

private:
    template <class Tag, class... Args>
    void pass(Tag, Args&&... args) noexcept {
        if constexpr (!std::is_same_v<Tag, Channel>) {
            Tag()(std::move(receiver_), std::forward<Args>(args)...);
        } else if constexpr (std::is_nothrow_invocable_v<F, Args...>) {
            call(std::forward<Args>(args)...);
        } else {
            COEX_TRY {
                call(std::forward<Args>(args)...);
            }
            COEX_CATCH(...) {
                coex::set_error(std::move(receiver_), std::current_exception());
            }
        }
    }
    template <class... Args>
    void call(Args&&... args) noexcept(std::is_nothrow_invocable_v<F, Args...>) {
        if constexpr (std::is_void_v<std::invoke_result_t<F, Args...>>) {
            detail::invoke_function(std::move(function_), std::forward<Args>(args)...);
            coex::set_value(std::move(receiver_));
        } else {
            coex::set_value(std::move(receiver_),
                            detail::invoke_function(std::move(function_), std::forward<Args>(args)...));
        }
    }

    [[no_unique_address]] F function_;
    [[no_unique_address]] Receiver receiver_;
};

template <class Channel, class Child, class F>
class then_sender {
public:
    using sender_concept = sender_tag;
    static constexpr bool completes_inline = detail::completes_inline<Child>;

    template <class C, class G>
    constexpr then_sender(C&& child, G&& function)
        : child_(std::forward<C>(child)), function_(std::forward<G>(function)) {}

    template <class Self, class... Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using from = decltype(coex::get_completion_signatures<child_of_t<Self, Child>, forwarded_t<Env>...>());
        return mapped_t<from, then_map<Channel, F>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && noexcept(
        std::is_nothrow_move_constructible_v<F> && is_nothrow_connectable<Child, then_receiver<Channel, F, Receiver>>) {
        return coex::connect(std::move(child_),
                             then_receiver<Channel, F, Receiver>(std::move(function_), std::move(receiver)));
    }
    template <receiver Receiver>
        requires std::copy_constructible<F>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return coex::connect(child_, then_receiver<Channel, F, Receiver>(F(function_), std::move(receiver)));
    }

    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(child_); }

private:
    [[no_unique_address]] Child child_;
    [[no_unique_address]] F function_;
};

template <class Channel>
struct then_base {
    template <sender Sender, movable_value F>
    [[nodiscard]] constexpr auto operator()(Sender&& sender, F&& function) const {
        return then_sender<Channel, std::remove_cvref_t<Sender>, std::decay_t<F>>(std::forward<Sender>(sender),
                                                                                  std::forward<F>(function));
    }
    template <movable_value F>
    [[nodiscard]] constexpr auto operator()(F&& function) const {
        return bind_adaptor(*this, std::forward<F>(function));
    }
};

}  // namespace detail

/// Calls the function with the values and completes with its result.
///
/// Completes: where the sender before it does.
/// Errors:    what the function throws, as an exception_ptr; errors of the sender before it pass by.
inline constexpr struct then_t : detail::then_base<set_value_t> {
} then{};

/// The same for an error: the function's result is a value.
inline constexpr struct upon_error_t : detail::then_base<set_error_t> {
} upon_error{};

/// The same for a stop.
inline constexpr struct upon_stopped_t : detail::then_base<set_stopped_t> {
} upon_stopped{};

}  // namespace coex::inline v0
