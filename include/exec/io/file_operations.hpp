#pragma once

#include <exec/base/owned.hpp>
#include <exec/io/file_info.hpp>
#include <exec/io/operation.hpp>
#include <exec/vocab/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace coex::inline v0 {

class file;

/// How a file is opened. Combine with `|`.
enum class open_mode : unsigned {
    read = 1,
    write = 2,
    read_write = 3,
    create = 4,       ///< made if it is missing
    exclusive = 8,    ///< with create: fails if it is there
    truncate = 16,    ///< emptied
    append = 32,      ///< every write goes to the end
    no_atime = 64,    ///< reading does not change the access time (own files only)
    no_follow = 128,  ///< fails if the last component is a symbolic link
    direct = 256,     ///< around the page cache; blocks, offsets and lengths must be aligned to the device's sectors
    directory = 512,  ///< fails if it is not a directory
    non_blocking = 1024,  ///< opening a named pipe does not wait: for writing, it fails if nobody reads (O_NONBLOCK)
};

[[nodiscard]] constexpr open_mode operator|(open_mode a, open_mode b) noexcept {
    return static_cast<open_mode>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
[[nodiscard]] constexpr bool has(open_mode mode, open_mode bits) noexcept {
    return (static_cast<unsigned>(mode) & static_cast<unsigned>(bits)) == static_cast<unsigned>(bits);
}

/// Whether a symbolic link stands for what it names, or for itself.
enum class follow_links : unsigned char { no, yes };

namespace detail {

class open_below_request;

/// The kernel's bits for `mode`.
[[nodiscard]] int native_flags(open_mode mode) noexcept;

/// The std::system_error of a negative answer of the kernel: "OPERATION 'PATH'DETAILS: REASON".
[[nodiscard]] failure io_failure(int answer, std::string_view operation, std::string_view path,
                                 std::string_view details = {});

class open_request {
public:
    open_request(static_thread_pool& pool, std::string path, open_mode mode, unsigned permissions) noexcept
        : pool_(&pool), path_(std::move(path)), mode_(mode), permissions_(permissions) {}
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<file> result(int answer, std::string_view operation = "open_file");

private:
    static_thread_pool* pool_;
    std::string path_;
    open_mode mode_;
    unsigned permissions_;
};

class read_request {
public:
    read_request(file& from, std::uint64_t offset, std::span<std::byte> block) noexcept
        : file_(&from), offset_(offset), block_(block) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer) const;

private:
    file* file_;
    std::uint64_t offset_;
    std::span<std::byte> block_;
};

class write_request {
public:
    write_request(file& to, std::uint64_t offset, std::span<const std::byte> block) noexcept
        : file_(&to), offset_(offset), block_(block) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer) const;

private:
    file* file_;
    std::uint64_t offset_;
    std::span<const std::byte> block_;
};

class append_request {
public:
    append_request(file& to, std::span<const std::byte> block) noexcept : file_(&to), block_(block) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer) const;

private:
    file* file_;
    std::span<const std::byte> block_;
};

class fsync_request {
public:
    enum class what : unsigned char { all, data };
    explicit fsync_request(file& which, what parts = what::all) noexcept : file_(&which), parts_(parts) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<void> result(int answer) const;

private:
    file* file_;
    what parts_;
};

class close_request {
public:
    explicit close_request(file& which) noexcept : file_(&which) {}
    close_request(close_request&& other) noexcept
        : file_(other.file_), descriptor_(std::exchange(other.descriptor_, -1)) {}
    /// Closes what a stopped operation did not.
    ~close_request();
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<void> result(int answer);

private:
    file* file_;
    int descriptor_ = -1;  // taken from the file, and not known to be closed
};

class statx_request {
public:
    explicit statx_request(file& which);
    statx_request(std::string path, follow_links links);
    statx_request(statx_request&&) noexcept;
    ~statx_request();
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<file_info> result(int answer) const;

private:
    file* file_ = nullptr;
    std::string path_;
    follow_links links_ = follow_links::yes;
    owned<struct ::statx> status_;  // not in the header: <sys/stat.h> defines macros
};

}  // namespace detail
}  // namespace coex::inline v0
