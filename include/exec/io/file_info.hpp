#pragma once

#include <exec/base/std_chrono.hpp>

#include <cstdint>

namespace coex::inline v0 {

enum class file_type : unsigned char {
    regular,
    directory,
    symbolic_link,
    block_device,
    character_device,
    pipe,
    socket,
    unknown
};

/// What the kernel knows of a file besides its contents.
struct file_info {
    using time_point = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

    file_type type = file_type::unknown;
    unsigned permissions = 0;     ///< mode bits below the type: 0644, set-user-id, ...
    std::uint64_t size = 0;       ///< bytes
    std::uint64_t allocated = 0;  ///< bytes occupied on the device
    std::uint64_t device = 0;     ///< `st_dev` of the file system that holds it
    std::uint64_t inode = 0;
    std::uint64_t links = 0;  ///< hard links
    unsigned user = 0;
    unsigned group = 0;
    time_point accessed;
    time_point modified;
    time_point changed;
};

}  // namespace coex::inline v0
