#pragma once

#include <exec/vocab/env.hpp>

#include <type_traits>

namespace coex::inline v0 {

/// How urgent a task is among those of its pool; see `static_thread_pool` for what that means.
enum class priority : unsigned char { high, normal, low };

/// Asks a scheduler for the priority of what is scheduled by it; one without an answer knows only `normal`.
inline constexpr struct get_priority_t {
    template <class Scheduler>
    [[nodiscard]] constexpr priority operator()(const Scheduler& scheduler) const noexcept {
        if constexpr (detail::answers<Scheduler, get_priority_t>) {
            return scheduler.query(*this);
        } else {
            return priority::normal;
        }
    }
} get_priority{};

}  // namespace coex::inline v0
