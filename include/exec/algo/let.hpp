#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/one_of.hpp>
#include <exec/algo/pack.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/invoke.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

// --- the environment of the sender that the function returns
// ----------------------------------------------------------

/// It is started where the first sender completes, as far as that says where.
template <class Channel, class Attributes, class Env>
[[nodiscard]] auto let_place(const Attributes& attributes, const Env& outer) noexcept {
    if constexpr (requires { get_completion_scheduler<Channel>(attributes, outer); }) {
        return scheduler_env(get_completion_scheduler<Channel>(attributes, outer));
    } else {
        return env<>();
    }
}
template <class Channel, class Child, class Env>
using let_place_t = decltype(let_place<Channel>(get_env(std::declval<const std::remove_cvref_t<Child>&>()),
                                                std::declval<const forwarded_t<Env>&>()));

template <class Place, class Env>
struct let_env {
    using type = env<Place, forwarded_t<Env>>;
};
template <class Env>
struct let_env<env<>, Env> {
    using type = forwarded_t<Env>;
};

template <class Place, class Receiver>
class let_receiver {
public:
    using receiver_concept = receiver_tag;

    let_receiver(Receiver& receiver, const Place& place) noexcept : receiver_(&receiver), place_(place) {}

    template <class... Values>
    void set_value(Values&&... values) && noexcept {
        coex::set_value(std::move(*receiver_), std::forward<Values>(values)...);
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        coex::set_error(std::move(*receiver_), std::forward<Error>(error));
    }
    void set_stopped() && noexcept { coex::set_stopped(std::move(*receiver_)); }
    [[nodiscard]] auto get_env() const noexcept {
        if constexpr (std::is_same_v<Place, env<>>) {
            return forward_env_of(*receiver_);
        } else {
            return env<Place, forwarded_t<env_of_t<const Receiver&>>>(place_, forward_env_of(*receiver_));
        }
    }

private:
    Receiver* receiver_;
    [[no_unique_address]] Place place_;
};

// --- what the function makes of one signature
// -------------------------------------------------------------------------

template <bool IsCallable, class F, class... Args>
struct let_call {
    using sender_type = std::invoke_result_t<F, std::decay_t<Args>&...>;
    static_assert(
        sender<sender_type>,
        "coex: the function given to let_value (or let_error, let_stopped) must return a sender, such as just(x) "
        "or a task; to return a plain value, use then (upon_error, upon_stopped)");
    template <class InnerEnv>
    static consteval bool is_nothrow() {
        if constexpr ((std::is_nothrow_constructible_v<std::decay_t<Args>, Args> && ...) &&
                      std::is_nothrow_invocable_v<F, std::decay_t<Args>&...>) {
            return is_nothrow_connectable<sender_type, receiver_archetype<InnerEnv>>;
        } else {
            return false;
        }
    }
};
template <class F, class... Args>
struct let_call<false, F, Args...> {
    static_assert(
        sizeof(F*) == 0,
        "coex: the function given to let_value (or let_error, let_stopped) cannot be called with what the sender "
        "before it sends: its parameters differ in number or type. It gets lvalues, which live until the sender "
        "that it returns has completed: take them by & or by value");
};
template <class F, class... Args>
using let_call_of = let_call<std::is_invocable_v<F, std::decay_t<Args>&...>, F, Args...>;

template <class F, class InnerEnv, class... Args>
struct let_completions {
    using call = let_call_of<F, Args...>;
    using type = united_t<decltype(get_completion_signatures<typename call::sender_type, InnerEnv>()),
                          std::conditional_t<call::template is_nothrow<InnerEnv>(), completion_signatures<>,
                                             completion_signatures<set_error_t(std::exception_ptr)>>>;
};

template <class Channel, class F, class InnerEnv>
struct let_map;
template <class F, class InnerEnv>
struct let_map<set_value_t, F, InnerEnv> : keep_signatures {
    template <class... Values>
    using on_value = typename let_completions<F, InnerEnv, Values...>::type;
};
template <class F, class InnerEnv>
struct let_map<set_error_t, F, InnerEnv> : keep_signatures {
    template <class Error>
    using on_error = typename let_completions<F, InnerEnv, Error>::type;
};
template <class F, class InnerEnv>
struct let_map<set_stopped_t, F, InnerEnv> : keep_signatures {
    template <class Map>
    using on_stopped = typename let_completions<F, InnerEnv>::type;
};

// --- room for the arguments and the second operation
// ------------------------------------------------------------------

template <class Channel, class Signatures, class F, class Receiver, class Arguments = one_of<>,
          class Operations = one_of<>>
struct let_room {
    using arguments = Arguments;
    using operations = Operations;
};
template <class Channel, class... Args, class... Rest, class F, class Receiver, class... Arguments, class... Operations>
struct let_room<Channel, completion_signatures<Channel(Args...), Rest...>, F, Receiver, one_of<Arguments...>,
                one_of<Operations...>>
    : let_room<Channel, completion_signatures<Rest...>, F, Receiver, one_of<Arguments..., pack<std::decay_t<Args>...>>,
               one_of<Operations..., connect_result_t<typename let_call_of<F, Args...>::sender_type, Receiver>>> {};
template <class Channel, class Other, class... Rest, class F, class Receiver, class Arguments, class Operations>
struct let_room<Channel, completion_signatures<Other, Rest...>, F, Receiver, Arguments, Operations>
    : let_room<Channel, completion_signatures<Rest...>, F, Receiver, Arguments, Operations> {};

