#pragma once

#include "candidates.hpp"
#include "hash_lane.hpp"
#include "search_context.hpp"

#include <exec/exec.hpp>

#include <vector>

namespace find_duplicates {

/// Computes the digest of each candidate, all devices at once, each in its own order and at its own depth. Files that
/// cannot be read are reported and marked as failed.
[[nodiscard]] coex::task<> hash_stage(search_context& context, std::vector<candidate>& candidates, stage which);

}  // namespace find_duplicates
