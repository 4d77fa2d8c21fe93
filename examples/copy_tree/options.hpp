#pragma once

#include <filesystem>

namespace copy_tree {

struct options {
    std::filesystem::path source;
    std::filesystem::path target;
    bool replace = false;   ///< files that are there
    bool sync = false;      ///< each file is on the device before it gets its name
    bool progress = false;  ///< a line on standard error
    unsigned jobs = 16;     ///< files that are copied at once
};

/// Reads the command line; prints and exits for --help and bad usage.
[[nodiscard]] options read_options(int argc, char** argv);

}  // namespace copy_tree
