#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/race.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/sender.hpp>

#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class Source, class Trigger>
struct source_signatures {
    using type = united_t<Source, completion_signatures<set_stopped_t()>>;
};

}  // namespace detail

/// Runs `sender` until it completes or `trigger` does, whatever way: the first asks the other to stop. As unifex's
/// `stop_when`.
///
/// Completes: as `sender` does, when both have ended. What the trigger completes with is dropped, its errors too.
/// Errors:    those of `sender`; what keeping its values throws.
/// Cancel:    a stop request is passed on to both; when it came before the start, nothing is started.
inline constexpr struct stop_when_t {
    template <sender Sender, sender Trigger>
    [[nodiscard]] constexpr auto operator()(Sender&& work, Trigger&& trigger) const {
        return detail::race_sender<detail::race_winner::first_in_order, detail::source_signatures,
                                   std::remove_cvref_t<Sender>, std::remove_cvref_t<Trigger>>(
            std::in_place, std::forward<Sender>(work), std::forward<Trigger>(trigger));
    }
    template <sender Trigger>
    [[nodiscard]] constexpr auto operator()(Trigger&& trigger) const {
        return detail::bind_adaptor(*this, std::forward<Trigger>(trigger));
    }
} stop_when{};

}  // namespace coex::inline v0
