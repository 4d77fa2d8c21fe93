#pragma once

#include <exec/algo/pack.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class Tag, class Receiver, class... Values>
class just_operation {
public:
    using operation_state_concept = operation_state_tag;

    just_operation(pack<Values...>&& values,
                   Receiver&& receiver) noexcept((std::is_nothrow_move_constructible_v<Values> && ...))
        : values_(std::move(values)), receiver_(std::move(receiver)) {}
    just_operation(const just_operation&) = delete;
    just_operation& operator=(const just_operation&) = delete;

    void start() & noexcept {
        std::move(values_).apply(
            [this](Values&&... values) noexcept { Tag()(std::move(receiver_), std::move(values)...); });
    }

private:
    [[no_unique_address]] pack<Values...> values_;
    [[no_unique_address]] Receiver receiver_;
};

template <class Tag, class... Values>
class just_sender {
public:
    using sender_concept = sender_tag;
    using completion_signatures = coex::completion_signatures<Tag(Values...)>;
    static constexpr bool completes_inline = true;

    template <class... Us>
    constexpr explicit just_sender(std::in_place_t,
                                   Us&&... values) noexcept((std::is_nothrow_constructible_v<Values, Us> && ...))
        : values_(std::in_place, std::forward<Us>(values)...) {}

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && noexcept((std::is_nothrow_move_constructible_v<Values> && ...)) {
        return just_operation<Tag, Receiver, Values...>(std::move(values_), std::move(receiver));
    }
    template <receiver Receiver>
        requires(std::copy_constructible<Values> && ...)
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return just_operation<Tag, Receiver, Values...>(pack<Values...>(values_), std::move(receiver));
    }

    [[nodiscard]] static constexpr inline_attributes get_env() noexcept { return {}; }

private:
    [[no_unique_address]] pack<Values...> values_;
};

}  // namespace detail

/// Completes at once with (copies of) the values.
inline constexpr struct just_t {
    template <detail::movable_value... Values>
    [[nodiscard]] constexpr auto operator()(Values&&... values) const {
        return detail::just_sender<set_value_t, std::decay_t<Values>...>(std::in_place,
                                                                         std::forward<Values>(values)...);
    }
} just{};

/// Completes at once with an error, of any type.
inline constexpr struct just_error_t {
    template <detail::movable_value Error>
    [[nodiscard]] constexpr auto operator()(Error&& error) const {
        return detail::just_sender<set_error_t, std::decay_t<Error>>(std::in_place, std::forward<Error>(error));
    }
} just_error{};

/// Completes at once as stopped.
inline constexpr struct just_stopped_t {
    [[nodiscard]] constexpr auto operator()() const noexcept {
        return detail::just_sender<set_stopped_t>(std::in_place);
    }
} just_stopped{};

}  // namespace coex::inline v0
