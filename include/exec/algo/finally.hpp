#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/completion_storage.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// A cleanup is not stopped by what ended the work before it.
template <class Env>
using cleanup_env = env<prop<get_stop_token_t, never_stop_token>, forwarded_t<Env>>;

struct cleanup_map : keep_signatures {
    template <class... Values>
    struct nothing {
        static_assert(sizeof...(Values) == 0,
                      "coex: finally: the cleanup completes with values, which nobody would get; drop them by "
                      "then([](auto&&...) {})");
        using type = completion_signatures<>;
    };
    template <class... Values>
    using on_value = typename nothing<Values...>::type;
};

template <class Child, class Cleanup, class Env>
struct finally_signatures {
    using type = united_t<stored_signatures_t<decltype(get_completion_signatures<Child, forwarded_t<Env>>())>,
                          mapped_t<decltype(get_completion_signatures<Cleanup, cleanup_env<Env>>()), cleanup_map>>;
};

template <class Child, class Cleanup, class Receiver>
class finally_operation {
    class child_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit child_receiver(finally_operation& operation) noexcept : operation_(&operation) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            operation_->clean_up(coex::set_value, std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            operation_->clean_up(coex::set_error, std::forward<Error>(error));
        }
        void set_stopped() && noexcept { operation_->clean_up(coex::set_stopped); }
        [[nodiscard]] forwarded_t<env_of_t<const Receiver&>> get_env() const noexcept {
            return forward_env_of(operation_->receiver_);
        }

    private:
        finally_operation* operation_;
    };

    class cleanup_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit cleanup_receiver(finally_operation& operation) noexcept : operation_(&operation) {}
        void set_value() && noexcept { operation_->kept_.deliver(std::move(operation_->receiver_)); }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            coex::set_error(std::move(operation_->receiver_), std::forward<Error>(error));
        }
        void set_stopped() && noexcept { coex::set_stopped(std::move(operation_->receiver_)); }
        [[nodiscard]] auto get_env() const noexcept {
            return cleanup_env<env_of_t<const Receiver&>>(prop(get_stop_token, never_stop_token()),
                                                          forward_env_of(operation_->receiver_));
        }

    private:
        finally_operation* operation_;
    };

public:
    using operation_state_concept = operation_state_tag;

    finally_operation(Child&& child, Cleanup&& cleanup, Receiver&& receiver)
        : receiver_(std::move(receiver)),
          cleanup_(connect(std::forward<Cleanup>(cleanup), cleanup_receiver(*this))),
          child_(connect(std::forward<Child>(child), child_receiver(*this))) {}
    finally_operation(const finally_operation&) = delete;
    finally_operation& operator=(const finally_operation&) = delete;

    void start() & noexcept { coex::start(child_); }

private:
    using signatures = decltype(get_completion_signatures<Child, forwarded_t<env_of_t<const Receiver&>>>());

    template <class Tag, class... Args>
    void clean_up(Tag tag, Args&&... args) noexcept {
        kept_.keep(tag, std::forward<Args>(args)...);
        coex::start(cleanup_);
    }

    [[no_unique_address]] Receiver receiver_;
    completion_storage<signatures, Receiver> kept_;
    connect_result_t<Cleanup, cleanup_receiver> cleanup_;
    connect_result_t<Child, child_receiver> child_;
};

template <class Child, class Cleanup>
class finally_sender {
public:
    using sender_concept = sender_tag;

    template <class C, class D>
    constexpr finally_sender(C&& child, D&& cleanup)
        : child_(std::forward<C>(child)), cleanup_(std::forward<D>(cleanup)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return typename finally_signatures<child_of_t<Self, Child>, child_of_t<Self, Cleanup>, Env>::type{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return finally_operation<Child, Cleanup, Receiver>(std::move(child_), std::move(cleanup_), std::move(receiver));
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return finally_operation<const Child&, const Cleanup&, Receiver>(child_, cleanup_, std::move(receiver));
    }

private:
    [[no_unique_address]] Child child_;
    [[no_unique_address]] Cleanup cleanup_;
};

}  // namespace detail

/// Runs `cleanup` after `sender` has completed, in whatever way, and then completes as that did:
/// `work | finally(connection.close())`. As stdexec's `exec::finally`.
///
/// Completes: where the cleanup does.
/// Errors:    those of the sender; those of the cleanup in their place; what keeping the results throws.
/// Cancel:    a stop request reaches the sender, not the cleanup. A cleanup that is stopped nevertheless makes the
///            whole stopped.
inline constexpr struct finally_t {
    template <sender Sender, sender Cleanup>
    [[nodiscard]] constexpr auto operator()(Sender&& work, Cleanup&& cleanup) const {
        return detail::finally_sender<std::remove_cvref_t<Sender>, std::remove_cvref_t<Cleanup>>(
            std::forward<Sender>(work), std::forward<Cleanup>(cleanup));
    }
    template <sender Cleanup>
    [[nodiscard]] constexpr auto operator()(Cleanup&& cleanup) const {
        return detail::bind_adaptor(*this, std::forward<Cleanup>(cleanup));
    }
} finally{};

}  // namespace coex::inline v0
