#pragma once

#include "file_table.hpp"

#include <xxhash.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace find_duplicates {

/// A file that may have a duplicate, as long as nothing says otherwise.
struct candidate {
    std::uint32_t file = 0;         // index into the file table
    std::uint32_t group = 0;        // all files of a group may be equal
    std::uint32_t prefix = 0;       // bytes that the first stage reads
    bool failed = false;            // could not be read; written by the reader of this file only
    std::uint64_t place = 0;        // where it lies on its device: the order in which to read
    XXH128_hash_t digest = {0, 0};  // of what the last stage read
};

/// A further name of a candidate: the same file on disk.
struct alias {
    std::uint32_t representative = 0;  // indices into the file table
    std::uint32_t file = 0;
};

/// What remains when files of a unique size are left out and each file is counted once, whatever its number of names.
struct size_groups {
    std::vector<candidate> candidates;  // those of a group are neighbours
    std::vector<alias> aliases;         // sorted by representative
};

[[nodiscard]] size_groups group_by_size(const file_table& table);

/// Splits each group by digest and drops failed files and those that have become unique.
void regroup_by_digest(std::vector<candidate>& candidates);

/// Moves the groups for which `is_done` holds (asked with the first file of each) to the end of `done`.
void take_done(std::vector<candidate>& candidates, std::vector<candidate>& done,
               const std::function<bool(const candidate&)>& is_done);

}  // namespace find_duplicates
