#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace coex::inline v0 {

/// Allocates `bytes` (aligned for every fundamental type) from the calling thread's lists of recycled blocks, or from
/// the heap when the list is empty. Coroutine frames and posted closures come from here.
///
/// Errors:      std::bad_alloc.
/// Thread-safe: yes; a block may be given back on any thread, which then keeps it.
/// Complexity:  a few instructions when a block of the size class is at hand. Each thread keeps a bounded number of
/// blocks.
[[nodiscard]] void* recycling_allocate(std::size_t bytes);

/// Gives back what `recycling_allocate(bytes)` returned.
void recycling_deallocate(void* block, std::size_t bytes) noexcept;

namespace detail {

template <class T, class... Args>
[[nodiscard]] T* recycling_new(Args&&... args) {
    static_assert(
        alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
        "coex: recycled blocks are aligned for fundamental types only; hold an over-aligned object by pointer");
    struct holder {
        void* block;
        ~holder() {
            if (block != nullptr) recycling_deallocate(block, sizeof(T));
        }
    } held{recycling_allocate(sizeof(T))};
    T* made = ::new (held.block) T(std::forward<Args>(args)...);
    held.block = nullptr;
    return made;
}

template <class T>
void recycling_delete(T* object) noexcept {
    std::destroy_at(object);
    recycling_deallocate(object, sizeof(T));
}

}  // namespace detail
}  // namespace coex::inline v0
