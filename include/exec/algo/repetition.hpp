#pragma once

#include <exec/algo/completion_storage.hpp>
#include <exec/algo/one_of.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/coro/start_meeting.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// Starts a sender again and again, in a loop: each time a new operation, in the place of the one before.
///
/// `policy.decide(storage, tag, args...)` keeps a completion in the storage when the whole shall complete so, and does
/// nothing for another time; `Policy::whole<Signatures>` tells how the whole can complete.
template <class Child, class Policy, class Receiver>
class repetition : start_meeting {
    class child_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit child_receiver(repetition& whole) noexcept : whole_(&whole) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            whole_->child_completed(coex::set_value, std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            whole_->child_completed(coex::set_error, std::forward<Error>(error));
        }
        void set_stopped() && noexcept { whole_->child_completed(coex::set_stopped); }
        [[nodiscard]] forwarded_t<env_of_t<const Receiver&>> get_env() const noexcept {
            return forward_env_of(whole_->receiver_);
        }

    private:
        repetition* whole_;
    };
    using operation = connect_result_t<const Child&, child_receiver>;
    using signatures = stored_signatures_t<
        decltype(get_completion_signatures<const Child&, forwarded_t<env_of_t<const Receiver&>>>())>;

public:
    using operation_state_concept = operation_state_tag;

    repetition(Child&& child, Policy&& policy, Receiver&& receiver)
        : receiver_(std::move(receiver)), child_(std::move(child)), policy_(std::move(policy)) {}

    void start() & noexcept { run(); }

private:
    // LIFETIME: after it has returned, or has delivered, *this may be gone.
    void run() noexcept {
        do {
            if (get_stop_token(coex::get_env(receiver_)).stop_requested()) {
                operation_.reset();
                return coex::set_stopped(std::move(receiver_));
            }
            COEX_TRY {
                operation_.template emplace_with<operation>(
                    [this]() -> operation { return connect(child_, child_receiver(*this)); });
            }
            COEX_CATCH(...) {
                return coex::set_error(std::move(receiver_), std::current_exception());
            }
            begin();
            coex::start(operation_.template get<operation>());
            if (!started()) return;
        } while (!kept_.has_completion());
        deliver();
    }

    template <class Tag, class... Args>
    void child_completed(Tag tag, Args&&... args) noexcept {
        policy_.decide(kept_, tag, std::forward<Args>(args)...);
        if (!completed()) return;
        // The completed operation is on the stack below; its memory is used again from here on.
        if (kept_.has_completion()) {
            deliver();
        } else {
            run();
        }
    }

    void deliver() noexcept {
        operation_.reset();
        kept_.deliver(std::move(receiver_));
    }

    [[no_unique_address]] Receiver receiver_;
    [[no_unique_address]] Child child_;
    [[no_unique_address]] Policy policy_;
    completion_storage<typename Policy::template whole<signatures>, Receiver> kept_;
    one_of<operation> operation_;
};

template <class Child, class Policy>
class repetition_sender {
public:
    using sender_concept = sender_tag;

    template <class C>
    constexpr repetition_sender(C&& child, Policy policy)
        : child_(std::forward<C>(child)), policy_(std::move(policy)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using child = decltype(coex::get_completion_signatures<const Child&, forwarded_t<Env>>());
        return united_t<typename Policy::template whole<stored_signatures_t<child>>,
                        completion_signatures<set_error_t(std::exception_ptr), set_stopped_t()>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return repetition<Child, Policy, Receiver>(std::move(child_), std::move(policy_), std::move(receiver));
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return repetition<Child, Policy, Receiver>(Child(child_), Policy(policy_), std::move(receiver));
    }

private:
    [[no_unique_address]] Child child_;
    [[no_unique_address]] Policy policy_;
};

}  // namespace coex::inline v0::detail
