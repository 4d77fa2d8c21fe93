#pragma once

#include <exec/base/object.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// Room for one error of the types that `Signatures` (of set_error_t) list, exceptions excepted.
///
/// OWNER: the task until it ends; then its waiter.
template <class Signatures>
class error_slot;

template <class... Errors>
class error_slot<completion_signatures<set_error_t(Errors)...>> {
public:
    error_slot() noexcept = default;
    error_slot(const error_slot&) = delete;
    error_slot& operator=(const error_slot&) = delete;
    ~error_slot() { (destroy<std::remove_cvref_t<Errors>>(), ...); }

    template <class Error>
        requires(std::same_as<Error, std::remove_cvref_t<Errors>> || ...)
    void emplace(Error&& error) noexcept(std::is_nothrow_move_constructible_v<Error>) {
        ::new (static_cast<void*>(storage_)) Error(std::move(error));
        held_ = number_of<Error>();
    }

    /// Completes `receiver` with the error. Returns false when there is none. LIFETIME: *this may be gone afterwards.
    template <class Receiver>
    bool send_to(Receiver& receiver) noexcept {
        return (send_as<std::remove_cvref_t<Errors>>(receiver) || ...);
    }

private:
    // From 1 up, in the order of the list.
    template <class Error>
    [[nodiscard]] static constexpr unsigned number_of() noexcept {
        unsigned number = 1;
        static_cast<void>(((std::same_as<Error, std::remove_cvref_t<Errors>> || (++number, false)) || ...));
        return number;
    }
    template <class Error>
    [[nodiscard]] Error& held() noexcept {
        return *std::launder(reinterpret_cast<Error*>(storage_));
    }
    template <class Error>
    void destroy() noexcept {
        if (held_ != number_of<Error>()) return;
        held_ = 0;  // the type may be listed twice
        detail::destroy(detail::address_of(held<Error>()));
    }
    template <class Error, class Receiver>
    bool send_as(Receiver& receiver) noexcept {
        if constexpr (std::same_as<Error, std::exception_ptr>) {
            return false;
        } else {
            if (held_ != number_of<Error>()) return false;
            set_error(std::move(receiver), std::move(held<Error>()));
            return true;
        }
    }

    alignas(std::byte) alignas(
        std::remove_cvref_t<Errors>...) std::byte storage_[largest_of<1, sizeof(std::remove_cvref_t<Errors>)...>];
    unsigned held_ = 0;
};

}  // namespace coex::inline v0::detail
