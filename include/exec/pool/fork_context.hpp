#pragma once

#include <exec/base/object.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/vocab/fork_deque.hpp>

#include <type_traits>

namespace coex::inline v0 {

/// Tells a function of `fork_join` where it runs.
class fork_context {
public:
    explicit fork_context(bool migrated) noexcept : migrated_(migrated) {}

    /// True when the function runs on another thread than the one that called `fork_join`: an idle worker has taken
    /// it, or all of the fork_join went from outside of all pools to the default pool. Then there are idle workers, and
    /// it pays to divide the rest of the work further.
    [[nodiscard]] bool migrated() const noexcept { return migrated_; }

private:
    bool migrated_;
};

namespace detail {

template <class Function>
concept takes_fork_context = std::is_invocable_v<Function, fork_context> && !std::is_invocable_v<Function>;

template <class Function>
concept forkable = std::is_invocable_v<Function> || std::is_invocable_v<Function, fork_context>;

/// A function of a fork_join that wants to know where it runs.
template <class Function>
class call_in_context {
public:
    explicit call_in_context(Function& function) noexcept
        : function_(detail::address_of(function)), caller_(this_worker_forks) {}

    decltype(auto) operator()() const {
        if constexpr (takes_fork_context<Function>) {
            return static_cast<Function&&>(*function_)(fork_context(this_worker_forks != caller_));
        } else {
            return static_cast<Function&&>(*function_)();
        }
    }

private:
    std::remove_reference_t<Function>* function_;
    const fork_deque* caller_;  // stands for the thread; null outside of all pools
};

}  // namespace detail

/// The same, where at least one function takes a `fork_context`, which tells it whether it migrated.
///
/// Unlike `rayon::join_context`, a function that the calling thread itself comes to run while it waits has not
/// migrated.
template <class First, class Second, class... Rest>
    requires(detail::forkable<First> && detail::forkable<Second> && (detail::forkable<Rest> && ...) &&
             (detail::takes_fork_context<First> || detail::takes_fork_context<Second> ||
              (detail::takes_fork_context<Rest> || ...)))
auto fork_join(First&& first, Second&& second, Rest&&... rest) {
    return fork_join(detail::call_in_context<First>(first), detail::call_in_context<Second>(second),
                     detail::call_in_context<Rest>(rest)...);
}

}  // namespace coex::inline v0
