#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/continues_on.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// The scheduler to come back to, or an explanation.
template <class Env>
[[nodiscard]] constexpr auto home_of(const Env& env) noexcept {
    constexpr bool known = has_start_scheduler<Env>;
    static_assert(
        known,
        "coex: on(scheduler, ...) comes back to where it was started, but the receiver's environment does not "
        "say where that is: it has no get_start_scheduler or get_scheduler. Run it with sync_wait or in a task, "
        "use starts_on to stay, or add write_env(..., prop(get_scheduler, scheduler))");
    if constexpr (known) return start_scheduler_of(env);
}
template <class Env>
using home_t = decltype(home_of(std::declval<const Env&>()));

template <class Scheduler, class Child>
class on_sender {
    template <class Self, class Env>
    using there_and_back = continues_on_sender<starts_on_sender<Scheduler, Child>, home_t<forwarded_t<Env>>>;

public:
    using sender_concept = sender_tag;

    template <class C>
    constexpr on_sender(Scheduler scheduler, C&& child)
        : scheduler_(std::move(scheduler)), child_(std::forward<C>(child)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return coex::get_completion_signatures<there_and_back<Self, Env>, Env>();
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        auto home = home_of(forward_env_of(receiver));
        return coex::connect(continues_on(starts_on(std::move(scheduler_), std::move(child_)), std::move(home)),
                             std::move(receiver));
    }
    template <receiver Receiver>
        requires std::copy_constructible<Child>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return on_sender(*this).connect(std::move(receiver));
    }

    [[nodiscard]] static constexpr inline_attributes get_env() noexcept { return {}; }

private:
    [[no_unique_address]] Scheduler scheduler_;
    [[no_unique_address]] Child child_;
};

/// `sender | continues_on(scheduler) | closure`, and back to where `sender` completed.
template <class Child, class Scheduler, class Closure>
class on_part_sender {
    using inside = decltype(std::declval<Closure>()(std::declval<continues_on_sender<Child, Scheduler>>()));

    /// Where the child completes, otherwise where the whole is started.
    template <class Env>
    [[nodiscard]] static auto home(const Child& child, const Env& env) noexcept {
        if constexpr (requires { get_completion_scheduler<set_value_t>(coex::get_env(child), env); }) {
            return get_completion_scheduler<set_value_t>(coex::get_env(child), env);
        } else {
            return home_of(env);
        }
    }
    template <class Env>
    using home_type = decltype(home(std::declval<const Child&>(), std::declval<const forwarded_t<Env>&>()));

public:
    using sender_concept = sender_tag;

    template <class C, class F>
    constexpr on_part_sender(C&& child, Scheduler scheduler, F&& closure)
        : child_(std::forward<C>(child)), scheduler_(std::move(scheduler)), closure_(std::forward<F>(closure)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return coex::get_completion_signatures<continues_on_sender<inside, home_type<Env>>, Env>();
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        auto back = home(child_, forward_env_of(receiver));
        return coex::connect(
            continues_on(std::move(closure_)(continues_on(std::move(child_), scheduler_)), std::move(back)),
            std::move(receiver));
    }
    template <receiver Receiver>
        requires(std::copy_constructible<Child> && std::copy_constructible<Closure>)
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return on_part_sender(*this).connect(std::move(receiver));
    }

    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(child_); }

private:
    [[no_unique_address]] Child child_;
    [[no_unique_address]] Scheduler scheduler_;
    [[no_unique_address]] Closure closure_;
};

/// A scheduler whose `schedule()` does not hear of stop requests, so that they cannot keep it from completing.
template <class Scheduler>
class unstoppable_scheduler {
public:
    using scheduler_concept = scheduler_tag;

    constexpr explicit unstoppable_scheduler(Scheduler scheduler) noexcept : scheduler_(std::move(scheduler)) {}
    [[nodiscard]] constexpr auto schedule() const noexcept { return unstoppable(coex::schedule(scheduler_)); }
    template <class Query, class... Args>
        requires answers<Scheduler, Query, Args...>
    [[nodiscard]] constexpr decltype(auto) query(Query query, Args&&... args) const noexcept {
        return scheduler_.query(query, std::forward<Args>(args)...);
    }
    friend bool operator==(const unstoppable_scheduler&, const unstoppable_scheduler&) noexcept = default;

private:
    [[no_unique_address]] Scheduler scheduler_;
};

