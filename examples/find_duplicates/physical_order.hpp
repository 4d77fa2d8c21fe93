#pragma once

#include "candidates.hpp"
#include "search_context.hpp"

#include <exec/exec.hpp>

#include <vector>

namespace find_duplicates {

/// Whether the order in which the files of this file system are read matters: its disk has a head that moves, or may
/// have one.
[[nodiscard]] bool is_order_important(search_context& context, dev_t device);

/// Sets the place of each candidate: the address of its first extent where the order is important and the file system
/// tells it, the inode number elsewhere. A file whose place cannot be found out is not a problem.
[[nodiscard]] coex::task<> find_places(search_context& context, std::vector<candidate>& candidates);

}  // namespace find_duplicates
