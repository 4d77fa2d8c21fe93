#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/repetition.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class... Values>
inline constexpr bool is_one_bool = false;
template <class Value>
inline constexpr bool is_one_bool<Value> = std::constructible_from<bool, Value>;

template <bool IsBool>
struct end_of_repeat {
    static_assert(IsBool,
                  "coex: repeat_until: the sender that is to be repeated must complete with one value, which tells "
                  "whether that was the last time (true) or not; add then([](...) { return is_done; })");
    using type = completion_signatures<set_value_t()>;
};

class until_true {
    struct map : keep_signatures {
        template <class... Values>
        using on_value = typename end_of_repeat<is_one_bool<Values...>>::type;
    };

public:
    template <class Signatures>
    using whole = mapped_t<Signatures, map>;

    template <class Storage, class Tag, class... Args>
    void decide(Storage& kept, Tag tag, Args&&... args) noexcept {
        if constexpr (!std::is_same_v<Tag, set_value_t>) {
            kept.keep(tag, std::forward<Args>(args)...);
        } else if constexpr (noexcept((static_cast<bool>(std::forward<Args>(args)) && ...))) {
            if ((static_cast<bool>(std::forward<Args>(args)) && ...)) kept.keep(tag);
        } else {
            COEX_TRY {
                if ((static_cast<bool>(std::forward<Args>(args)) && ...)) kept.keep(tag);
            }
            COEX_CATCH(...) {
                kept.keep(set_error_t(), std::current_exception());
            }
        }
    }
};

}  // namespace detail

/// Runs a sender again and again until it completes with true. As stdexec's `exec::repeat_until`.
///
/// Completes: with no value. The stack stays flat and the memory the same, however often the sender completes at once.
/// Errors:    those of the sender, which end it; what connecting throws.
/// Cancel:    by the sender, and between two runs.
/// Lifetime:  each run has an operation of its own, connected to the sender as an lvalue: it must be copyable. What can
///            be started once only, such as a task, is made anew each time: `just() | let_value(f)`.
inline constexpr struct repeat_until_t {
    template <sender Sender>
    [[nodiscard]] constexpr auto operator()(Sender&& work) const {
        static_assert(
            std::copy_constructible<std::remove_cvref_t<Sender>>,
            "coex: repeat_until: this sender can be started once only, as it cannot be copied (a task, or one "
            "that owns what only moves); make it anew each time by just() | let_value([] { return ...; })");
        return detail::repetition_sender<std::remove_cvref_t<Sender>, detail::until_true>(std::forward<Sender>(work),
                                                                                          detail::until_true());
    }
    [[nodiscard]] constexpr auto operator()() const { return detail::bind_adaptor(*this); }
} repeat_until{};

}  // namespace coex::inline v0
