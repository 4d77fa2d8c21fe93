#pragma once

#include <exec/pool/pool_options.hpp>

namespace coex::inline v0::detail {

/// The options with every automatic number decided. Errors: std::invalid_argument for what makes no sense.
[[nodiscard]] pool_options checked(pool_options options);

}  // namespace coex::inline v0::detail
