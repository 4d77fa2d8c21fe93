#pragma once

#include <exec/vocab/result.hpp>

#include <cstddef>
#include <cstdint>

namespace coex::inline v0 {

class file;

/// What `file::allocate` does with a range. All but `extend` leave the size as it is.
enum class allocation : unsigned char {
    extend,      ///< reserves space, and makes the file longer if the range ends behind its end
    keep_size,   ///< reserves space, also behind the end
    punch_hole,  ///< gives space back: the range reads as zeros
    zero         ///< as punch_hole, but the space stays reserved
};

/// How a range of a file will be used.
enum class access_advice : unsigned char { normal, sequential, random, will_need, will_not_need, once };

namespace detail {

// Calls for which io_uring has no operation, or only one that it hands to a thread of the kernel: `blocking()` makes
// them on both backends.

class allocate_call {
public:
    allocate_call(const file& which, std::uint64_t offset, std::uint64_t length, allocation how) noexcept
        : file_(&which), offset_(offset), length_(length), how_(how) {}
    static constexpr bool fails_by_result = true;
    [[nodiscard]] result<void> operator()() const;

private:
    const file* file_;
    std::uint64_t offset_;
    std::uint64_t length_;
    allocation how_;
};

class resize_call {
public:
    resize_call(const file& which, std::uint64_t size) noexcept : file_(&which), size_(size) {}
    static constexpr bool fails_by_result = true;
    [[nodiscard]] result<void> operator()() const;

private:
    const file* file_;
    std::uint64_t size_;
};

class advise_call {
public:
    advise_call(const file& which, std::uint64_t offset, std::uint64_t length, access_advice advice) noexcept
        : file_(&which), offset_(offset), length_(length), advice_(advice) {}
    static constexpr bool fails_by_result = true;
    [[nodiscard]] result<void> operator()() const;

private:
    const file* file_;
    std::uint64_t offset_;
    std::uint64_t length_;
    access_advice advice_;
};

class copy_range_call {
public:
    copy_range_call(const file& from, std::uint64_t from_offset, const file& to, std::uint64_t to_offset,
                    std::size_t length) noexcept
        : from_(&from), to_(&to), from_offset_(from_offset), to_offset_(to_offset), length_(length) {}
    static constexpr bool fails_by_result = true;
    [[nodiscard]] result<std::size_t> operator()() const;

private:
    const file* from_;
    const file* to_;
    std::uint64_t from_offset_;
    std::uint64_t to_offset_;
    std::size_t length_;
};

}  // namespace detail
}  // namespace coex::inline v0
