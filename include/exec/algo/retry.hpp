#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/repetition.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// Another time for every error.
class until_no_error {
    struct map : keep_signatures {
        template <class Error>
        using on_error = completion_signatures<>;
    };

public:
    template <class Signatures>
    using whole = mapped_t<Signatures, map, set_error_t(std::exception_ptr)>;

    template <class Storage, class Tag, class... Args>
    void decide(Storage& kept, Tag tag, Args&&... args) noexcept {
        if constexpr (!std::is_same_v<Tag, set_error_t>) kept.keep(tag, std::forward<Args>(args)...);
    }
};

/// The same, but no more than so often.
class up_to_attempts {
public:
    constexpr explicit up_to_attempts(std::size_t attempts) noexcept : left_(attempts) {}

    template <class Signatures>
    using whole = united_t<Signatures, completion_signatures<set_error_t(std::exception_ptr)>>;

    template <class Storage, class Tag, class... Args>
    void decide(Storage& kept, Tag tag, Args&&... args) noexcept {
        if constexpr (std::is_same_v<Tag, set_error_t>) {
            if (left_ > 1) {
                --left_;
                return;
            }
        }
        kept.keep(tag, std::forward<Args>(args)...);
    }

private:
    std::size_t left_;
};

}  // namespace detail

/// Runs a sender again when it fails, until it does not: `retry(work)`; or until it was run `attempts` times, when its
/// last error passes: `retry(work, 3)`.
///
/// Completes: as the sender, when that does not fail. The stack stays flat and the memory the same, however often the
///            sender fails at once.
/// Errors:    with `attempts` that of the last run; what keeping the results, or connecting, throws.
/// Cancel:    by the sender, and between two runs.
/// Lifetime:  each run has an operation of its own, connected to the sender as an lvalue: it must be copyable. What can
///            be started once only, such as a task, is made anew each time: `just() | let_value(f)`.
inline constexpr struct retry_t {
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& work) const {
        return sender_of(std::forward<Sender>(work), detail::until_no_error());
    }
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& work, std::size_t attempts) const {
        return sender_of(std::forward<Sender>(work), detail::up_to_attempts(attempts));
    }
    [[nodiscard]] constexpr auto operator()() const { return detail::bind_adaptor(*this); }
    [[nodiscard]] constexpr auto operator()(std::size_t attempts) const {
        return detail::bind_adaptor(*this, attempts);
    }

private:
    template <class Sender, class Policy>
    [[nodiscard]] static constexpr auto sender_of(Sender&& work, Policy policy) {
        static_assert(std::copy_constructible<std::remove_cvref_t<Sender>>,
                      "coex: retry: this sender can be started once only, as it cannot be copied (a task, or one that "
                      "owns what only moves); make it anew each time by just() | let_value([] { return ...; })");
        return detail::repetition_sender<std::remove_cvref_t<Sender>, Policy>(std::forward<Sender>(work), policy);
    }
} retry{};

}  // namespace coex::inline v0
