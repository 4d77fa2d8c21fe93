#pragma once

#include <utility>

namespace coex::inline v0::detail {

struct delete_object {
    template <class T>
    void operator()(T* object) const noexcept {
        static_assert(sizeof(T) > 0, "an incomplete type would be deleted without its destructor");
        delete object;
    }
};

/// As std::unique_ptr: owns one object on the heap, or none. <memory> is dear to include, as it brings streams.
template <class T, class Delete = delete_object>
class owned {
public:
    owned() noexcept = default;
    explicit owned(T* object) noexcept : object_(object) {}
    owned(owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    owned& operator=(owned&& other) noexcept {
        reset(std::exchange(other.object_, nullptr));
        return *this;
    }
    ~owned() { reset(); }

    void reset(T* object = nullptr) noexcept {
        if (T* const old = std::exchange(object_, object)) Delete()(old);
    }
    [[nodiscard]] T* get() const noexcept { return object_; }
    [[nodiscard]] T& operator*() const noexcept { return *object_; }
    [[nodiscard]] T* operator->() const noexcept { return object_; }
    [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }

private:
    T* object_ = nullptr;
};

}  // namespace coex::inline v0::detail
