#pragma once

#include <exec/algo/into_variant.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

/// `sync_wait` for a sender that can complete with different kinds of values: gives a variant of tuples, or nothing
/// when the work was stopped.
template <sender Sender>
[[nodiscard]] auto sync_wait_with_variant(Sender&& work, inplace_stop_token token = {}) {
    auto result = sync_wait(into_variant(std::forward<Sender>(work)), token);
    using variant = std::tuple_element_t<0, typename decltype(result)::value_type>;
    return result ? std::optional<variant>(std::get<0>(std::move(*result))) : std::optional<variant>();
}

}  // namespace coex::inline v0
