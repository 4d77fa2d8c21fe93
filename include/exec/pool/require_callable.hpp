#pragma once

#include <exec/base/assert.hpp>

#include <cstddef>
#include <type_traits>

namespace coex::inline v0::detail {

/// Aborts with `message` for a null pointer to a function and for an empty std::function: at the place of the mistake,
/// not later on a worker. Costs nothing for all that cannot be null.
template <class Function>
constexpr void require_callable(const Function& function, const char* message) noexcept {
    if constexpr (std::is_constructible_v<std::decay_t<Function>, std::nullptr_t> && !std::is_function_v<Function> &&
                  requires { function == nullptr; }) {
        COEX_REQUIRE(!(function == nullptr), message);
    } else {
        static_cast<void>(function);
        static_cast<void>(message);
    }
}

}  // namespace coex::inline v0::detail
