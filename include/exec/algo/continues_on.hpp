#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/completion_storage.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// How `Child` completes, once kept and carried to `Scheduler`.
template <class Child, class Scheduler, class... Env>
struct carried {
    using child = decltype(get_completion_signatures<Child, forwarded_t<Env>...>());
    using arrival = decltype(get_completion_signatures<schedule_result_t<const Scheduler&>, forwarded_t<Env>...>());
    using type = united_t<stored_signatures_t<child>, mapped_t<arrival, arrival_map>>;
};

template <class Child, class Scheduler, class Receiver>
class continues_on_operation {
    class child_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit child_receiver(continues_on_operation& operation) noexcept : operation_(&operation) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            operation_->carry(coex::set_value, std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            operation_->carry(coex::set_error, std::forward<Error>(error));
        }
        void set_stopped() && noexcept { operation_->carry(coex::set_stopped); }
        [[nodiscard]] forwarded_t<env_of_t<const Receiver&>> get_env() const noexcept {
            return forward_env_of(operation_->receiver_);
        }

    private:
        continues_on_operation* operation_;
    };

    class arrival_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit arrival_receiver(continues_on_operation& operation) noexcept : operation_(&operation) {}
        void set_value() && noexcept { operation_->kept_.deliver(std::move(operation_->receiver_)); }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            coex::set_error(std::move(operation_->receiver_), std::forward<Error>(error));
        }
        void set_stopped() && noexcept { coex::set_stopped(std::move(operation_->receiver_)); }
        [[nodiscard]] forwarded_t<env_of_t<const Receiver&>> get_env() const noexcept {
            return forward_env_of(operation_->receiver_);
        }

    private:
        continues_on_operation* operation_;
    };

public:
    using operation_state_concept = operation_state_tag;

    continues_on_operation(Child&& child, const Scheduler& scheduler, Receiver&& receiver)
        : receiver_(std::move(receiver)),
          arrival_(connect(schedule(scheduler), arrival_receiver(*this))),
          child_(connect(std::forward<Child>(child), child_receiver(*this))) {}
    continues_on_operation(const continues_on_operation&) = delete;
    continues_on_operation& operator=(const continues_on_operation&) = delete;

    void start() & noexcept { coex::start(child_); }

private:
    template <class Tag, class... Args>
    void carry(Tag tag, Args&&... args) noexcept {
        kept_.keep(tag, std::forward<Args>(args)...);
        coex::start(arrival_);
    }

    using signatures = decltype(get_completion_signatures<Child, forwarded_t<env_of_t<const Receiver&>>>());

    [[no_unique_address]] Receiver receiver_;
    completion_storage<signatures, Receiver> kept_;
    connect_result_t<schedule_result_t<const Scheduler&>, arrival_receiver> arrival_;
    connect_result_t<Child, child_receiver> child_;
};

template <class Scheduler>
class continues_on_attributes {
public:
    explicit continues_on_attributes(const Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
    template <class Tag, class... Env>
    [[nodiscard]] Scheduler query(get_completion_scheduler_t<Tag>, const Env&...) const noexcept {
        return scheduler_;
    }

private:
    [[no_unique_address]] Scheduler scheduler_;
};

template <class Child, class Scheduler>
class continues_on_sender {
public:
    using sender_concept = sender_tag;

    template <class C>
    constexpr continues_on_sender(C&& child, Scheduler scheduler)
        : child_(std::forward<C>(child)), scheduler_(std::move(scheduler)) {}

    template <class Self, class... Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return typename carried<child_of_t<Self, Child>, Scheduler, Env...>::type{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return continues_on_operation<Child, Scheduler, Receiver>(std::move(child_), scheduler_, std::move(receiver));
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return continues_on_operation<const Child&, Scheduler, Receiver>(child_, scheduler_, std::move(receiver));
    }

    [[nodiscard]] auto get_env() const noexcept {
        return env<continues_on_attributes<Scheduler>, forwarded_t<env_of_t<const Child&>>>(
            continues_on_attributes<Scheduler>(scheduler_), forward_env_of(child_));
    }

private:
    [[no_unique_address]] Child child_;
    [[no_unique_address]] Scheduler scheduler_;
};

}  // namespace detail

/// Carries the completion of a sender to the place of a scheduler, whatever it is.
///
/// Errors: what copying or moving the results threw.
inline constexpr struct continues_on_t {
    template <sender Sender, scheduler Scheduler>
    [[nodiscard]] constexpr auto operator()(Sender&& sender, Scheduler&& scheduler) const {
        return detail::continues_on_sender<std::remove_cvref_t<Sender>, std::remove_cvref_t<Scheduler>>(
            std::forward<Sender>(sender), std::forward<Scheduler>(scheduler));
    }
    template <scheduler Scheduler>
    [[nodiscard]] constexpr auto operator()(Scheduler&& scheduler) const {
        return detail::bind_adaptor(*this, std::forward<Scheduler>(scheduler));
    }
    /// For who gives the place itself: says so.
    template <detail::has_schedulers Place>
    constexpr auto operator()(Place&&) const {
        static_assert(!detail::has_schedulers<Place>,
                      "coex: continues_on takes a scheduler, and this is a place that has one; give "
                      "continues_on(pool.get_scheduler())");
    }
} continues_on{};

}  // namespace coex::inline v0
