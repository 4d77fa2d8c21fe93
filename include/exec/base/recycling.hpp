#pragma once

#include <exec/base/object.hpp>

#include <cstddef>
#include <new>
#include <utility>

namespace coex::inline v0 {

namespace detail {

// What lies below the oldest block of every stack.
extern void* no_block[1];

/// The recycled blocks of a thread, in stacks by size. A stack that has no room is what every thread starts with, and
/// ends with when its thread-local objects are destroyed: then all calls go the slow way, to the heap.
///
/// An array, not a list through the blocks: what one call leaves for the next must be as little as can be, as a chain
/// of loads and stores through memory (PERF: bench coroutines, 0.9 of the time with a list). An end marked by a null
/// costs two instructions less for each block than a count.
///
/// OWNER: its thread.
struct recycled_blocks {
    // Blocks of 16 n + 8 bytes: what the heap of glibc serves without waste.
    static constexpr std::size_t step_bytes = 16;
    static constexpr std::size_t class_count = 128;
    static constexpr std::size_t largest_bytes = (class_count - 1) * step_bytes + step_bytes / 2;  // about 2 KiB
    static constexpr std::size_t most_blocks = 128;  // bounds what a thread that only frees can hoard: 256 KiB a class

    struct stack {
        void** top = no_block + 1;  // the youngest block is at top[-1], a null when there is none
        void** end = no_block + 1;
    };

    [[nodiscard]] static constexpr std::size_t class_of(std::size_t bytes) noexcept {
        const std::size_t least = sizeof(void*) + 1;  // what is not in use has room for two links
        return ((bytes < least ? least : bytes) + step_bytes / 2 - 1) / step_bytes;
    }

    stack stacks[class_count] = {};
};

/// The calling thread's; never null. In a coroutine it is read and used with no suspension between.
extern constinit thread_local recycled_blocks* this_thread_blocks __attribute__((tls_model("initial-exec")));

[[nodiscard]] void* recycling_allocate_slowly(std::size_t bytes);
void recycling_deallocate_slowly(void* block, std::size_t bytes) noexcept;

}  // namespace detail

/// Allocates `bytes` (aligned for every fundamental type) from the calling thread's lists of recycled blocks, or from
/// the heap when the list is empty. Coroutine frames and posted closures come from here.
///
/// Errors:      std::bad_alloc.
/// Thread-safe: yes; a block may be given back on any thread, which then keeps it.
/// Complexity:  a few instructions when a block of the size class is at hand. Each thread keeps a bounded number of
///              blocks, and the process a bounded number for threads that have none.
[[nodiscard]] inline void* recycling_allocate(std::size_t bytes) {
    if (bytes > detail::recycled_blocks::largest_bytes) return ::operator new(bytes);
    auto& kept = detail::this_thread_blocks->stacks[detail::recycled_blocks::class_of(bytes)];
    void* const block = kept.top[-1];
    if (block == nullptr) [[unlikely]]
        return detail::recycling_allocate_slowly(bytes);
    --kept.top;
    return block;
}

/// Gives back what `recycling_allocate(bytes)` returned.
inline void recycling_deallocate(void* block, std::size_t bytes) noexcept {
    if (bytes > detail::recycled_blocks::largest_bytes) return ::operator delete(block);
    auto& kept = detail::this_thread_blocks->stacks[detail::recycled_blocks::class_of(bytes)];
    if (kept.top == kept.end) [[unlikely]]
        return detail::recycling_deallocate_slowly(block, bytes);
    *kept.top = block;
    ++kept.top;
}

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
    detail::destroy(object);
    recycling_deallocate(object, sizeof(T));
}

}  // namespace detail
}  // namespace coex::inline v0
