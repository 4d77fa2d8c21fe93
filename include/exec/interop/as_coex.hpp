#pragma once

#include <exec/coro/awaiting.hpp>

#include <type_traits>
#include <utility>

namespace coex::inline v0::interop {

/// Makes a sender of another library usable in coex's pipelines: of stdexec or std::execution, where the header of its
/// façade is included (stdexec_adaptors.hpp, std_adaptors.hpp). A `coex::task` awaits it with or without this, and
/// resumes where it was.
///
/// Values, errors and stops go through as they are; the stop token and the scheduler of the task or pipeline reach the
/// sender through its environment.
inline constexpr struct as_coex_t {
    template <coex::detail::adapted_sender Sender>
    [[nodiscard]] auto operator()(Sender&& sender) const {
        return coex::detail::sender_adaptor<std::remove_cvref_t<Sender>>::adapt(std::forward<Sender>(sender));
    }
} as_coex{};

}  // namespace coex::inline v0::interop
