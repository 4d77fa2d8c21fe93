#pragma once

#include <exec/base/object.hpp>
#include <exec/base/recycling.hpp>
#include <exec/base/std_allocator.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// Allocates from the calling thread's recycled blocks: what is used where no environment names an allocator.
template <class T>
class recycling_allocator {
public:
    using value_type = T;

    recycling_allocator() noexcept = default;
    template <class U>
    explicit recycling_allocator(const recycling_allocator<U>&) noexcept {}

    [[nodiscard]] T* allocate(std::size_t count) {
        if constexpr (is_over_aligned) {
            return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(alignof(T))));
        } else {
            return static_cast<T*>(recycling_allocate(count * sizeof(T)));
        }
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        if constexpr (is_over_aligned) {
            ::operator delete(memory, std::align_val_t(alignof(T)));
        } else {
            recycling_deallocate(memory, count * sizeof(T));
        }
    }
    friend bool operator==(const recycling_allocator&, const recycling_allocator&) noexcept { return true; }

private:
    static constexpr bool is_over_aligned = alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__;
};

/// The allocator of what is spawned: that of the environment given, or of the sender's, or recycled memory.
template <class Env, class Attributes>
[[nodiscard]] auto spawn_allocator(const Env& env, const Attributes& attributes) noexcept {
    if constexpr (answers<Env, get_allocator_t>) {
        return get_allocator(env);
    } else if constexpr (answers<Attributes, get_allocator_t>) {
        return get_allocator(attributes);
    } else {
        return recycling_allocator<std::byte>();
    }
}

template <class Allocator>
inline constexpr bool is_recycling = false;
template <class T>
inline constexpr bool is_recycling<recycling_allocator<T>> = true;

template <class Allocator, class T>
using allocator_for = typename std::allocator_traits<Allocator>::template rebind_alloc<T>;

/// Makes a `T` in memory of the allocator.
template <class T, class Allocator, class... Args>
[[nodiscard]] T* allocator_new(const Allocator& allocator, Args&&... args) {
    struct holder {
        allocator_for<Allocator, T> from;
        T* memory;
        ~holder() {
            if (memory != nullptr) from.deallocate(memory, 1);
        }
    };
    allocator_for<Allocator, T> from(allocator);
    holder held{from, from.allocate(1)};
    T* const made = ::new (static_cast<void*>(held.memory)) T(std::forward<Args>(args)...);
    held.memory = nullptr;
    return made;
}

/// Ends what allocator_new made. `allocator` is a copy: the object may own the original.
template <class T, class Allocator>
void allocator_delete(Allocator allocator, T* object) noexcept {
    allocator_for<Allocator, T> from(allocator);
    detail::destroy(object);
    from.deallocate(object, 1);
}

}  // namespace coex::inline v0::detail
