#pragma once

#include <atomic>

namespace coex::inline v0::detail {

/// Lets whoever starts one operation after another go on in a loop when they complete inside their start, so that the
/// stack stays flat.
///
/// **The meeting** [M1]. What completes on the starting thread during the start only sets a flag. Otherwise the
/// completion and the end of the start each exchange `meeting_`, and the second goes on: so there is one who does, and
/// it sees all that the operation wrote. The first touches nothing any more.
class start_meeting {
public:
    start_meeting() noexcept = default;
    start_meeting(const start_meeting&) = delete;
    start_meeting& operator=(const start_meeting&) = delete;

    /// Before an operation is started.
    void begin() noexcept;
    /// After that, on the same thread: true when it has completed on this thread during its start.
    [[nodiscard]] bool completed_at_once() const noexcept { return !starting_; }
    /// After the start. Returns true when it has completed: the caller goes on. LIFETIME: otherwise *this may be gone.
    [[nodiscard]] bool started() noexcept;
    /// By the completion. Returns true when the caller goes on. LIFETIME: otherwise *this may be gone.
    [[nodiscard]] bool completed() noexcept;

private:
    const void* starter_ = nullptr;  // the thread that starts the operation
    bool starting_ = false;          // OWNER: the starting thread
    std::atomic<bool> meeting_{false};
};

}  // namespace coex::inline v0::detail
