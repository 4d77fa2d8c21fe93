#pragma once

#include "search_context.hpp"
#include "walk.hpp"

#include <exec/exec.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace find_duplicates {

struct duplicate_file {
    std::string path;
    std::vector<std::string> hard_links;  // its further names, sorted
};

struct duplicate_group {
    std::uint64_t size = 0;             // bytes of each file
    std::vector<duplicate_file> files;  // sorted by path
};

/// Groups sorted by size, largest first, then by path.
using search_result = std::vector<duplicate_group>;

/// Finds the groups of files with equal content: walk, group by size, hash a prefix, hash the whole.
[[nodiscard]] coex::task<search_result> search(search_context& context, std::vector<root> roots);

}  // namespace find_duplicates
