#include <exec/algo/time_limit.hpp>

#include <exec/vocab/clock_duration.hpp>

#include <chrono>
#include <string>
#include <system_error>

namespace coex::inline v0::detail {
namespace {

[[nodiscard]] std::string in_words(timer_clock::duration duration) {
    using namespace std::chrono;
    const auto told = [](auto count, const char* unit) { return std::to_string(count) + " " + unit; };
    if (duration % seconds(1) == duration.zero()) return told(duration_cast<seconds>(duration).count(), "s");
    if (duration % milliseconds(1) == duration.zero()) return told(duration_cast<milliseconds>(duration).count(), "ms");
    if (duration % microseconds(1) == duration.zero()) return told(duration_cast<microseconds>(duration).count(), "us");
    return told(duration_cast<nanoseconds>(duration).count(), "ns");
}

// What a deadline in the past leaves is nothing.
[[nodiscard]] timer_clock::duration time_left(timer_service& service, timer_clock::time_point deadline) noexcept {
    const auto now = service.now();
    return deadline > now ? deadline - now : timer_clock::duration::zero();
}

}  // namespace

time_limit::time_limit(timer_clock::duration duration, finish_function* finish) noexcept
    : timer_node(&time_limit::on_end), work_item(&time_limit::stop_operation), duration_(duration), finish_(finish) {}

time_limit::time_limit(timer_clock::time_point until, finish_function* finish) noexcept
    : time_limit(timer_clock::duration::zero(), finish) {
    deadline = until;
    is_point_ = true;
}

bool time_limit::begin(execution_context& context) {
    context_ = &context;
    timer_service& service = context.timers();
    if (is_point_) {
        duration_ = time_left(service, deadline);
    } else {
        deadline = deadline_after(service, duration_);
    }
    return service.arm(*this);
}

void time_limit::on_end(timer_node* node) noexcept {
    auto& self = static_cast<time_limit&>(*node);
    if (self.ended_.load()) return;
    // Here, under the lock: operation_ended() writes to `stopped`.
    self.fired_.store(self.stopped ? end::shutdown : end::time_is_up);
    self.context_->submit(&self);
}

bool time_limit::operation_ended() noexcept {
    ended_.store(true);
    // [L1]: afterwards on_end() has run: it is called under the service's lock, and the cancellation takes that.
    context_->timers().cancel(*this);
    return fired_.load() == end::none;
}

void time_limit::stop_operation(work_item* item) noexcept {
    auto& self = static_cast<time_limit&>(*item);
    // At a shutdown of the context the operation is stopped, but not for want of time.
    self.is_up_ = self.fired_.load() == end::time_is_up;
    self.source_.request_stop();
    if (self.meet()) self.finish_(self);
}

std::exception_ptr time_limit::timed_out() const noexcept {
    const char* const limit = is_point_ ? "deadline" : "timeout";
    return std::make_exception_ptr(
        std::system_error(std::make_error_code(std::errc::timed_out),
                          limit + (": the operation had not ended after " + in_words(duration_))));
}

}  // namespace coex::inline v0::detail
