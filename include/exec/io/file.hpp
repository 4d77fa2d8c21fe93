#pragma once

#include <exec/base/path_argument.hpp>
#include <exec/io/blocking.hpp>
#include <exec/io/file_calls.hpp>
#include <exec/io/file_operations.hpp>
#include <exec/io/vectored_operations.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace coex::inline v0 {

/// An open file, bound to the pool of its device: its operations are started by that pool's workers, within the pool's
/// `io_depth`, and the awaiting task resumes where it was, on whatever pool that is.
///
/// Errors:      every operation throws std::system_error, which names the operation, the file and the numbers.
/// Cancel:      by the stop token of the awaiting task; the task then unwinds. An operation has ended before its await
///              does: the buffer is the caller's again.
/// Thread-safe: reads and writes at different places, yes (there is no shared cursor). `close` and moving: no.
/// Lifetime:    the file and the buffers must outlive the operations; the pool must outlive the file's operations.
class file {
public:
    /// As an offset: wherever the descriptor stands. Such operations of one file must not overlap.
    static constexpr std::uint64_t own_position = static_cast<std::uint64_t>(-1);

    /// Takes over a descriptor that was opened elsewhere; -1 makes a file that is closed.
    file(static_thread_pool& pool, int descriptor, std::string path) noexcept;
    file(file&& other) noexcept
        : pool_(other.pool_),
          descriptor_(std::exchange(other.descriptor_, -1)),
          read_only_(other.read_only_),
          direct_(other.direct_),
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
        std::swap(direct_, other.direct_);
        path_.swap(other.path_);
    }

    /// Reads up to `block.size()` bytes at `offset` (bytes from the start of the file).
    ///
    /// Completes: with the number of bytes, at least one; or 0 at the end of the file or for an empty block.
    ///            `own_position` as offset reads where the descriptor stands, and moves it: for pipes and terminals,
    ///            which read so whatever the offset.
    /// Cancel:    nothing was taken from a pipe or a terminal then; the contents of the block are unspecified. A read
    ///            that a device has begun is waited for.
    [[nodiscard]] auto read_at(std::uint64_t offset, std::span<std::byte> block) noexcept {
        return detail::io_sender(*pool_, detail::read_request(*this, offset, block));
    }

    /// Writes up to `block.size()` bytes at `offset`; completes with the number of bytes written, which may be less.
    ///
    /// Cancel: some of the bytes may have been written.
    [[nodiscard]] auto write_at(std::uint64_t offset, std::span<const std::byte> block) noexcept {
        return detail::io_sender(*pool_, detail::write_request(*this, offset, block));
    }

    /// Reads into several blocks, one after the other, as one read at `offset`; of more than 1,024 blocks, the first
    /// 1,024.
    ///
    /// Completes:  as `read_at`.
    /// Lifetime:   the memory of the blocks must outlive the operation; the list of them need not.
    /// Complexity: one allocation for the list.
    [[nodiscard]] auto read_blocks_at(std::uint64_t offset, std::span<const std::span<std::byte>> blocks) {
        return detail::io_sender(*pool_, detail::read_blocks_request(*this, offset, blocks));
    }

    /// Writes several blocks, one after the other, as one write at `offset`; otherwise as `read_blocks_at`.
    ///
    /// Completes: with the number of bytes written, which may be less.
    /// Cancel:    some of the bytes may have been written.
    [[nodiscard]] auto write_blocks_at(std::uint64_t offset, std::span<const std::span<const std::byte>> blocks) {
        return detail::io_sender(*pool_, detail::write_blocks_request(*this, offset, blocks));
    }

    /// Writes up to `block.size()` bytes at the end of the file, wherever that is then: appends by several tasks or
    /// processes do not overwrite each other. Completes with the number of bytes written, which may be less.
    ///
    /// Cancel: some of the bytes may have been written.
    [[nodiscard]] auto append(std::span<const std::byte> block) noexcept {
        return detail::io_sender(*pool_, detail::append_request(*this, block));
    }

    /// Waits until what was written is on the device.
    ///
    /// Cancel: what was written may be on the device, or not yet.
    [[nodiscard]] auto fsync() noexcept { return detail::io_sender(*pool_, detail::fsync_request(*this)); }

    /// The same for the contents and what is needed to read them, but not for times. Cancel: as `fsync`.
    [[nodiscard]] auto fdatasync() noexcept {
        return detail::io_sender(*pool_, detail::fsync_request(*this, detail::fsync_request::what::data));
    }

    /// Reserves or gives back the space of a range (fallocate).
    ///
    /// Errors: such as no_space_on_device; operation_not_supported where the file system cannot.
    /// Cancel: as `blocking()`: a call that has begun is made to its end.
    [[nodiscard]] auto allocate(std::uint64_t offset, std::uint64_t length, allocation how = allocation::extend) {
        return blocking(detail::allocate_call(*this, offset, length, how));
    }

    /// Cuts the file, or makes it longer with zeros, so that it has `size` bytes (ftruncate). Cancel: as `allocate`.
    [[nodiscard]] auto resize(std::uint64_t size) { return blocking(detail::resize_call(*this, size)); }

    /// Tells the kernel how a range will be used; length 0 means to the end (posix_fadvise). Cancel: as `allocate`.
    [[nodiscard]] auto advise(std::uint64_t offset, std::uint64_t length, access_advice advice) {
        return blocking(detail::advise_call(*this, offset, length, advice));
    }

    /// Size, times, owner and identity of the file. Cancel: nothing has happened.
    [[nodiscard]] auto statx() { return detail::io_sender(*pool_, detail::statx_request(*this)); }

    /// Closes the file and completes with its last error, if there is one. The file is closed in any case.
    ///
    /// Cancel: the file is closed all the same; an error is lost.
    [[nodiscard]] auto close() noexcept { return detail::io_sender(*pool_, detail::close_request(*this)); }

    /// The descriptor, or -1 after `close()`. Still owned by the file.
    [[nodiscard]] int native_handle() const noexcept { return descriptor_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] static_thread_pool& pool() const noexcept { return *pool_; }

