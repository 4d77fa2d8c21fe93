#pragma once

#include <exec/base/object.hpp>
#include <exec/base/std_allocator.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// A first-in, first-out queue in one block, which doubles when it is full and never shrinks: after something was taken
/// out, something can be put in without memory.
///
/// Thread-safe: no.
template <class T>
class ring_buffer {
    static_assert(std::is_nothrow_move_constructible_v<T>);

public:
    ring_buffer() noexcept = default;
    ring_buffer(const ring_buffer&) = delete;
    ring_buffer& operator=(const ring_buffer&) = delete;
    ~ring_buffer() {
        clear();
        if (places_ != nullptr) std::allocator<T>().deallocate(places_, capacity_);
    }

    [[nodiscard]] std::size_t size() const noexcept { return last_ - first_; }
    [[nodiscard]] bool empty() const noexcept { return last_ == first_; }

    /// Errors: std::bad_alloc; then `value` and all others are as they were.
    void push_back(T&& value) {
        if (size() == capacity_) grow();
        ::new (static_cast<void*>(place(last_))) T(std::move(value));
        ++last_;
    }
    [[nodiscard]] T& front() noexcept { return *place(first_); }
    void pop_front() noexcept {
        detail::destroy(place(first_));
        ++first_;
    }
    void clear() noexcept {
        while (!empty()) pop_front();
    }
    void swap(ring_buffer& other) noexcept {
        std::swap(places_, other.places_);
        std::swap(capacity_, other.capacity_);
        std::swap(first_, other.first_);
        std::swap(last_, other.last_);
    }

private:
    static constexpr std::size_t least_capacity = 8;

    [[nodiscard]] T* place(std::size_t count) const noexcept { return places_ + (count & (capacity_ - 1)); }

    void grow() {
        const std::size_t larger = capacity_ == 0 ? least_capacity : 2 * capacity_;
        T* const places = std::allocator<T>().allocate(larger);
        std::size_t count = 0;
        for (; !empty(); pop_front()) ::new (static_cast<void*>(places + count++)) T(std::move(front()));
        if (places_ != nullptr) std::allocator<T>().deallocate(places_, capacity_);
        places_ = places;
        capacity_ = larger;
        first_ = 0;
        last_ = count;
    }

    T* places_ = nullptr;
    std::size_t capacity_ = 0;  // a power of two, or 0
    std::size_t first_ = 0;     // these two only grow; the places go round
    std::size_t last_ = 0;
};

}  // namespace coex::inline v0::detail
