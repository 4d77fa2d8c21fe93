#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// As std::invoke, which only <functional> has: calls a function, also by a pointer to a member.
template <class Function, class... Args>
    requires std::is_invocable_v<Function, Args...>
constexpr std::invoke_result_t<Function, Args...> invoke_function(Function&& function, Args&&... args) noexcept(
    std::is_nothrow_invocable_v<Function, Args...>) {
    if constexpr (std::is_member_pointer_v<std::decay_t<Function>>) {
        return std::apply(std::forward<Function>(function), std::tuple<Args&&...>(std::forward<Args>(args)...));
    } else {
        return std::forward<Function>(function)(std::forward<Args>(args)...);
    }
}

/// As std::identity.
struct same_value {
    using is_transparent = void;
    template <class T>
    [[nodiscard]] constexpr T&& operator()(T&& value) const noexcept {
        return std::forward<T>(value);
    }
};

}  // namespace coex::inline v0::detail
