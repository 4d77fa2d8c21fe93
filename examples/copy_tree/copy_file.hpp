#pragma once

#include "job.hpp"

namespace copy_tree {

/// Copies a regular file or a symbolic link under a temporary name, and gives it its own when it is complete. Reports
/// what fails. When it is stopped nothing of it stays.
[[nodiscard]] coex::task<void> copy_file(job& of, permit mine, fs::path from, fs::path to, coex::file_info info);

/// Gives a file or directory the mode and the times of `like`; a symbolic link only the times.
void set_attributes(const fs::path& which, const coex::file_info& like);

}  // namespace copy_tree
