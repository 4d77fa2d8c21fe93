#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/pack.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// Passes everything on to a receiver, with answers of its own put before the environment's.
template <class Env, class Receiver>
class write_env_receiver {
public:
    using receiver_concept = receiver_tag;

    write_env_receiver(Env&& env, Receiver&& receiver) noexcept(std::is_nothrow_move_constructible_v<Env>)
        : env_(std::move(env)), receiver_(std::move(receiver)) {}

    template <class... Values>
    void set_value(Values&&... values) && noexcept {
        coex::set_value(std::move(receiver_), std::forward<Values>(values)...);
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        coex::set_error(std::move(receiver_), std::forward<Error>(error));
    }
    void set_stopped() && noexcept { coex::set_stopped(std::move(receiver_)); }

    [[nodiscard]] auto get_env() const noexcept {
        return env<const Env&, forwarded_t<env_of_t<const Receiver&>>>(env_, forward_env_of(receiver_));
    }

private:
    [[no_unique_address]] Env env_;
    [[no_unique_address]] Receiver receiver_;
};

template <class Child, class Env>
class write_env_sender {
public:
    using sender_concept = sender_tag;
    static constexpr bool completes_inline = detail::completes_inline<Child>;

    template <class C, class E>
    constexpr write_env_sender(C&& child, E&& env) : child_(std::forward<C>(child)), env_(std::forward<E>(env)) {}

    template <class Self, class... Outer>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using child = child_of_t<Self, Child>;
        if constexpr (sizeof...(Outer) == 0) {
            return coex::get_completion_signatures<child>();
        } else {
            return coex::get_completion_signatures<child, env<const Env&, forwarded_t<Outer>...>>();
        }
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && noexcept(
        std::is_nothrow_move_constructible_v<Env> && is_nothrow_connectable<Child, write_env_receiver<Env, Receiver>>) {
        return coex::connect(std::move(child_),
                             write_env_receiver<Env, Receiver>(std::move(env_), std::move(receiver)));
    }
    template <receiver Receiver>
        requires std::copy_constructible<Env>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return coex::connect(child_, write_env_receiver<Env, Receiver>(Env(env_), std::move(receiver)));
    }

    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(child_); }

private:
    [[no_unique_address]] Child child_;
    [[no_unique_address]] Env env_;
};

}  // namespace detail

/// Gives the sender an environment in which `env` answers before that of the receiver: `write_env(s, prop(query, x))`.
inline constexpr struct write_env_t {
    template <sender Sender, detail::movable_value Env>
    [[nodiscard]] constexpr auto operator()(Sender&& sender, Env&& env) const {
        return detail::write_env_sender<std::remove_cvref_t<Sender>, std::decay_t<Env>>(std::forward<Sender>(sender),
                                                                                        std::forward<Env>(env));
    }
    template <detail::movable_value Env>
    [[nodiscard]] constexpr auto operator()(Env&& env) const {
        return detail::bind_adaptor(*this, std::forward<Env>(env));
    }
} write_env{};

/// Hides stop requests from the sender.
inline constexpr struct unstoppable_t {
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& sender) const {
        return write_env(std::forward<Sender>(sender), prop(get_stop_token, never_stop_token()));
    }
    [[nodiscard]] constexpr auto operator()() const { return detail::bind_adaptor(*this); }
} unstoppable{};

}  // namespace coex::inline v0
