#pragma once

#if __has_include(<stdexec/execution.hpp>)

#include <exec/algo/closure.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/interop/stdexec_queries.hpp>
#include <exec/interop/stdexec_scheduler.hpp>
#include <exec/interop/stdexec_signatures.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>

#include <stdexec/execution.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0::interop {
namespace detail {

/// A stdexec receiver for a coex sender.
template <class Receiver>
class coex_receiver {
public:
    using receiver_concept = receiver_tag;

    explicit coex_receiver(Receiver&& receiver) noexcept : receiver_(std::move(receiver)) {}
    template <class... Values>
    void set_value(Values&&... values) && noexcept {
        stdexec::set_value(std::move(receiver_), std::forward<Values>(values)...);
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        stdexec::set_error(std::move(receiver_), std::forward<Error>(error));
    }
    void set_stopped() && noexcept { stdexec::set_stopped(std::move(receiver_)); }
    [[nodiscard]] auto get_env() const noexcept {
        return coex_env<stdexec::env_of_t<const Receiver&>>(stdexec::get_env(receiver_));
    }

private:
    [[no_unique_address]] Receiver receiver_;
};

/// A coex receiver for a stdexec sender.
template <class Receiver>
class stdexec_receiver {
public:
    using receiver_concept = stdexec::receiver_tag;

    explicit stdexec_receiver(Receiver&& receiver) noexcept : receiver_(std::move(receiver)) {}
    template <class... Values>
    void set_value(Values&&... values) noexcept {
        coex::set_value(std::move(receiver_), std::forward<Values>(values)...);
    }
    template <class Error>
    void set_error(Error&& error) noexcept {
        coex::set_error(std::move(receiver_), std::forward<Error>(error));
    }
    void set_stopped() noexcept { coex::set_stopped(std::move(receiver_)); }
    [[nodiscard]] auto get_env() const noexcept {
        return stdexec_env<env_of_t<const Receiver&>>(coex::get_env(receiver_));
    }

private:
    [[no_unique_address]] Receiver receiver_;
};

/// What a coex sender tells about itself, as stdexec asks: where it completes, when that is on an execution context.
template <class Attributes>
class stdexec_attributes {
public:
    explicit stdexec_attributes(Attributes attributes) noexcept : attributes_(std::forward<Attributes>(attributes)) {}

    template <class... Env>
        requires asks_for_context<get_completion_scheduler_t<set_value_t>, Attributes, coex_env<const Env&>...>
    [[nodiscard]] stdexec_scheduler query(stdexec::get_completion_scheduler_t<stdexec::set_value_t>,
                                          const Env&... env) const noexcept {
        return stdexec_scheduler(
            get_completion_scheduler<set_value_t>(attributes_, coex_env<const Env&>(env)...).context());
    }
    template <class... Env>
        requires asks_for_context<get_completion_scheduler_t<set_value_t>, Attributes, coex_env<const Env&>...>
    [[nodiscard]] stdexec_domain query(stdexec::get_completion_domain_t<stdexec::set_value_t>,
                                       const Env&...) const noexcept {
        return {};
    }

private:
    [[no_unique_address]] Attributes attributes_;
};

/// The reverse.
template <class Attributes>
class coex_attributes {
public:
    explicit coex_attributes(Attributes attributes) noexcept : attributes_(std::forward<Attributes>(attributes)) {}

    template <class... Env>
        requires asks_for_ours<stdexec::get_completion_scheduler_t<stdexec::set_value_t>, Attributes,
                               stdexec_env<const Env&>...>
    [[nodiscard]] context_scheduler query(get_completion_scheduler_t<set_value_t>, const Env&... env) const noexcept {
        return context_scheduler(
            stdexec::get_completion_scheduler<stdexec::set_value_t>(attributes_, stdexec_env<const Env&>(env)...)
                .context());
    }

private:
    [[no_unique_address]] Attributes attributes_;
};

}  // namespace detail

/// A coex sender that stdexec takes for one of its own; `as_stdexec` makes it.
template <class Sender>
class stdexec_sender {
public:
    using sender_concept = stdexec::sender_tag;

    template <class S>
    explicit stdexec_sender(std::in_place_t, S&& sender) : sender_(std::forward<S>(sender)) {}

