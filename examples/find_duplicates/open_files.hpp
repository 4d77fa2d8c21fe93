#pragma once

#include <cstddef>

namespace find_duplicates {

/// Raises this process's limit of open files as far as it may. Returns how many of them the search can use for files,
/// leaving enough for the library, the walk and what the process has inherited; at least one.
[[nodiscard]] std::size_t raise_open_file_limit() noexcept;

}  // namespace find_duplicates
