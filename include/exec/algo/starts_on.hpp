#pragma once

#include <exec/algo/closure.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// The environment of what is started on `Scheduler`.
template <class Scheduler, class Env>
using started_env = env<scheduler_env<Scheduler>, forwarded_t<Env>>;

template <class Scheduler, class Receiver>
class started_receiver {
public:
    using receiver_concept = receiver_tag;

    started_receiver(const Scheduler& scheduler, Receiver& receiver) noexcept
        : scheduler_(scheduler), receiver_(&receiver) {}

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
        return started_env<Scheduler, env_of_t<const Receiver&>>(scheduler_env<Scheduler>(scheduler_),
                                                                 forward_env_of(*receiver_));
    }

private:
    [[no_unique_address]] Scheduler scheduler_;
    Receiver* receiver_;
};

template <class Scheduler, class Child, class Receiver>
class starts_on_operation {
    class arrival_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit arrival_receiver(starts_on_operation& operation) noexcept : operation_(&operation) {}
        void set_value() && noexcept { coex::start(operation_->child_); }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            coex::set_error(std::move(operation_->receiver_), std::forward<Error>(error));
        }
        void set_stopped() && noexcept { coex::set_stopped(std::move(operation_->receiver_)); }
        [[nodiscard]] forwarded_t<env_of_t<const Receiver&>> get_env() const noexcept {
            return forward_env_of(operation_->receiver_);
        }

    private:
        starts_on_operation* operation_;
    };

public:
    using operation_state_concept = operation_state_tag;

    starts_on_operation(const Scheduler& scheduler, Child&& child, Receiver&& receiver)
        : receiver_(std::move(receiver)),
          child_(connect(std::forward<Child>(child), started_receiver<Scheduler, Receiver>(scheduler, receiver_))),
          arrival_(connect(schedule(scheduler), arrival_receiver(*this))) {}
    starts_on_operation(const starts_on_operation&) = delete;
    starts_on_operation& operator=(const starts_on_operation&) = delete;

    void start() & noexcept { coex::start(arrival_); }

private:
    [[no_unique_address]] Receiver receiver_;
    connect_result_t<Child, started_receiver<Scheduler, Receiver>> child_;
    connect_result_t<schedule_result_t<const Scheduler&>, arrival_receiver> arrival_;
};

/// A pool, or another place, given where its scheduler is meant.
template <class T>
concept has_schedulers = !scheduler<T> && requires(T& place) {
    { place.get_scheduler() } -> scheduler;
};

/// Where a sender completes that is started on a scheduler.
template <class Scheduler, class Child>
class starts_on_attributes {
public:
    starts_on_attributes(const Scheduler& scheduler, const Child& child) noexcept
        : scheduler_(scheduler), child_(&child) {}

    template <class Tag, class... Env>
        requires requires(const Child& child, const env<scheduler_env<Scheduler>, Env...>& inner) {
            get_completion_scheduler<Tag>(get_env(child), inner);
        }
    [[nodiscard]] auto query(get_completion_scheduler_t<Tag>, const Env&... outer) const noexcept {
        return get_completion_scheduler<Tag>(
            get_env(*child_), env<scheduler_env<Scheduler>, Env...>(scheduler_env<Scheduler>(scheduler_), outer...));
    }

private:
    [[no_unique_address]] Scheduler scheduler_;
    const Child* child_;
};

/// Drops the values, which only announce that one has arrived.
struct arrival_map : keep_signatures {
    template <class... Values>
    using on_value = completion_signatures<>;
};

template <class Scheduler, class Child>
class starts_on_sender {
public:
    using sender_concept = sender_tag;

    template <class C>
    constexpr starts_on_sender(Scheduler scheduler, C&& child)
        : scheduler_(std::move(scheduler)), child_(std::forward<C>(child)) {}

    template <class Self, class... Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using arrival =
            decltype(coex::get_completion_signatures<schedule_result_t<const Scheduler&>, forwarded_t<Env>...>());
        using child =
            decltype(coex::get_completion_signatures<child_of_t<Self, Child>, started_env<Scheduler, Env>...>());
        return united_t<child, mapped_t<arrival, arrival_map>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return starts_on_operation<Scheduler, Child, Receiver>(scheduler_, std::move(child_), std::move(receiver));
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return starts_on_operation<Scheduler, const Child&, Receiver>(scheduler_, child_, std::move(receiver));
    }

    [[nodiscard]] auto get_env() const noexcept { return starts_on_attributes<Scheduler, Child>(scheduler_, child_); }

private:
    [[no_unique_address]] Scheduler scheduler_;
    [[no_unique_address]] Child child_;
};

}  // namespace detail

/// Starts a sender on the place of a scheduler: `starts_on(pool.get_scheduler(), work)`.
///
/// Completes: where the sender does.
inline constexpr struct starts_on_t {
    template <scheduler Scheduler, sender Sender>
    [[nodiscard]] constexpr auto operator()(Scheduler&& scheduler, Sender&& sender) const {
        return detail::starts_on_sender<std::remove_cvref_t<Scheduler>, std::remove_cvref_t<Sender>>(
            std::forward<Scheduler>(scheduler), std::forward<Sender>(sender));
    }
    /// For who gives the place itself: says so.
    template <detail::has_schedulers Place, sender Sender>
    constexpr auto operator()(Place&&, Sender&&) const {
        static_assert(!detail::has_schedulers<Place>,
                      "coex: starts_on takes a scheduler, and this is a place that has one; give "
                      "starts_on(pool.get_scheduler(), ...)");
    }
} starts_on{};

}  // namespace coex::inline v0
