#pragma once

#include <exec/algo/completion_storage.hpp>
#include <exec/algo/pack.hpp>
#include <exec/algo/stop_with.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_link.hpp>

#include <atomic>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// Whose completion becomes that of the whole.
enum class race_winner : unsigned char { first_in_time, first_in_order };

/// Several operations of which the first to complete asks the others to stop.
///
/// **The end** [R1]. Each child, as it completes, keeps its completion if that counts, requests the stop, and only then
/// takes itself from `remaining_`. The last to do so sees what all did, and delivers what was kept: so the whole
/// completes once, after all children, and nobody touches it any more. When the first in time counts, `won_` lets one
/// child keep its completion.
template <class Receiver, class Signatures, race_winner Winner>
class race {
public:
    race(Receiver&& receiver, std::size_t children) noexcept : receiver_(std::move(receiver)), remaining_(children) {}
    race(const race&) = delete;
    race& operator=(const race&) = delete;

    [[nodiscard]] stoppable_env<env_of_t<const Receiver&>> get_env() const noexcept {
        return stoppable_env<env_of_t<const Receiver&>>(prop(get_stop_token, source_.get_token()),
                                                        forward_env_of(receiver_));
    }

    template <std::size_t Index, class Tag, class... Args>
    void completed(Tag tag, Args&&... args) noexcept {
        if constexpr (Winner == race_winner::first_in_time) {
            if (!won_.exchange(true)) kept_.keep(tag, std::forward<Args>(args)...);
        } else if constexpr (Index == 0) {
            kept_.keep(tag, std::forward<Args>(args)...);
        }
        source_.request_stop();
        // ORDER: acq_rel; pairs with itself [R1]: the last one sees what was kept, and those before publish theirs.
        if (remaining_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        source_.unlink();
        kept_.deliver(std::move(receiver_));
    }

protected:
    ~race() = default;

    /// False when stop was requested already: then the whole is complete.
    [[nodiscard]] bool begin() noexcept {
        source_.link(get_stop_token(coex::get_env(receiver_)));
        if (!source_.stop_requested()) return true;
        source_.unlink();
        coex::set_stopped(std::move(receiver_));
        return false;
    }

private:
    [[no_unique_address]] Receiver receiver_;
    completion_storage<Signatures, Receiver> kept_;
    linked_stop_source<stop_token_of_t<env_of_t<const Receiver&>>> source_;
    std::atomic<bool> won_{false};
    std::atomic<std::size_t> remaining_;
};

/// One of the operations.
template <std::size_t Index, class Race, class Child>
class racer {
    class receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit receiver(Race& whole) noexcept : whole_(&whole) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            whole_->template completed<Index>(coex::set_value, std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            whole_->template completed<Index>(coex::set_error, std::forward<Error>(error));
        }
        void set_stopped() && noexcept { whole_->template completed<Index>(coex::set_stopped); }
        [[nodiscard]] auto get_env() const noexcept { return whole_->get_env(); }

    private:
        Race* whole_;
    };

public:
    racer(Race& whole, Child&& child) : operation_(connect(std::forward<Child>(child), receiver(whole))) {}
    void start() noexcept { coex::start(operation_); }

private:
    connect_result_t<Child, receiver> operation_;
};

template <class Receiver, class Signatures, race_winner Winner, class Indices, class... Children>
class race_operation;

template <class Receiver, class Signatures, race_winner Winner, std::size_t... Is, class... Children>
class race_operation<Receiver, Signatures, Winner, std::index_sequence<Is...>, Children...>
    : race<Receiver, Signatures, Winner> {
    using whole = race<Receiver, Signatures, Winner>;
    struct racers : racer<Is, whole, Children>... {
        explicit racers(whole& of, Children&&... children)
            : racer<Is, whole, Children>(of, std::forward<Children>(children))... {}
    };

public:
    using operation_state_concept = operation_state_tag;

    explicit race_operation(Receiver&& receiver, Children&&... children)
        : whole(std::move(receiver), sizeof...(Children)), racers_(*this, std::forward<Children>(children)...) {}

    void start() & noexcept {
        // LIFETIME: once the last one is started, *this may be gone.
        if (this->begin()) (static_cast<racer<Is, whole, Children>&>(racers_).start(), ...);
    }

private:
    racers racers_;
};

/// The signatures of `Child` in a race, as they are kept.
template <class Child, class Env>
using raced_signatures_t = stored_signatures_t<decltype(get_completion_signatures<Child, stoppable_env<Env>>())>;

/// A sender of a race: `Signatures` is a template that gives those of the whole from those of each child.
template <race_winner Winner, template <class...> class Signatures, class... Children>
class race_sender {
    template <class Self, class Env>
    using signatures_in = typename Signatures<raced_signatures_t<child_of_t<Self, Children>, Env>...>::type;

public:
    using sender_concept = sender_tag;

    template <class... Cs>
    constexpr explicit race_sender(std::in_place_t, Cs&&... children)
        : children_(std::in_place, std::forward<Cs>(children)...) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return signatures_in<Self, Env>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        using signatures = signatures_in<race_sender, env_of_t<const Receiver&>>;
        return std::move(children_).apply([&receiver](Children&&... children) {
            return race_operation<Receiver, signatures, Winner, std::index_sequence_for<Children...>, Children...>(
                std::move(receiver), std::move(children)...);
        });
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        using signatures = signatures_in<const race_sender&, env_of_t<const Receiver&>>;
        return children_.apply([&receiver](const Children&... children) {
            return race_operation<Receiver, signatures, Winner, std::index_sequence_for<Children...>,
                                  const Children&...>(std::move(receiver), children...);
        });
    }

private:
    [[no_unique_address]] pack<Children...> children_;
};

}  // namespace coex::inline v0::detail
