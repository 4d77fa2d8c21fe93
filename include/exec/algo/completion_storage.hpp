#pragma once

#include <exec/algo/one_of.hpp>
#include <exec/algo/pack.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/sender.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

template <class Signature>
struct stored;
template <class Tag, class... Args>
struct stored<Tag(Args...)> {
    using type = pack<std::decay_t<Args>...>;
};

template <class Signature>
inline constexpr bool is_nothrow_stored = false;
template <class Tag, class... Args>
inline constexpr bool is_nothrow_stored<Tag(Args...)> =
    (std::is_nothrow_constructible_v<std::decay_t<Args>, Args> && ...);

template <class Signatures>
inline constexpr bool are_nothrow_stored = false;
template <class... Signatures>
inline constexpr bool are_nothrow_stored<completion_signatures<Signatures...>> = (is_nothrow_stored<Signatures> && ...);

/// The arguments of each signature as they come out of a storage: decayed.
struct decay_signatures {
    template <class... Values>
    using on_value = completion_signatures<set_value_t(std::decay_t<Values>...)>;
    template <class Error>
    using on_error = completion_signatures<set_error_t(std::decay_t<Error>)>;
    template <class Map>
    using on_stopped = completion_signatures<set_stopped_t()>;
};

/// How a sender that keeps completions for later completes: with decayed arguments, or with what copying them threw.
template <class Signatures>
using stored_signatures_t = std::conditional_t<are_nothrow_stored<Signatures>, mapped_t<Signatures, decay_signatures>,
                                               mapped_t<Signatures, decay_signatures, set_error_t(std::exception_ptr)>>;

template <class Signatures, class Receiver>
class completion_storage;

/// Keeps one completion, to be delivered to a receiver later.
template <class... Signatures, class Receiver>
class completion_storage<completion_signatures<Signatures...>, Receiver> {
public:
    /// Copies or moves the arguments in; an exception on the way takes their place.
    template <class Tag, class... Args>
    void keep(Tag, Args&&... args) noexcept {
        using kept = pack<std::decay_t<Args>...>;
        if constexpr ((std::is_nothrow_constructible_v<std::decay_t<Args>, Args> && ...)) {
            arguments_.template emplace<kept>(std::in_place, std::forward<Args>(args)...);
            deliver_ = &completion_storage::template deliver_as<Tag, kept>;
        } else {
            COEX_TRY {
                arguments_.template emplace<kept>(std::in_place, std::forward<Args>(args)...);
                deliver_ = &completion_storage::template deliver_as<Tag, kept>;
            }
            COEX_CATCH(...) {
                using error = pack<std::exception_ptr>;
                arguments_.template emplace<error>(std::in_place, std::current_exception());
                deliver_ = &completion_storage::template deliver_as<set_error_t, error>;
            }
        }
    }

    [[nodiscard]] bool has_completion() const noexcept { return deliver_ != nullptr; }

    /// LIFETIME: *this may be gone when this returns.
    void deliver(Receiver&& receiver) noexcept { deliver_(*this, std::move(receiver)); }

private:
    template <class Tag, class Kept>
    static void deliver_as(completion_storage& self, Receiver&& receiver) noexcept {
        std::move(self.arguments_.template get<Kept>()).apply([&receiver](auto&&... args) noexcept {
            Tag()(std::move(receiver), std::forward<decltype(args)>(args)...);
        });
    }

    one_of<typename stored<Signatures>::type..., pack<std::exception_ptr>> arguments_;
    void (*deliver_)(completion_storage&, Receiver&&) noexcept = nullptr;
};

}  // namespace coex::inline v0::detail
