#pragma once

#include <exec/algo/race.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/sender.hpp>

#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class... Children>
struct any_signatures {
    using type = united_t<Children..., completion_signatures<set_stopped_t()>>;
};

}  // namespace detail

/// Runs all senders concurrently, and completes as the first of them does, in time, whether with values, an error or
/// stopped. They are started in order, where the whole is started. As stdexec's `exec::when_any`.
///
/// Completes: when all have ended: the others are asked to stop by the first. What they complete with is dropped.
/// Errors:    that of the first; what keeping its values throws.
/// Cancel:    a stop request is passed on to all; when it came before the start, nothing is started.
template <sender... Senders>
    requires(sizeof...(Senders) > 0)
[[nodiscard]] constexpr auto when_any(Senders&&... senders) {
    return detail::race_sender<detail::race_winner::first_in_time, detail::any_signatures,
                               std::remove_cvref_t<Senders>...>(std::in_place, std::forward<Senders>(senders)...);
}

}  // namespace coex::inline v0
