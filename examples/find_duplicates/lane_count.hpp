#pragma once

#include "search_context.hpp"

#include <sys/types.h>

#include <cstddef>

namespace find_duplicates {

/// How many lanes read from the device of this file system at once.
[[nodiscard]] std::size_t lane_count(search_context& context, dev_t device);

}  // namespace find_duplicates
