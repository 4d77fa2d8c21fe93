#pragma once

#include <cstddef>
#include <utility>

namespace coex::inline v0::detail {

/// A number of objects on the heap that is fixed when they are made, each default-initialised. `T` may be incomplete
/// where only the array's owner is declared.
///
/// Not a std::vector: its elements need not be movable. Not a std::unique_ptr: <memory> is dear to include.
template <class T>
class heap_array {
public:
    /// Errors: std::bad_alloc; what making an element throws.
    explicit heap_array(std::size_t count) : elements_(new T[count]) {}
    heap_array(heap_array&& other) noexcept : elements_(std::exchange(other.elements_, nullptr)) {}
    heap_array& operator=(heap_array&&) = delete;
    ~heap_array() { delete[] elements_; }

    [[nodiscard]] T* get() const noexcept { return elements_; }
    [[nodiscard]] T& operator[](std::size_t index) const noexcept { return elements_[index]; }

private:
    T* elements_;
};

}  // namespace coex::inline v0::detail
