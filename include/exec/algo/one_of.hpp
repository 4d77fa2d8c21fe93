#pragma once

#include <exec/base/object.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// Room for one object of several types: nothing, until one is made in it.
///
/// Thread-safe: no.
template <class... Ts>
class one_of {
public:
    one_of() noexcept = default;
    one_of(const one_of&) = delete;
    one_of& operator=(const one_of&) = delete;
    ~one_of() { reset(); }

    [[nodiscard]] bool has_value() const noexcept { return destroy_ != nullptr; }

    template <class T, class... Args>
    T& emplace(Args&&... args) {
        return emplace_with<T>([&]() -> T { return T(std::forward<Args>(args)...); });
    }

    /// Makes a `T` of what `make()` returns, in place. Errors: what `make` throws; there is nothing in here then.
    template <class T, class Make>
    T& emplace_with(Make&& make) {
        static_assert((std::is_same_v<T, Ts> || ...));
        reset();
        T* const made = ::new (static_cast<void*>(bytes_)) T(std::forward<Make>(make)());
        destroy_ = [](void* object) noexcept { detail::destroy(static_cast<T*>(object)); };
        return *made;
    }

    void reset() noexcept {
        if (destroy_ != nullptr) std::exchange(destroy_, nullptr)(bytes_);
    }

    /// The object, which is known to be a `T`.
    template <class T>
    [[nodiscard]] T& get() noexcept {
        return *std::launder(reinterpret_cast<T*>(bytes_));
    }

private:
    alignas(std::byte) alignas(Ts...) std::byte bytes_[largest_of<1, sizeof(Ts)...>];
    void (*destroy_)(void*) noexcept = nullptr;
};

}  // namespace coex::inline v0::detail
