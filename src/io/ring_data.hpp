#pragma once

#include "io/operation_access.hpp"

#include <cstdint>

namespace coex::inline v0::detail {

// What user_data means when it is not an operation.
inline constexpr std::uint64_t data_of_cancel = 0;
inline constexpr std::uint64_t data_of_wake_up = 1;
inline constexpr std::uint64_t data_of_cancel_all = 2;

// Linux gives user space 47 bits of address unless it asks for more; the rest of user_data is the generation.
inline constexpr unsigned generation_shift = 48;
inline constexpr std::uint64_t address_mask = (std::uint64_t{1} << generation_shift) - 1;

inline std::uint64_t data_of(io_operation& operation) noexcept {
    return (reinterpret_cast<std::uintptr_t>(&operation) & address_mask) |
           std::uint64_t{io_operation_access::generation(operation)} << generation_shift;
}

}  // namespace coex::inline v0::detail
