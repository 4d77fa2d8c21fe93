#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace find_duplicates {

/// A regular file that the walk has found. No path is stored: it follows from the directory and the name.
struct file_record {
    std::uint64_t size = 0;  // bytes
    std::uint64_t inode = 0;
    std::int64_t modified = 0;    // nanoseconds since the epoch
    std::uint32_t directory = 0;  // index into the table's directories
    std::uint32_t name = 0;       // offset into the names of that directory
    std::uint16_t device = 0;     // index into the table's devices
    bool through_link = false;    // found by following a symbolic link
    bool is_own = false;          // belongs to this user, who may then read it without touching its access time
};

/// What one directory contains, as a walker has read it.
struct listing {
    std::string names;                          // each ended by NUL
    std::vector<file_record> files;             // their `directory` is filled in by the table
    std::vector<std::uint32_t> subdirectories;  // offsets into `names`

    /// Appends a name and returns its offset.
    std::uint32_t add_name(std::string_view name);
};

/// All files and directories found, in little memory: about 40 bytes and the name for each file.
///
/// Thread-safe: whatever adds, and device_index(); the others once the walk is over.
class file_table {
public:
    /// The directory above all: its "names" are the paths that the user gave.
    static constexpr std::uint32_t arguments = 0;

    file_table();

    /// Stores what `directory` contains; once for each directory. The subdirectories get consecutive indices; returns
    /// the first.
    std::uint32_t add_listing(std::uint32_t directory, listing&& content);

    /// Adds what a symbolic link in `directory` leads to; `name` is the offset of the link's name in its listing.
    std::uint32_t add_linked_directory(std::uint32_t directory, std::uint32_t name);
    void add_linked_file(const file_record& file);

    [[nodiscard]] std::uint16_t device_index(dev_t device);
    [[nodiscard]] dev_t device(std::uint16_t index) const noexcept { return devices_[index]; }
    [[nodiscard]] std::size_t device_count() const noexcept { return devices_.size(); }
    [[nodiscard]] std::size_t directory_count() const noexcept { return directories_.size() - 1; }

    [[nodiscard]] const std::vector<file_record>& files() const noexcept { return files_; }
    [[nodiscard]] std::string path(const file_record& file) const;

    /// Returns whether the path of `a` is less than that of `b`, byte by byte.
    [[nodiscard]] bool path_less(const file_record& a, const file_record& b) const { return path(a) < path(b); }

private:
    struct directory_entry {
        std::uint32_t parent = 0;
        std::uint32_t name = 0;         // offset into the parent's names
        std::unique_ptr<char[]> names;  // of what it contains, each ended by NUL
    };

    void append_directory_path(std::string& out, std::uint32_t directory) const;

    std::mutex mutex_;
    // OWNER: mutex_ during the walk.
    std::vector<file_record> files_;
    std::vector<directory_entry> directories_;
    std::vector<dev_t> devices_;
};

/// Appends `name` to the path of a directory.
[[nodiscard]] std::string join_path(std::string_view directory, std::string_view name);

}  // namespace find_duplicates