template <class Scheduler, class Env>
inline constexpr bool is_infallible_in =
    std::is_same_v<decltype(get_completion_signatures<schedule_result_t<const Scheduler&>, Env>()),
                   completion_signatures<set_value_t()>>;

/// The scheduler by which `affine` comes back: one that cannot fail.
template <class Env>
[[nodiscard]] constexpr auto sure_home_of(const Env& env) noexcept {
    using home = home_t<Env>;
    if constexpr (is_infallible_in<home, Env>) {
        return home_of(env);
    } else {
        static_assert(is_infallible_in<unstoppable_scheduler<home>, Env>,
                      "coex: affine: the scheduler of the environment can fail to schedule, so the way back cannot be "
                      "promised; use a scheduler whose schedule() completes with set_value() only, such as a pool's");
        return unstoppable_scheduler<home>(home_of(env));
    }
}

template <class Child>
class affine_sender {
    template <class Env>
    using carried_back = continues_on_sender<Child, decltype(sure_home_of(std::declval<const forwarded_t<Env>&>()))>;

public:
    using sender_concept = sender_tag;
    static constexpr bool completes_inline = detail::completes_inline<Child>;

    template <class C>
    constexpr explicit affine_sender(std::in_place_t, C&& child) : child_(std::forward<C>(child)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        if constexpr (completes_inline) {
            return coex::get_completion_signatures<child_of_t<Self, Child>, Env>();
        } else {
            return coex::get_completion_signatures<carried_back<Env>, Env>();
        }
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        if constexpr (completes_inline) {
            return coex::connect(std::move(child_), std::move(receiver));
        } else {
            auto home = sure_home_of(forward_env_of(receiver));
            return coex::connect(continues_on(std::move(child_), std::move(home)), std::move(receiver));
        }
    }
    template <receiver Receiver>
        requires std::copy_constructible<Child>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return affine_sender(*this).connect(std::move(receiver));
    }

    [[nodiscard]] static constexpr inline_attributes get_env() noexcept { return {}; }

private:
    [[no_unique_address]] Child child_;
};

}  // namespace detail

/// `on(scheduler, sender)` does the sender's work on another place and comes back to where it was started.
/// `sender | on(scheduler, closure)` does that for a part: it comes back to where `sender` completed.
inline constexpr struct on_t {
    template <scheduler Scheduler, sender Sender>
    [[nodiscard]] constexpr auto operator()(Scheduler&& scheduler, Sender&& sender) const {
        return detail::on_sender<std::remove_cvref_t<Scheduler>, std::remove_cvref_t<Sender>>(
            std::forward<Scheduler>(scheduler), std::forward<Sender>(sender));
    }
    template <sender Sender, scheduler Scheduler, detail::closure Closure>
    [[nodiscard]] constexpr auto operator()(Sender&& sender, Scheduler&& scheduler, Closure&& closure) const {
        return detail::on_part_sender<std::remove_cvref_t<Sender>, std::remove_cvref_t<Scheduler>,
                                      std::remove_cvref_t<Closure>>(
            std::forward<Sender>(sender), std::forward<Scheduler>(scheduler), std::forward<Closure>(closure));
    }
    template <scheduler Scheduler, detail::closure Closure>
    [[nodiscard]] constexpr auto operator()(Scheduler&& scheduler, Closure&& closure) const {
        return detail::bind_adaptor(*this, std::forward<Scheduler>(scheduler), std::forward<Closure>(closure));
    }
} on{};

/// Makes a sender complete on the scheduler on which it is started. Costs nothing for senders that complete inside
/// `start()`.
inline constexpr struct affine_t {
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& sender) const {
        return detail::affine_sender<std::remove_cvref_t<Sender>>(std::in_place, std::forward<Sender>(sender));
    }
    [[nodiscard]] constexpr auto operator()() const { return detail::bind_adaptor(*this); }
} affine{};

}  // namespace coex::inline v0
