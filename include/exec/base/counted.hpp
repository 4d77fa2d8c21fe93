#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace coex::inline v0::detail {

/// An object that goes with the last `counted_ptr` to it. A std::shared_ptr would bring its header into public ones,
/// and with it, in C++20, the streams.
///
/// Thread-safe: the count.
class counted {
public:
    counted() = default;
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;

protected:
    ~counted() = default;

private:
    template <class T>
    friend class counted_ptr;

    // ORDER: relaxed; who adds a use has one, or has just made the object: there is nothing to be seen by it.
    void add_use() noexcept { uses_.fetch_add(1, std::memory_order_relaxed); }
    // ORDER: acq_rel; the release pairs with the acquire of the last drop, and of is_used_twice() [C1]: what others did
    // with the object comes before what its last user does, and before its end.
    [[nodiscard]] bool drop_use() noexcept { return uses_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

    // ORDER: acquire; pairs with the release in drop_use() [C1].
    [[nodiscard]] bool is_used_twice() const noexcept { return uses_.load(std::memory_order_acquire) > 1; }

    std::atomic<std::size_t> uses_{0};
};

/// Shares an object of a class derived from `counted`, which may be incomplete where this is only declared. A base
/// class through which an object may go has a virtual destructor.
///
/// Thread-safe: no, as any object; but two may share one object on two threads.
template <class T>
class counted_ptr {
public:
    counted_ptr() noexcept = default;
    counted_ptr(std::nullptr_t) noexcept {}
    /// Adds a use: the object may have others already.
    explicit counted_ptr(T* object) noexcept : object_(object) {
        if (object_ != nullptr) object_->add_use();
    }
    counted_ptr(const counted_ptr& other) noexcept : counted_ptr(other.object_) {}
    counted_ptr(counted_ptr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    template <class Derived>
        requires requires(T*& base, Derived* derived) { base = derived; }
    counted_ptr(counted_ptr<Derived> other) noexcept : object_(other.release()) {}
    counted_ptr& operator=(counted_ptr other) noexcept {
        swap(other);
        return *this;
    }
    ~counted_ptr() {
        if (object_ != nullptr && object_->drop_use()) delete object_;
    }

    void swap(counted_ptr& other) noexcept { std::swap(object_, other.object_); }
    void reset() noexcept { counted_ptr().swap(*this); }
    /// Gives up the use without dropping it.
    [[nodiscard]] T* release() noexcept { return std::exchange(object_, nullptr); }

    [[nodiscard]] T* get() const noexcept { return object_; }
    [[nodiscard]] T& operator*() const noexcept { return *object_; }
    [[nodiscard]] T* operator->() const noexcept { return object_; }
    [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }
    /// True when there are others: what is false stays so, as long as nobody copies this one.
    [[nodiscard]] bool is_shared() const noexcept { return object_->is_used_twice(); }
    [[nodiscard]] bool operator==(std::nullptr_t) const noexcept { return object_ == nullptr; }

private:
    T* object_ = nullptr;
};

/// Errors: what the constructor throws; std::bad_alloc.
template <class T, class... Arguments>
[[nodiscard]] counted_ptr<T> make_counted(Arguments&&... arguments) {
    return counted_ptr<T>(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace coex::inline v0::detail
