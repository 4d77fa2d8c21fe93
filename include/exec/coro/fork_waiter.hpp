#pragma once

#include <exec/coro/children_waiter.hpp>
#include <exec/coro/coroutine_base.hpp>

#include <cstddef>

namespace coex::inline v0::detail {

/// Waits in a parent for several forked coroutines, which all run to their ends.
class fork_waiter : public children_waiter {
public:
    /// True for a child whose error the parent gets, unless one before it has such an error.
    [[nodiscard]] static bool wins(const completion& child) noexcept { return child.known_ending() == outcome::error; }

protected:
    explicit fork_waiter(coroutine_base* parent, std::size_t children) noexcept
        : children_waiter(&fork_waiter::on_child_ended, parent, children) {}
    ~fork_waiter() = default;

private:
    static coroutine_base* on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept;
};

}  // namespace coex::inline v0::detail