    template <class Self, class... Env>
        requires sender_in<coex::detail::child_of_t<Self, Sender>, detail::coex_env<Env>...>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return detail::stdexec_signatures_t<
            completion_signatures_of_t<coex::detail::child_of_t<Self, Sender>, detail::coex_env<Env>...>>{};
    }

    template <stdexec::receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return operation<Sender, Receiver>(std::move(sender_), std::move(receiver));
    }
    template <stdexec::receiver Receiver>
        requires std::copy_constructible<Sender>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return operation<const Sender&, Receiver>(sender_, std::move(receiver));
    }
    [[nodiscard]] auto get_env() const noexcept {
        return detail::stdexec_attributes<env_of_t<const Sender&>>(coex::get_env(sender_));
    }

private:
    template <class S, class Receiver>
    class operation {
    public:
        using operation_state_concept = stdexec::operation_state_tag;

        operation(S&& sender, Receiver&& receiver)
            : inner_(coex::connect(std::forward<S>(sender), detail::coex_receiver<Receiver>(std::move(receiver)))) {}
        operation(const operation&) = delete;
        operation& operator=(const operation&) = delete;
        void start() & noexcept { coex::start(inner_); }

    private:
        connect_result_t<S, detail::coex_receiver<Receiver>> inner_;
    };

    [[no_unique_address]] Sender sender_;
};

/// A stdexec sender that coex takes for one of its own; `as_coex` makes it.
template <class Sender>
class coex_sender {
public:
    using sender_concept = sender_tag;

    template <class S>
    explicit coex_sender(std::in_place_t, S&& sender) : sender_(std::forward<S>(sender)) {}

    template <class Self, class... Env>
        requires stdexec::sender_in<coex::detail::child_of_t<Self, Sender>, detail::stdexec_env<Env>...>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return detail::coex_signatures_t<
            stdexec::completion_signatures_of_t<coex::detail::child_of_t<Self, Sender>, detail::stdexec_env<Env>...>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return operation<Sender, Receiver>(std::move(sender_), std::move(receiver));
    }
    template <receiver Receiver>
        requires std::copy_constructible<Sender>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return operation<const Sender&, Receiver>(sender_, std::move(receiver));
    }
    [[nodiscard]] auto get_env() const noexcept {
        return detail::coex_attributes<stdexec::env_of_t<const Sender&>>(stdexec::get_env(sender_));
    }

private:
    template <class S, class Receiver>
    class operation {
    public:
        using operation_state_concept = operation_state_tag;

        operation(S&& sender, Receiver&& receiver)
            : inner_(
                  stdexec::connect(std::forward<S>(sender), detail::stdexec_receiver<Receiver>(std::move(receiver)))) {}
        operation(const operation&) = delete;
        operation& operator=(const operation&) = delete;
        void start() & noexcept { stdexec::start(inner_); }

    private:
        stdexec::connect_result_t<S, detail::stdexec_receiver<Receiver>> inner_;
    };

    [[no_unique_address]] Sender sender_;
};

/// Makes a coex sender (a task is one) usable in stdexec's pipelines, or a coex scheduler one of stdexec.
///
/// Values, errors and stops go through as they are. The environment does, as far as it means something to coex: stop
/// token, allocator, and `stdexec_scheduler`s as coex's schedulers. A task must be started where one of those is:
/// `stdexec::starts_on(as_stdexec(pool.get_scheduler()), as_stdexec(work()))`.
inline constexpr struct as_stdexec_t {
    template <sender Sender>
    [[nodiscard]] auto operator()(Sender&& sender) const {
        return stdexec_sender<std::remove_cvref_t<Sender>>(std::in_place, std::forward<Sender>(sender));
    }
    [[nodiscard]] stdexec_scheduler operator()(const context_scheduler& scheduler) const noexcept {
        return stdexec_scheduler(scheduler);
    }
} as_stdexec{};

/// Makes a stdexec sender usable in coex's pipelines. A `coex::task` awaits it with or without this, and resumes where
/// it was.
///
/// Values, errors and stops go through as they are; the stop token and the scheduler of the task or pipeline reach the
/// sender through its environment.
inline constexpr struct as_coex_t {
    template <stdexec::sender Sender>
    [[nodiscard]] auto operator()(Sender&& sender) const {
        return coex_sender<std::remove_cvref_t<Sender>>(std::in_place, std::forward<Sender>(sender));
    }
} as_coex{};

}  // namespace coex::inline v0::interop

namespace coex::inline v0::detail {

/// Lets a `coex::task` await senders of stdexec as they are: `co_await stdexec::just(1)`.
template <class Sender>
    requires(stdexec::sender<Sender> && !sender<Sender>)
struct sender_adaptor<Sender> {
    template <class S>
    [[nodiscard]] static interop::coex_sender<Sender> adapt(S&& foreign) {
        return interop::coex_sender<Sender>(std::in_place, std::forward<S>(foreign));
    }
};

}  // namespace coex::inline v0::detail

#endif
