#pragma once

#include <cstddef>
#include <type_traits>

namespace coex::inline v0::detail {

template <class Function>
concept may_be_empty = std::is_pointer_v<Function> || std::is_member_pointer_v<Function> ||
                       (std::is_class_v<Function> && std::is_constructible_v<Function, std::nullptr_t> &&
                        requires(const Function& function) { static_cast<bool>(function == nullptr); });

/// True for what has the type of a function but nothing to call: a null pointer, a std::function without a target.
template <class Function>
[[nodiscard]] constexpr bool is_empty_function(const Function& function) noexcept {
    if constexpr (may_be_empty<Function>) {
        return function == nullptr;
    } else {
        return false;
    }
}

}  // namespace coex::inline v0::detail
