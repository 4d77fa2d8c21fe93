#pragma once

#include "file_table.hpp"
#include "options.hpp"
#include "problems.hpp"
#include "progress.hpp"

#include <exec/exec.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace find_duplicates {

/// What the walk has seen and left out.
struct walk_counters {
    std::atomic<std::uint64_t> files{0};           // regular files of a size that was asked for
    std::atomic<std::uint64_t> bytes{0};           // their sizes
    std::atomic<std::uint64_t> special_files{0};   // sockets, devices, named pipes
    std::atomic<std::uint64_t> symbolic_links{0};  // not followed
    std::atomic<std::uint64_t> broken_links{0};    // to be followed, but they lead nowhere
};

/// What all parts of one search share.
struct search_context {
    const options& wanted;
    coex::resource_pools& pools;
    problem_log& problems;
    progress_line& progress;
    coex::inplace_stop_token stop;
    std::size_t open_files = 0;  // how many the hashing may hold open at once
    file_table files = {};
    walk_counters counters = {};
};

}  // namespace find_duplicates
