#pragma once

#include <exec/io/file_operations.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace coex::inline v0 {

/// An open file, bound to the pool of its device: its operations are started by that pool's workers, within the pool's
/// `io_depth`, and the awaiting task resumes where it was, on whatever pool that is.
///
/// Errors:      every operation throws std::system_error, which names the operation, the file and the numbers.
/// Cancel:      by the stop token of the awaiting task; the task then unwinds. An operation has ended before its await
/// does:
///              the buffer is the caller's again.
/// Thread-safe: reads and writes at different places, yes (there is no shared cursor). `close` and moving: no.
/// Lifetime:    the file and the buffers must outlive the operations; the pool must outlive the file's operations.
class file {
public:
    /// As an offset: wherever the descriptor stands. Such operations of one file must not overlap.
    static constexpr std::uint64_t own_position = static_cast<std::uint64_t>(-1);

    file(static_thread_pool& pool, int descriptor, std::string path) noexcept
        : pool_(&pool), descriptor_(descriptor), path_(std::move(path)) {}
    file(file&& other) noexcept
        : pool_(other.pool_),
          descriptor_(std::exchange(other.descriptor_, -1)),
          read_only_(other.read_only_),
          path_(std::move(other.path_)) {}
    file& operator=(file&& other) noexcept {
        file(std::move(other)).swap(*this);
        return *this;
    }
    /// Closes the file, by a plain system call, if that was not done. To see errors of a written file, await `close()`.
    ~file();

    void swap(file& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(descriptor_, other.descriptor_);
        std::swap(read_only_, other.read_only_);
        path_.swap(other.path_);
    }

    /// Reads up to `block.size()` bytes at `offset` (bytes from the start of the file).
    ///
    /// Completes: with the number of bytes, at least one; or 0 at the end of the file or for an empty block.
    /// `own_position`
    ///            as offset reads where the descriptor stands, and moves it: for pipes and terminals.
    /// Cancel:    the contents of the block are then unspecified.
    [[nodiscard]] auto read_at(std::uint64_t offset, std::span<std::byte> block) noexcept {
        return detail::io_sender(*pool_, detail::read_request(*this, offset, block));
    }

    /// Writes up to `block.size()` bytes at `offset`; completes with the number of bytes written, which may be less.
    ///
    /// Cancel: some of the bytes may have been written.
    [[nodiscard]] auto write_at(std::uint64_t offset, std::span<const std::byte> block) noexcept {
        return detail::io_sender(*pool_, detail::write_request(*this, offset, block));
    }

    /// Waits until what was written is on the device.
    [[nodiscard]] auto fsync() noexcept { return detail::io_sender(*pool_, detail::fsync_request(*this)); }

    /// Size, times, owner and identity of the file.
    [[nodiscard]] auto statx() { return detail::io_sender(*pool_, detail::statx_request(*this)); }

    /// Closes the file and completes with its last error, if there is one. The file is closed in any case.
    [[nodiscard]] auto close() noexcept { return detail::io_sender(*pool_, detail::close_request(*this)); }

    /// The descriptor, or -1 after `close()`. Still owned by the file.
    [[nodiscard]] int native_handle() const noexcept { return descriptor_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] static_thread_pool& pool() const noexcept { return *pool_; }

private:
    friend class detail::open_request;
    friend class detail::close_request;

    static_thread_pool* pool_;
    int descriptor_;
    bool read_only_ = false;  // opened here, and only for reading: closing it waits for nothing
    std::string path_;
};

/// Opens `path` for use through `pool`.
///
/// Completes: with the open file; its descriptor is closed on exec.
/// Errors:    std::system_error "open_file 'PATH': REASON".
/// Cancel:    nothing is open then; a file may have been created.
[[nodiscard]] inline auto open_file(static_thread_pool& pool, const std::filesystem::path& path, open_mode mode,
                                    unsigned permissions = 0666) {
    return detail::io_sender(pool, detail::open_request(pool, path.native(), mode, permissions));
}

/// Size, times, owner and identity of what `path` names, without opening it.
///
/// Errors: std::system_error "statx 'PATH': REASON".
[[nodiscard]] inline auto statx(static_thread_pool& pool, const std::filesystem::path& path,
                                follow_links links = follow_links::yes) {
    return detail::io_sender(pool, detail::statx_request(path.native(), links));
}

}  // namespace coex::inline v0
