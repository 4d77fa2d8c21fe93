#pragma once

#include "candidates.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace find_duplicates {

/// A buffer full of file content on its way from a device to the CPU pool: many small files, or a piece of a large one.
/// So one hop between the pools serves many files. Reused; allocates only when made.
///
/// OWNER: whoever fills it, then whoever hashes it; never both.
class load {
public:
    static constexpr std::size_t capacity = std::size_t{256} * 1024;  // bytes

    struct piece {
        candidate* file;
        std::size_t offset;  // into the buffer
        std::size_t length;
        bool is_first;
        bool is_last;
    };

    load() : buffer_(new std::byte[capacity]) {}

    void clear() noexcept {
        pieces_.clear();
        used_ = 0;
    }
    [[nodiscard]] bool empty() const noexcept { return pieces_.empty(); }
    [[nodiscard]] std::span<std::byte> room() noexcept { return {buffer_.get() + used_, capacity - used_}; }

    /// Takes the first `length` bytes of room() as the next bytes of `file`.
    void add(candidate& file, std::size_t length, bool is_first, bool is_last) {
        pieces_.push_back({&file, used_, length, is_first, is_last});
        used_ += length;
    }

    [[nodiscard]] std::span<const piece> pieces() const noexcept { return pieces_; }
    [[nodiscard]] const std::byte* bytes(const piece& of) const noexcept { return buffer_.get() + of.offset; }

private:
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t used_ = 0;
    std::vector<piece> pieces_;
};

}  // namespace find_duplicates
