#include <exec/coro/start_meeting.hpp>

namespace coex::inline v0::detail {
namespace {

/// Names the calling thread.
[[nodiscard]] const void* this_thread() noexcept {
    static thread_local const char place = 0;
    return &place;
}

}  // namespace

void start_meeting::begin() noexcept {
    starter_ = this_thread();
    starting_ = true;
    // ORDER: relaxed; nobody else sees the operation before it is started.
    meeting_.store(false, std::memory_order_relaxed);
}

// The two ends of the meeting [M1].

bool start_meeting::started() noexcept {
    if (!starting_) return true;
    starting_ = false;
    return meeting_.exchange(true);
}

bool start_meeting::completed() noexcept {
    if (starter_ == this_thread() && starting_) {
        starting_ = false;
        return false;
    }
    return meeting_.exchange(true);
}

}  // namespace coex::inline v0::detail
