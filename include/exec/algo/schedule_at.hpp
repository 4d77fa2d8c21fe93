#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/base/std_chrono.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/vocab/clock_duration.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/timer.hpp>
#include <exec/vocab/work_item.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// When a timer ends, in the clock's time.
class timer_end {
public:
    explicit timer_end(timer_clock::time_point deadline) noexcept : deadline_(deadline) {}
    explicit timer_end(timer_clock::duration duration) noexcept : duration_(duration), is_duration_(true) {}
    [[nodiscard]] timer_clock::time_point deadline(timer_service& service) const noexcept {
        return is_duration_ ? deadline_after(service, duration_) : deadline_;
    }

private:
    timer_clock::time_point deadline_{};
    timer_clock::duration duration_{};
    bool is_duration_ = false;
};

template <class Receiver>
class timed_operation : timer_node, work_item {
public:
    using operation_state_concept = operation_state_tag;

    timed_operation(execution_context& context, timer_end end, Receiver&& receiver) noexcept
        : timer_node(&timed_operation::on_end),
          work_item(&timed_operation::complete),
          context_(&context),
          end_(end),
          receiver_(std::move(receiver)) {}

    void start() & noexcept {
        const auto token = get_stop_token(coex::get_env(receiver_));
        if (token.stop_requested()) return set_stopped(std::move(receiver_));
        timer_service& service = context_->timers();
        deadline = end_.deadline(service);
        // First the callback, then the timer: a stop in between is noted in the node, and arm() refuses it. The other
        // way round, the operation could be gone while its callback is being made.
        callback_.emplace(token, cancel_request(*this));
        COEX_TRY {
            // LIFETIME: once armed, the timer may have ended, and *this be gone.
            if (service.arm(*this)) return;
        }
        COEX_CATCH(...) {
            callback_.reset();
            return set_error(std::move(receiver_), std::current_exception());
        }
        callback_.reset();
        set_stopped(std::move(receiver_));
    }

private:
    class cancel_request {
    public:
        explicit cancel_request(timed_operation& operation) noexcept : operation_(&operation) {}
        void operator()() const noexcept { operation_->context_->timers().cancel(*operation_); }

    private:
        timed_operation* operation_;
    };

    static void on_end(timer_node* node) noexcept {
        auto& self = static_cast<timed_operation&>(*node);
        self.was_stopped_ = self.stopped;  // here, under the lock: a late cancellation writes to `stopped`
        self.context_->submit(&self);
    }
    static void complete(work_item* item) noexcept {
        auto& self = static_cast<timed_operation&>(*item);
        self.callback_.reset();
        if (self.was_stopped_) {
            set_stopped(std::move(self.receiver_));
        } else {
            set_value(std::move(self.receiver_));
        }
    }

    execution_context* context_;
    timer_end end_;
    bool was_stopped_ = false;
    [[no_unique_address]] Receiver receiver_;
    std::optional<stop_callback_for_t<stop_token_of_t<env_of_t<const Receiver&>>, cancel_request>> callback_;
};

template <class Scheduler>
class timed_sender {
public:
    using sender_concept = sender_tag;
    using completion_signatures =
        coex::completion_signatures<set_value_t(), set_error_t(std::exception_ptr), set_stopped_t()>;

    timed_sender(const Scheduler& scheduler, timer_end end) noexcept : scheduler_(scheduler), end_(end) {}

    /// Knows the scheduler: it completes nowhere else.
    class attributes {
    public:
        explicit attributes(const Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
        template <class... Env>
        [[nodiscard]] Scheduler query(get_completion_scheduler_t<set_value_t>, const Env&...) const noexcept {
            return scheduler_;
        }

    private:
        Scheduler scheduler_;
    };

    template <receiver Receiver>
    [[nodiscard]] timed_operation<Receiver> connect(Receiver receiver) const noexcept {
        return {scheduler_.context(), end_, std::move(receiver)};
    }

    [[nodiscard]] attributes get_env() const noexcept { return attributes(scheduler_); }

private:
    Scheduler scheduler_;
    timer_end end_;
};

template <class Scheduler>
inline constexpr bool has_timers = has_context<std::remove_cvref_t<Scheduler>>;

}  // namespace detail

/// Completes on the scheduler's place at `deadline` or a little later, holding no thread: `schedule_at(pool, t)`. A
/// scheduler of another library gives it by a member `schedule_at(deadline)`.
///
/// Awaiting it does not move a task, unlike `schedule()`.
///
/// Errors: std::bad_alloc.
/// Cancel: at once; also when the pool shuts down.
inline constexpr struct schedule_at_t {
    template <scheduler Scheduler>
    [[nodiscard]] auto operator()(const Scheduler& where, timer_clock::time_point deadline) const {
        if constexpr (requires { where.schedule_at(deadline); }) {
            return where.schedule_at(deadline);
        } else {
            static_assert(
                detail::has_timers<Scheduler>,
                "coex: schedule_at: this scheduler has no timers; use one of a coex pool or run_loop, or give "
                "it a member schedule_at(deadline) that returns a sender");
            return detail::timed_sender<Scheduler>(where, detail::timer_end(deadline));
        }
    }
} schedule_at{};

/// The same after a duration, which begins when the operation is started.
inline constexpr struct schedule_after_t {
    template <scheduler Scheduler, class Rep, class Period>
    [[nodiscard]] auto operator()(const Scheduler& where, std::chrono::duration<Rep, Period> duration) const {
        if constexpr (requires { where.schedule_after(duration); }) {
            return where.schedule_after(duration);
        } else {
            static_assert(detail::has_timers<Scheduler>,
                          "coex: schedule_after: this scheduler has no timers; use one of a coex pool or run_loop, or "
                          "give it a member schedule_after(duration) that returns a sender");
            return detail::timed_sender<Scheduler>(where, detail::timer_end(detail::clock_duration(duration)));
        }
    }
} schedule_after{};

/// The present time of a scheduler's clock: that of the system, unless it is a simulation's.
inline constexpr struct now_t {
    template <scheduler Scheduler>
    [[nodiscard]] auto operator()(const Scheduler& where) const noexcept {
        if constexpr (requires { where.now(); }) {
            return where.now();
        } else {
            static_assert(detail::has_timers<Scheduler>,
                          "coex: now: this scheduler has no timers; use one of a coex pool or run_loop, or give it a "
                          "member now()");
            return where.context().timers().now();
        }
    }
} now{};

}  // namespace coex::inline v0
