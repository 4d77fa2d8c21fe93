#pragma once

#include <exec/base/config.hpp>
#include <exec/base/object.hpp>
#include <exec/base/recycling.hpp>
#include <exec/base/std_allocator.hpp>

#include <concepts>
#include <cstddef>
#include <new>
#include <type_traits>

namespace coex::inline v0::detail {

template <class T>
concept allocator_tag = std::same_as<std::remove_cvref_t<T>, std::allocator_arg_t>;

/// A coroutine that says with what its frame is to be allocated: `std::allocator_arg` and an allocator among its
/// parameters, one after the other.
template <class... Args>
concept names_allocator = (allocator_tag<Args> || ...);

/// The allocator among a coroutine's arguments; a default one when there is none.
template <class Allocator>
[[nodiscard]] Allocator allocator_among() noexcept {
    return Allocator();
}
template <class Allocator, class First, class... Rest>
[[nodiscard]] Allocator allocator_among(const First&, const Rest&... rest) noexcept {
    if constexpr (!allocator_tag<First>) {
        return allocator_among<Allocator>(rest...);
    } else {
        static_assert(
            sizeof...(Rest) > 0,
            "coex: this coroutine takes std::allocator_arg_t as its last parameter; an allocator must follow");
        return [](const auto& given, const auto&...) noexcept -> Allocator {
            constexpr bool fits = std::constructible_from<Allocator, decltype(given)>;
            static_assert(fits,
                          "coex: the allocator that follows std::allocator_arg does not convert to the allocator_type "
                          "of the coroutine's task; return a coex::task<T, Environment> whose Environment has `using "
                          "allocator_type = ...` of that allocator (task<T> has std::allocator<std::byte>)");
            if constexpr (fits) {
                return Allocator(given);
            } else {
                return Allocator();
            }
        }(rest...);
    }
}

/// Frames from an allocator, a copy of which lies behind the frame, as the promise is gone when it is needed.
template <class Allocator>
class allocated_frame {
    struct alignas(__STDCPP_DEFAULT_NEW_ALIGNMENT__) unit {
        std::byte bytes[__STDCPP_DEFAULT_NEW_ALIGNMENT__];
    };
    using unit_allocator = typename std::allocator_traits<Allocator>::template rebind_alloc<unit>;
    static_assert(std::is_pointer_v<typename std::allocator_traits<unit_allocator>::pointer>,
                  "coex: a task's allocator_type must allocate plain pointers");
    static_assert(alignof(unit_allocator) <= alignof(unit), "coex: a task's allocator_type must not be over-aligned");

public:
    // Into the caller, as g++ 12 at -O0 warns there that a template and the operator delete do not belong together.
    template <class... Args>
    COEX_ALWAYS_INLINE static void* operator new(std::size_t bytes, const Args&... args) {
        unit_allocator allocator(allocator_among<Allocator>(args...));
        unit* const frame = std::allocator_traits<unit_allocator>::allocate(allocator, all_units(bytes));
        ::new (kept_behind(frame, bytes)) unit_allocator(allocator);
        return frame;
    }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
        auto* const kept = static_cast<unit_allocator*>(kept_behind(frame, bytes));
        unit_allocator allocator(*kept);
        detail::destroy(kept);
        std::allocator_traits<unit_allocator>::deallocate(allocator, static_cast<unit*>(frame), all_units(bytes));
    }

private:
    [[nodiscard]] static constexpr std::size_t units(std::size_t bytes) noexcept {
        return (bytes + sizeof(unit) - 1) / sizeof(unit);
    }
    [[nodiscard]] static constexpr std::size_t all_units(std::size_t bytes) noexcept {
        return units(bytes) + units(sizeof(unit_allocator));
    }
    [[nodiscard]] static void* kept_behind(void* frame, std::size_t bytes) noexcept {
        return static_cast<unit*>(frame) + units(bytes);
    }
};

/// What no allocator was named for: recycled memory.
template <class T>
class allocated_frame<std::allocator<T>> {
public:
    static void* operator new(std::size_t bytes) { return recycling_allocate(bytes); }
    template <class... Args>
        requires names_allocator<Args...>  // into the caller: as above
    COEX_ALWAYS_INLINE static void* operator new(std::size_t bytes, const Args&... args) {
        static_cast<void>(allocator_among<std::allocator<T>>(args...));
        return recycling_allocate(bytes);
    }
    static void operator delete(void* frame, std::size_t bytes) noexcept { recycling_deallocate(frame, bytes); }
};

}  // namespace coex::inline v0::detail