private:
    friend class detail::open_request;
    friend class detail::close_request;
    friend class detail::open_below_request;
    friend class detail::read_request;

    file(static_thread_pool& pool, int descriptor, std::string path, open_mode mode) noexcept;

    static_thread_pool* pool_;
    int descriptor_;
    bool read_only_ = false;  // opened here, and only for reading: closing it waits for nothing
    bool direct_ = false;     // reads go past the page cache
    std::string path_;
};

/// Opens `path` for use through `pool`.
///
/// Completes: with the open file; its descriptor is closed on exec. A named pipe is open when somebody has its other
///            end, unless `mode` has `non_blocking`.
/// Errors:    std::system_error "open_file 'PATH': REASON".
/// Cancel:    nothing is open then; a file may have been created.
[[nodiscard]] inline auto open_file(static_thread_pool& pool, path_argument path, open_mode mode,
                                    unsigned permissions = 0666) {
    return detail::io_sender(pool, detail::open_request(pool, std::move(path).text(), mode, permissions));
}

/// Copies up to `length` bytes from one file to another, inside the kernel where it can, which may share the blocks
/// instead of copying them (copy_file_range). The files must not be the same range of one file.
///
/// Completes: with the number of bytes copied, which may be less; 0 at the end of `from`.
/// Errors:    std::system_error "copy_range 'FROM' (LENGTH bytes at offset N) to 'TO' at offset M: REASON".
/// Cancel:    as `blocking()`: a call that has begun is made to its end. Ask for some megabytes at a time.
/// Lifetime:  both files must outlive the operation.
[[nodiscard]] inline auto copy_range(const file& from, std::uint64_t from_offset, const file& to,
                                     std::uint64_t to_offset, std::size_t length) {
    return blocking(detail::copy_range_call(from, from_offset, to, to_offset, length));
}

/// Size, times, owner and identity of what `path` names, without opening it.
///
/// Errors: std::system_error "statx 'PATH': REASON".
/// Cancel: nothing has happened.
[[nodiscard]] inline auto statx(static_thread_pool& pool, path_argument path, follow_links links = follow_links::yes) {
    return detail::io_sender(pool, detail::statx_request(std::move(path).text(), links));
}

}  // namespace coex::inline v0
