#pragma once

#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/timer.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <exception>

namespace coex::inline v0::detail {

/// A timer that asks an operation to stop when its time is up.
///
/// **Who finishes** [L1]. The timer ends once: its node is taken out of the service by the deadline, by a shutdown of
/// the context, or by `operation_ended()`, which cancels it. In the last case nothing of the timer is in progress when
/// the cancellation returns, and the thread of the operation finishes. In the others (`fired_`) the timer has submitted
/// this as a work item, whose run requests the stop: never under the service's lock, as it runs others' callbacks. Then
/// the end of the operation and the end of that run each exchange `met_`, and the second finishes. So it is finished
/// once, and whoever came first touches nothing any more.
class time_limit : timer_node, work_item {
public:
    time_limit(const time_limit&) = delete;
    time_limit& operator=(const time_limit&) = delete;

protected:
    using finish_function = void(time_limit&) noexcept;

    /// `finish`: to be called on a thread of the context, when the operation had ended before.
    time_limit(timer_clock::duration duration, finish_function* finish) noexcept;
    /// The same for a limit that is a point in time.
    time_limit(timer_clock::time_point until, finish_function* finish) noexcept;
    ~time_limit() = default;

    /// Starts the time. Returns false when the context shuts down.
    ///
    /// Errors: std::bad_alloc.
    [[nodiscard]] bool begin(execution_context& context);

    /// To be called when the operation completes. Returns true when the timer is over and done with: the caller
    /// finishes. Otherwise it keeps the completion, and then asks `meet()`.
    [[nodiscard]] bool operation_ended() noexcept;

    /// True for the second to come: it finishes. LIFETIME: for the first *this may be gone.
    [[nodiscard]] bool meet() noexcept { return met_.exchange(true); }

    /// Whether the time was up before the operation ended. Known to who finishes.
    [[nodiscard]] bool is_up() const noexcept { return is_up_; }
    [[nodiscard]] std::exception_ptr timed_out() const noexcept;

    inplace_stop_source source_;  // the operation's

private:
    enum class end : unsigned char { none, time_is_up, shutdown };

    static void on_end(timer_node* node) noexcept;
    static void stop_operation(work_item* item) noexcept;

    timer_clock::duration duration_;  // of a point in time: what was left of it at the start
    bool is_point_ = false;           // `deadline` was given, instead of the duration
    finish_function* finish_;
    execution_context* context_ = nullptr;
    bool is_up_ = false;  // OWNER: the run of the work item, then who finishes
    std::atomic<bool> ended_{false};
    std::atomic<end> fired_{end::none};
    std::atomic<bool> met_{false};
};

}  // namespace coex::inline v0::detail
