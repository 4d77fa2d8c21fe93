#pragma once

#include "job.hpp"

namespace copy_tree {

/// Makes the directories of the copy, and starts the copying of all files in `copies`.
[[nodiscard]] coex::task<void> walk(job& of, coex::counting_scope& copies);

/// What is left when all files are copied: their further names, then modes and times of the directories.
[[nodiscard]] coex::task<void> finish(job& of);

}  // namespace copy_tree
