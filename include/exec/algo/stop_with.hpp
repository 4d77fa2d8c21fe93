#pragma once

#include <exec/algo/closure.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_link.hpp>
#include <exec/vocab/stop_token.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// The environment of a sender that a second token can stop.
template <class Env>
using stoppable_env = env<prop<get_stop_token_t, inplace_stop_token>, forwarded_t<Env>>;

/// Where only the second token can stop the work: the receiver gives it in place of its own.
template <class Receiver>
class stop_with_receiver {
public:
    using receiver_concept = receiver_tag;

    stop_with_receiver(inplace_stop_token token, Receiver&& receiver) noexcept
        : token_(token), receiver_(std::move(receiver)) {}

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
        return stoppable_env<env_of_t<const Receiver&>>(prop(get_stop_token, token_), forward_env_of(receiver_));
    }

private:
    inplace_stop_token token_;
    [[no_unique_address]] Receiver receiver_;
};

/// Where both the receiver's token and the second one can: they share a source.
template <class Child, class Receiver>
class stop_with_operation {
    class child_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit child_receiver(stop_with_operation& operation) noexcept : operation_(&operation) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            coex::set_value(operation_->ended(), std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            coex::set_error(operation_->ended(), std::forward<Error>(error));
        }
        void set_stopped() && noexcept { coex::set_stopped(operation_->ended()); }
        [[nodiscard]] auto get_env() const noexcept {
            return stoppable_env<env_of_t<const Receiver&>>(prop(get_stop_token, operation_->source_.get_token()),
                                                            forward_env_of(operation_->receiver_));
        }

    private:
        stop_with_operation* operation_;
    };

public:
    using operation_state_concept = operation_state_tag;

    stop_with_operation(Child&& child, inplace_stop_token token, Receiver&& receiver)
        : receiver_(std::move(receiver)),
          token_(token),
          child_(connect(std::forward<Child>(child), child_receiver(*this))) {}
    stop_with_operation(const stop_with_operation&) = delete;
    stop_with_operation& operator=(const stop_with_operation&) = delete;

    void start() & noexcept {
        outer_.emplace(get_stop_token(coex::get_env(receiver_)), forward_stop_to(source_));
        second_.emplace(token_, forward_stop_to(source_));
        coex::start(child_);
    }

private:
    /// The receiver, once no token can reach this any more.
    [[nodiscard]] Receiver&& ended() noexcept {
        second_.reset();
        outer_.reset();
        return std::move(receiver_);
    }

    [[no_unique_address]] Receiver receiver_;
    inplace_stop_token token_;
    inplace_stop_source source_;
    std::optional<stop_callback_for_t<stop_token_of_t<env_of_t<const Receiver&>>, forward_stop_to>> outer_;
    std::optional<inplace_stop_callback<forward_stop_to>> second_;
    connect_result_t<Child, child_receiver> child_;
};

/// A sender that is stopped by a token of its own, besides that of its receiver.
///
/// Lifetime: the token's source must outlive the operations.
template <class Child>
class stop_with_sender {
public:
    using sender_concept = sender_tag;
    static constexpr bool completes_inline = detail::completes_inline<Child>;

    template <class C>
    stop_with_sender(C&& child, inplace_stop_token token) : child_(std::forward<C>(child)), token_(token) {}

    template <class Self, class... Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return coex::get_completion_signatures<child_of_t<Self, Child>, stoppable_env<Env>...>();
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return connected<Child>(std::move(child_), token_, std::move(receiver));
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return connected<const Child&>(child_, token_, std::move(receiver));
    }

    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(child_); }

private:
    template <class C, class Receiver>
    [[nodiscard]] static auto connected(C&& child, inplace_stop_token token, Receiver&& receiver) {
        if constexpr (unstoppable_token<stop_token_of_t<env_of_t<const Receiver&>>>) {
            return coex::connect(std::forward<C>(child), stop_with_receiver<Receiver>(token, std::move(receiver)));
        } else {
            return stop_with_operation<C, Receiver>(std::forward<C>(child), token, std::move(receiver));
        }
    }

    [[no_unique_address]] Child child_;
    inplace_stop_token token_;
};

}  // namespace coex::inline v0::detail
