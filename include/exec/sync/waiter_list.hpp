#pragma once

#include <exec/vocab/work_item.hpp>

#include <cstdint>

namespace coex::inline v0 {

class coroutine_base;

namespace detail {

/// A waiter that can leave before its turn has come: in a block of its own, or on the stack of a blocked thread.
///
/// OWNER: the lock of the list that it waits in, until it is told; `run` tells it.
class leaving_waiter : public work_item {
protected:
    explicit leaving_waiter(run_function* tell) noexcept : work_item(tell) {}
    ~leaving_waiter() = default;

private:
    friend class waiter_list;

    static constexpr std::uint64_t outside = 0;
    static constexpr std::uint64_t left = ~std::uint64_t{0};

    work_item* previous_ = nullptr;
    std::uint64_t round_ = outside;  // of the list that it is in
};

/// Those who wait for the same thing, in the order in which they came.
///
/// A waiter is a work item whose `run` tells it that its wait is over. A coroutine that nobody can stop waits as
/// itself: its own item has nothing else to do while it is suspended, so that waiting costs its frame a single word.
/// Everybody else is a leaving_waiter.
///
/// I1: a leaving_waiter is in the list exactly when its round is the list's. Taking all begins a new round, so however
///     many wait, none of them has to be touched under the lock.
/// I2: of a leaving_waiter in the list, `previous_` is the one before it. The others need none: they don't leave.
///
/// Thread-safe: no; who owns it locks.
class waiter_list {
public:
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

    /// Returns false for one that has left before.
    [[nodiscard]] bool try_push_back(work_item& waiter) noexcept;
    [[nodiscard]] work_item* pop_front() noexcept;
    /// Empties the list. Returns the first of the former waiters, which stay linked.
    [[nodiscard]] work_item* take_all() noexcept;
    /// Takes a waiter out. When it is not in (it is being told, or has not come yet), notes that it has left, and
    /// returns false.
    bool remove(leaving_waiter& waiter) noexcept;

    /// Tells linked waiters. LIFETIME: each may be gone once it is told.
    static void tell_all(work_item* first) noexcept;

    /// Makes `coroutine`, which is suspended and cannot be stopped, a waiter.
    [[nodiscard]] static work_item& as_waiter(coroutine_base& coroutine) noexcept;

private:
    [[nodiscard]] static leaving_waiter* as_leaving(work_item* waiter) noexcept;
    static void tell_coroutine(work_item* waiter) noexcept;

    work_item* first_ = nullptr;
    work_item* last_ = nullptr;
    std::uint64_t round_ = 1;
};

}  // namespace detail
}  // namespace coex::inline v0
