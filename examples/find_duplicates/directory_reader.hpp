#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace find_duplicates {

/// What identifies a file or directory as long as it exists.
struct file_identity {
    dev_t device = 0;
    std::uint64_t inode = 0;
    auto operator<=>(const file_identity&) const = default;
};

/// The part of a file's status that the search needs: no more is asked of the kernel.
struct file_status {
    mode_t mode = 0;
    uid_t owner = 0;
    std::uint64_t size = 0;     // bytes
    std::int64_t modified = 0;  // nanoseconds since the epoch
    file_identity identity;
};

enum class link_target { itself, target };

/// Reads the status of `name` below the directory `directory_fd` (or AT_FDCWD). Blocks.
std::error_code read_status(int directory_fd, const char* name, link_target link, file_status& status) noexcept;

/// Reads the status of an open file. Blocks.
std::error_code read_status(int fd, file_status& status) noexcept;

/// An open directory, read by the large block. All members block.
///
/// Thread-safe: no.
class directory_reader {
public:
    struct entry {
        std::uint64_t inode;
        std::uint32_t name;  // offset into `names`
        unsigned char type;  // DT_REG, DT_DIR, ...; DT_UNKNOWN where the file system doesn't tell
    };

    directory_reader() = default;
    directory_reader(const directory_reader&) = delete;
    directory_reader& operator=(const directory_reader&) = delete;
    ~directory_reader();

    std::error_code open(const char* path, link_target link) noexcept;
    void close() noexcept;
    [[nodiscard]] int fd() const noexcept { return fd_; }

    /// Reads all entries but "." and "..", sorted by inode: the order in which the file system can find their inodes
    /// fastest.
    std::error_code read_all();

    [[nodiscard]] const std::vector<entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] const char* name(const entry& of) const noexcept { return names_.data() + of.name; }

private:
    int fd_ = -1;
    std::vector<entry> entries_;
    std::string names_;
};

}  // namespace find_duplicates
