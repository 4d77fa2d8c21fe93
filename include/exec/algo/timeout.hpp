#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/completion_storage.hpp>
#include <exec/algo/stop_with.hpp>
#include <exec/algo/time_limit.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/std_chrono.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/vocab/clock_duration.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_link.hpp>
#include <exec/vocab/timer.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class Child, class Env>
using limited_signatures_t =
    united_t<stored_signatures_t<decltype(get_completion_signatures<Child, stoppable_env<Env>>())>,
             completion_signatures<set_error_t(std::exception_ptr), set_stopped_t()>>;

/// `Limit`: a duration, or a point in time.
template <class Child, class Limit, class Receiver>
class timeout_operation : time_limit {
    class child_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit child_receiver(timeout_operation& operation) noexcept : operation_(&operation) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            operation_->ended(coex::set_value, std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            operation_->ended(coex::set_error, std::forward<Error>(error));
        }
        void set_stopped() && noexcept { operation_->ended(coex::set_stopped); }
        // Its type is named: to deduce it, the body would be looked at while the operation is incomplete.
        [[nodiscard]] stoppable_env<env_of_t<const Receiver&>> get_env() const noexcept {
            return stoppable_env<env_of_t<const Receiver&>>(prop(get_stop_token, operation_->source_.get_token()),
                                                            forward_env_of(operation_->receiver_));
        }

    private:
        timeout_operation* operation_;
    };

public:
    using operation_state_concept = operation_state_tag;

    timeout_operation(Child&& child, Limit limit, Receiver&& receiver)
        : time_limit(limit, &timeout_operation::finish),
          receiver_(std::move(receiver)),
          child_(connect(std::forward<Child>(child), child_receiver(*this))) {}

    void start() & noexcept {
        if (get_stop_token(coex::get_env(receiver_)).stop_requested()) return coex::set_stopped(std::move(receiver_));
        COEX_TRY {
            if (!begin(start_context_of(coex::get_env(receiver_)))) return coex::set_stopped(std::move(receiver_));
        }
        COEX_CATCH(...) {
            return coex::set_error(std::move(receiver_), std::current_exception());
        }
        outer_.emplace(get_stop_token(coex::get_env(receiver_)), forward_stop_to(source_));
        coex::start(child_);
    }

private:
    using signatures = limited_signatures_t<Child, env_of_t<const Receiver&>>;

    template <class Tag, class... Args>
    void ended(Tag tag, Args&&... args) noexcept {
        const bool timer_is_over = operation_ended();
        if constexpr ((std::is_same_v<std::decay_t<Args>, Args> && ...)) {
            if (timer_is_over) {
                outer_.reset();
                return tag(std::move(receiver_), std::forward<Args>(args)...);
            }
        }
        is_stopped_ = std::is_same_v<Tag, set_stopped_t>;
        kept_.keep(tag, std::forward<Args>(args)...);
        if (timer_is_over || meet()) finish(*this);
    }

    static void finish(time_limit& limit) noexcept {
        auto& self = static_cast<timeout_operation&>(limit);
        self.outer_.reset();
        const bool is_cancelled = get_stop_token(coex::get_env(self.receiver_)).stop_requested();
        if (self.is_stopped_ && self.is_up() && !is_cancelled) {
            coex::set_error(std::move(self.receiver_), self.timed_out());
        } else {
            self.kept_.deliver(std::move(self.receiver_));
        }
    }

    [[no_unique_address]] Receiver receiver_;
    bool is_stopped_ = false;
    completion_storage<signatures, Receiver> kept_;
    std::optional<stop_callback_for_t<stop_token_of_t<env_of_t<const Receiver&>>, forward_stop_to>> outer_;
    connect_result_t<Child, child_receiver> child_;
};

template <class Child, class Limit>
class timeout_sender {
public:
    using sender_concept = sender_tag;

    template <class C>
    timeout_sender(C&& child, Limit limit) : child_(std::forward<C>(child)), limit_(limit) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return limited_signatures_t<child_of_t<Self, Child>, Env>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return timeout_operation<Child, Limit, Receiver>(std::move(child_), limit_, std::move(receiver));
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return timeout_operation<const Child&, Limit, Receiver>(child_, limit_, std::move(receiver));
    }

    /// What completes where it was started still does: that is where the timer ends, too.
    [[nodiscard]] auto get_env() const noexcept {
        if constexpr (std::same_as<std::remove_cvref_t<env_of_t<const Child&>>, inline_attributes>) {
            return inline_attributes();
        } else {
            return env<>();
        }
    }

private:
    [[no_unique_address]] Child child_;
    Limit limit_;
};

}  // namespace detail

/// Gives an operation a limited time: `co_await timeout(stream.read_some(buffer), 20ms)`. When the time is up it is
/// asked to stop.
///
/// Completes:  as the operation does, once it has ended. A result that it gave in spite of the request is not lost.
/// Errors:     those of the operation; std::system_error(errc::timed_out) when it was stopped for want of time;
///             std::bad_alloc.
/// Cancel:     a stop request is passed on; when it came before the start, nothing is started. Then it is stopped, not
///             timed out.
/// Lifetime:   the time begins when the operation is started, on the timers of the scheduler where that is: inside a
///             task, of where the task is.
/// Complexity: one timer, cancelled when the operation ends in time. Allocates nothing but the timer's place in the
///             context's heap.
inline constexpr struct timeout_t {
    template <sender Sender, class Rep, class Period>
    [[nodiscard]] constexpr auto operator()(Sender&& work, std::chrono::duration<Rep, Period> duration) const {
        return detail::timeout_sender<std::remove_cvref_t<Sender>, timer_clock::duration>(
            std::forward<Sender>(work), detail::clock_duration(duration));
    }
    template <class Rep, class Period>
    [[nodiscard]] constexpr auto operator()(std::chrono::duration<Rep, Period> duration) const {
        return detail::bind_adaptor(*this, duration);
    }
} timeout{};

namespace detail {

struct deadline_adaptor {
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& work, timer_clock::time_point end) const {
        return timeout_sender<std::remove_cvref_t<Sender>, timer_clock::time_point>(std::forward<Sender>(work), end);
    }
};

}  // namespace detail

/// As `timeout`, with the point in time at which the operation is to have ended, so that several operations one after
/// the other share what time there is:
///
///     const auto end = coex::timer_clock::now() + 2s;
///     co_await coex::deadline(server.write_all(question), end);
///     co_await coex::deadline(server.read_exactly(answer), end);
///
/// One that has passed already lets an operation end that is complete at once, and stops any other.
///
/// Errors: those of `timeout`; the message says how long the operation had.
template <sender Sender, class Duration>
[[nodiscard]] constexpr auto deadline(Sender&& work, std::chrono::time_point<timer_clock, Duration> end) {
    return detail::deadline_adaptor()(std::forward<Sender>(work), detail::clock_time(end));
}
template <class Duration>
[[nodiscard]] constexpr auto deadline(std::chrono::time_point<timer_clock, Duration> end) {
    return detail::bind_adaptor(detail::deadline_adaptor(), detail::clock_time(end));
}

}  // namespace coex::inline v0
