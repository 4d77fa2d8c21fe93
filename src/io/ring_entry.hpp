#pragma once

#include <exec/io/operation.hpp>

#include <liburing.h>

namespace coex::inline v0::detail {

/// Says in a submission entry what the request asks for; all but its user_data.
void fill_entry(io_uring_sqe& into, const io_request& request) noexcept;

}  // namespace coex::inline v0::detail
