#pragma once

#include <exec/base/config.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/fork_deque.hpp>

#include <atomic>
#include <cstddef>

namespace coex::inline v0::detail {

/// Waits in a parent for several children.
///
/// **The count** [W1]. `remaining_` starts with two units for each child and one for the parent. A child gives one back
/// when it has ended; who started it gives the other one back after that; the parent gives its own back last. Who
/// brings the count to zero continues the parent. So the parent is continued once, after the last child, sees what all
/// of them wrote, and no thread touches this object after it has given its last unit back. As long as all children are
/// started by the parent and end at once, nobody touches the count.
///
/// **Forking.** The parent starts its first child and leaves the others in the thread's fork_deque meanwhile, where an
/// idle worker of the same pool may take them. Those that nobody took it starts afterwards, in order.
///
/// OWNER: the parent until it has given its own unit back; then whoever gives the last one back.
class children_waiter : public completion::waiter {
public:
    children_waiter(const children_waiter&) = delete;
    children_waiter& operator=(const children_waiter&) = delete;

    [[nodiscard]] coroutine_base* parent() const noexcept { return parent_; }

    // --- for those that start children ----------------------------------------------------------------------------

    // Added to the units of a child that ended at once with an error, or stopped.
    static constexpr std::size_t not_with_value = std::size_t{1} << 48;

    /// Returns where children may be left for others while the parent is at `place`, or null.
    [[nodiscard]] static fork_deque* forks_at(const execution_context& place) noexcept {
        fork_deque* const own = this_thread_forks;
        if (own != nullptr && own->home() == &place) [[likely]]
            return own;
        return forks_shared_with(place);
    }

    /// The parent has started its children, and has `given` units to give back. Returns true when all have ended, with
    /// values or errors. Otherwise `wait()` goes on.
    [[nodiscard]] bool started(std::size_t children, std::size_t given) noexcept {
        if (given == 2 * children) [[likely]]
            return true;
        own_ = given % not_with_value + 1;
        return own_ == 2 * children + 1 && overall() != outcome::stopped;
    }

    /// Returns true when the parent stays suspended, or is being unwound.
    [[nodiscard]] bool wait(coroutine_base& parent) noexcept;

    /// By another thread than the parent's that started children. LIFETIME: *this may be gone when this returns.
    void give_back(std::size_t units) noexcept;

    /// Notes that `child` ended without a value.
    void note_failure(completion& child, outcome ending) noexcept;

protected:
    explicit children_waiter(completion::child_ended_function* function, coroutine_base* parent,
                             std::size_t children) noexcept
        : waiter(function), parent_(parent), own_(parent == nullptr), remaining_(2 * children + 1) {}
    ~children_waiter() = default;

    /// Before the children are started, unless the parent was known from the beginning: then they are started at once.
    void set_parent(coroutine_base& parent) noexcept {
        parent_ = &parent;
        own_ = 0;
    }

    /// True when all children have ended, here, as soon as they were started, and with values.
    [[nodiscard]] bool all_at_once() const noexcept { return own_ == 0; }

    /// Notes how a detached child has ended, and destroys its frame. Returns true when it was not with a value.
    bool note_ending(completion& own, coroutine_base& child, outcome ending) noexcept;

    /// Gives back the unit of a child that ended so, at `place`, as `child_ended` does. LIFETIME: *this may be gone
    /// when this returns.
    [[nodiscard]] coroutine_base* leave(outcome child_ending, const execution_context& place) noexcept;

    /// After the end, unless the parent is stopped: the completion of the first child in time that ended with an error,
    /// or null.
    [[nodiscard]] const void* first_failed() const noexcept { return first_failed_.load(); }

private:
    [[nodiscard]] static fork_deque* forks_shared_with(const execution_context& place) noexcept;
    [[nodiscard]] outcome overall() const noexcept;

    coroutine_base* parent_;
    std::size_t own_;  // OWNER: the parent. Its units when it waits or has waited; not 0 while it is not known.
    std::atomic<std::size_t> remaining_;
    // A completion; `this` while children were stopped and none failed.
    std::atomic<const void*> first_failed_{nullptr};
};

}  // namespace coex::inline v0::detail