template <class Channel, class Child, class F, class Receiver>
class let_operation {
    using outer_env = env_of_t<const Receiver&>;
    using place = let_place_t<Channel, Child, outer_env>;
    using inner_receiver = let_receiver<place, Receiver>;
    using room =
        let_room<Channel, decltype(get_completion_signatures<Child, forwarded_t<outer_env>>()), F, inner_receiver>;

    class first_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit first_receiver(let_operation& operation) noexcept : operation_(&operation) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            operation_->take(set_value_t(), std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            operation_->take(set_error_t(), std::forward<Error>(error));
        }
        void set_stopped() && noexcept { operation_->take(set_stopped_t()); }
        [[nodiscard]] forwarded_t<env_of_t<const Receiver&>> get_env() const noexcept {
            return forward_env_of(operation_->receiver_);
        }

    private:
        let_operation* operation_;
    };

public:
    using operation_state_concept = operation_state_tag;

    let_operation(Child&& child, F&& function, Receiver&& receiver)
        : receiver_(std::move(receiver)),
          function_(std::move(function)),
          place_(let_place<Channel>(coex::get_env(child), forward_env_of(receiver_))),
          first_(connect(std::forward<Child>(child), first_receiver(*this))) {}
    let_operation(const let_operation&) = delete;
    let_operation& operator=(const let_operation&) = delete;

    void start() & noexcept { coex::start(first_); }

private:
    template <class Tag, class... Args>
    void take(Tag, Args&&... args) noexcept {
        if constexpr (!std::is_same_v<Tag, Channel>) {
            Tag()(std::move(receiver_), std::forward<Args>(args)...);
        } else if constexpr (noexcept(begin_second(std::forward<Args>(args)...))) {
            coex::start(begin_second(std::forward<Args>(args)...));
        } else {
            using second = connect_result_t<typename let_call_of<F, Args...>::sender_type, inner_receiver>;
            second* begun = nullptr;
            COEX_TRY {
                begun = &begin_second(std::forward<Args>(args)...);
            }
            COEX_CATCH(...) {
                coex::set_error(std::move(receiver_), std::current_exception());
                return;
            }
            coex::start(*begun);
        }
    }

    template <class... Args>
    auto& begin_second(Args&&... args) noexcept(
        let_call_of<F, Args...>::template is_nothrow<typename let_env<place, outer_env>::type>()) {
        using kept = pack<std::decay_t<Args>...>;
        using second = connect_result_t<typename let_call_of<F, Args...>::sender_type, inner_receiver>;
        kept& values = arguments_.template emplace<kept>(std::in_place, std::forward<Args>(args)...);
        return operations_.template emplace_with<second>([this, &values]() -> second {
            return connect(values.apply([this](auto&... each) -> decltype(auto) {
                return detail::invoke_function(std::move(function_), each...);
            }),
                           inner_receiver(receiver_, place_));
        });
    }

    [[no_unique_address]] Receiver receiver_;
    [[no_unique_address]] F function_;
    [[no_unique_address]] place place_;
    typename room::arguments arguments_;
    typename room::operations operations_;
    connect_result_t<Child, first_receiver> first_;
};

template <class Channel, class Child, class F>
class let_sender {
public:
    using sender_concept = sender_tag;

    template <class C, class G>
    constexpr let_sender(C&& child, G&& function)
        : child_(std::forward<C>(child)), function_(std::forward<G>(function)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using child = child_of_t<Self, Child>;
        using inner = typename let_env<let_place_t<Channel, Child, Env>, Env>::type;
        return mapped_t<decltype(coex::get_completion_signatures<child, forwarded_t<Env>>()),
                        let_map<Channel, F, inner>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return let_operation<Channel, Child, F, Receiver>(std::move(child_), std::move(function_), std::move(receiver));
    }
    template <receiver Receiver>
        requires std::copy_constructible<F>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return let_operation<Channel, const Child&, F, Receiver>(child_, F(function_), std::move(receiver));
    }

    [[nodiscard]] static constexpr env<> get_env() noexcept { return {}; }

private:
    [[no_unique_address]] Child child_;
    [[no_unique_address]] F function_;
};

template <class Channel>
struct let_base {
    template <sender Sender, movable_value F>
    [[nodiscard]] constexpr auto operator()(Sender&& sender, F&& function) const {
        return let_sender<Channel, std::remove_cvref_t<Sender>, std::decay_t<F>>(std::forward<Sender>(sender),
                                                                                 std::forward<F>(function));
    }
    template <movable_value F>
    [[nodiscard]] constexpr auto operator()(F&& function) const {
        return bind_adaptor(*this, std::forward<F>(function));
    }
};

}  // namespace detail

/// Calls the function with references to the values, and goes on as the sender that it returns. The values live as long
/// as that one's operation.
///
/// Errors: what the function, or keeping the values, throws; errors of the sender before it pass by.
inline constexpr struct let_value_t : detail::let_base<set_value_t> {
} let_value{};

/// The same for an error: it is handled by another sender.
inline constexpr struct let_error_t : detail::let_base<set_error_t> {
} let_error{};

/// The same for a stop.
inline constexpr struct let_stopped_t : detail::let_base<set_stopped_t> {
} let_stopped{};

}  // namespace coex::inline v0
