#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/completion_storage.hpp>
#include <exec/algo/into_variant.hpp>
#include <exec/algo/pack.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_link.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// The environment of several children: one of them can make the others stop.
template <class Env>
using sibling_env = env<prop<get_stop_token_t, inplace_stop_token>, forwarded_t<Env>>;

// --- how a when_all completes
// -------------------------------------------------------------------------------------------

template <class Signatures>
struct sent_pack {
    using type = pack<>;  // never sends values
};
template <class... Values, class... Others>
struct sent_pack<completion_signatures<set_value_t(Values...), Others...>> {
    using type = pack<std::decay_t<Values>...>;
    template <class... Before>
    using appended = set_value_t(Before..., std::decay_t<Values>...);
};
template <class First, class... Others>
struct sent_pack<completion_signatures<First, Others...>> : sent_pack<completion_signatures<Others...>> {};

/// What all children together send: the values of each, in their order. Nothing when one of them never sends values.
template <bool AllSend, class Before, class... Children>
struct joined_values {
    using type = completion_signatures<>;
};
template <class... Before>
struct joined_values<true, set_value_t(Before...)> {
    using type = completion_signatures<set_value_t(Before...)>;
};
template <class... Before, class First, class... Rest>
struct joined_values<true, set_value_t(Before...), First, Rest...>
    : joined_values<true, typename sent_pack<First>::template appended<Before...>, Rest...> {};

struct failures_map : keep_signatures {
    template <class... Values>
    using on_value = completion_signatures<>;
    template <class Error>
    using on_error = completion_signatures<set_error_t(std::decay_t<Error>)>;
};

template <class... Children>
inline constexpr bool all_send_values = ((count_of<set_value_t, Children> == 1) && ...);

/// From the signatures of the children to those of the whole.
template <class... Children>
struct gathered_signatures {
    static_assert(
        ((count_of<set_value_t, Children> <= 1) && ...),
        "coex: when_all: one of the senders can complete with different kinds of values, so there is no one list "
        "of values to send; wrap it in into_variant(...), or use when_all_with_variant");
    using failures = united_t<mapped_t<Children, failures_map>..., completion_signatures<set_stopped_t()>>;
    using unkept = std::conditional_t<(are_nothrow_stored<Children> && ...), completion_signatures<>,
                                      completion_signatures<set_error_t(std::exception_ptr)>>;
    static constexpr bool all_send = all_send_values<Children...>;
    using errors = united_t<failures, unkept>;
    using type =
        united_t<typename joined_values<all_send_values<Children...>, set_value_t(), Children...>::type, errors>;
};

// --- the operation
// --------------------------------------------------------------------------------------------------------

template <class Receiver, class Errors>
class gathering {
public:
    enum class verdict : unsigned char { values, error, stopped };

    gathering(Receiver&& receiver, std::size_t children) noexcept
        : receiver_(std::move(receiver)), remaining_(children) {}
    gathering(const gathering&) = delete;
    gathering& operator=(const gathering&) = delete;

    [[nodiscard]] sibling_env<env_of_t<const Receiver&>> get_env() const noexcept {
        return sibling_env<env_of_t<const Receiver&>>(prop(get_stop_token, source_.get_token()),
                                                      forward_env_of(receiver_));
    }

    template <class Error>
    void fail(Error&& error) noexcept {
        if (verdict_.exchange(verdict::error) == verdict::error) return;  // the first error in time wins
        errors_.keep(coex::set_error, std::forward<Error>(error));
        source_.request_stop();
    }
    void stop() noexcept {
        verdict expected = verdict::values;
        if (verdict_.compare_exchange_strong(expected, verdict::stopped)) source_.request_stop();
    }

protected:
    /// False when stop was requested already: then nothing is to be started.
    [[nodiscard]] bool begin() noexcept {
        source_.link(get_stop_token(coex::get_env(receiver_)));
        if (!source_.stop_requested()) return true;
        source_.unlink();
        return false;
    }
    /// True for the last child to arrive: it sees what all others did [G1].
    [[nodiscard]] bool arrive() noexcept {
        // ORDER: acq_rel; pairs with itself [G1]: the last one sees all results, and those before publish theirs.
        if (remaining_.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
        source_.unlink();
        return true;
    }

    [[no_unique_address]] Receiver receiver_;
    completion_storage<Errors, Receiver> errors_;
    linked_stop_source<stop_token_of_t<env_of_t<const Receiver&>>> source_;
    std::atomic<verdict> verdict_{verdict::values};

private:
    std::atomic<std::size_t> remaining_;
};

/// One child of a when_all: its operation, and the values that it sent.
template <class Whole, class Child, class Env, class Values>
class when_all_child {
    class receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit receiver(when_all_child& child) noexcept : child_(&child) {}
        template <class... Args>
        void set_value(Args&&... args) && noexcept {
            child_->keep(std::forward<Args>(args)...);
            child_->whole_->child_ended();
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            child_->whole_->fail(std::forward<Error>(error));
            child_->whole_->child_ended();
        }
        void set_stopped() && noexcept {
            child_->whole_->stop();
            child_->whole_->child_ended();
        }
        [[nodiscard]] Env get_env() const noexcept { return child_->whole_->get_env(); }

    private:
        when_all_child* child_;
    };

public:
    when_all_child(Child&& sender, Whole& whole)
        : whole_(&whole), operation_(connect(std::forward<Child>(sender), receiver(*this))) {}

    void start() noexcept { coex::start(operation_); }
    [[nodiscard]] Values&& values() noexcept { return std::move(*values_); }

private:
    template <class... Args>
    void keep(Args&&... args) noexcept {
        if constexpr (std::is_nothrow_constructible_v<Values, std::in_place_t, Args...>) {
            values_.emplace(std::in_place, std::forward<Args>(args)...);
        } else {
            COEX_TRY {
                values_.emplace(std::in_place, std::forward<Args>(args)...);
            }
            COEX_CATCH(...) {
                whole_->fail(std::current_exception());
            }
        }
    }

    Whole* whole_;
    std::optional<Values> values_;
    connect_result_t<Child, receiver> operation_;
};

/// One of several bases of the same type.
template <std::size_t Index, class Base>
struct indexed : Base {
    using Base::Base;
};

template <class Env, class... Children>
using gathered_signatures_of =
    gathered_signatures<decltype(get_completion_signatures<Children, sibling_env<Env>>())...>;

template <class Receiver, class Indices, class... Children>
class when_all_operation;

template <class Receiver, std::size_t... Is, class... Children>
class when_all_operation<Receiver, std::index_sequence<Is...>, Children...>
    : public gathering<Receiver, typename gathered_signatures_of<env_of_t<const Receiver&>, Children...>::errors> {
    using env_type = sibling_env<env_of_t<const Receiver&>>;
    template <class Child>
    using child_of = when_all_child<when_all_operation, Child, env_type,
                                    typename sent_pack<decltype(get_completion_signatures<Child, env_type>())>::type>;
    struct children : indexed<Is, child_of<Children>>... {
        explicit children(when_all_operation& whole, Children&&... senders)
            : indexed<Is, child_of<Children>>(std::forward<Children>(senders), whole)... {}
    };

public:
    using operation_state_concept = operation_state_tag;

    when_all_operation(Receiver&& receiver, Children&&... senders)
        : when_all_operation::gathering(std::move(receiver), sizeof...(Children)),
          children_(*this, std::forward<Children>(senders)...) {}

    void start() & noexcept {
        if (!this->begin()) {
            coex::set_stopped(std::move(this->receiver_));
            return;
        }
        // LIFETIME: once the last one is started, *this may be gone.
        (static_cast<indexed<Is, child_of<Children>>&>(children_).start(), ...);
    }

    void child_ended() noexcept {
        if (!this->arrive()) return;
        switch (this->verdict_.load()) {
            case verdict::values:
                send_values<0>();
                break;
            case verdict::error:
                this->errors_.deliver(std::move(this->receiver_));
                break;
            case verdict::stopped:
                coex::set_stopped(std::move(this->receiver_));
                break;
        }
    }

private:
    using verdict = typename when_all_operation::gathering::verdict;

    /// Sends what the children before `Index` sent, and what comes from there on.
    template <std::size_t Index, class... Before>
    void send_values(Before&&... before) noexcept {
        if constexpr (Index == sizeof...(Children)) {
            if constexpr (gathered_signatures_of<env_of_t<const Receiver&>, Children...>::all_send) {
                coex::set_value(std::move(this->receiver_), std::forward<Before>(before)...);
            }
        } else {
            child_at<Index>(children_).values().apply([&](auto&&... own) noexcept {
                send_values<Index + 1>(std::forward<Before>(before)..., std::forward<decltype(own)>(own)...);
            });
        }
    }
    template <std::size_t Index, class Child>
    static Child& child_at(indexed<Index, Child>& child) noexcept {
        return child;
    }

    children children_;
};

template <class... Children>
class when_all_sender {
    template <class Self, class Env>
    using signatures_in = gathered_signatures<
        decltype(coex::get_completion_signatures<child_of_t<Self, Children>, sibling_env<Env>>())...>;

public:
    using sender_concept = sender_tag;

    template <class... Cs>
    constexpr explicit when_all_sender(std::in_place_t, Cs&&... children)
        : children_(std::in_place, std::forward<Cs>(children)...) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return typename signatures_in<Self, Env>::type{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return std::move(children_).apply([&receiver](Children&&... children) {
            return when_all_operation<Receiver, std::index_sequence_for<Children...>, Children...>(
                std::move(receiver), std::move(children)...);
        });
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return children_.apply([&receiver](const Children&... children) {
            return when_all_operation<Receiver, std::index_sequence_for<Children...>, const Children&...>(
                std::move(receiver), children...);
        });
    }

    [[nodiscard]] static constexpr env<> get_env() noexcept { return {}; }

private:
    [[no_unique_address]] pack<Children...> children_;
};

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

}  // namespace detail

/// Runs all senders concurrently and waits for every one of them. They are started in order, where the whole is
/// started.
///
/// Completes: with the values of all, one after the other in the order of the senders. Each must be able to complete
///            with values in one way.
/// Errors:    the first in time, after all have ended; the others are asked to stop by it.
/// Cancel:    a stop request is passed on to all; when it came before the start, nothing is started. When a sender was
///            stopped, the others are asked to stop too, and the whole is stopped, unless one failed: an error wins.
/// Lifetime:  values are kept in the operation until the last sender has ended; so are the senders' operations, and
///            what a task among them was given: where its siblings wait for that to go, give all of them as tasks.
template <sender... Senders>
    requires(sizeof...(Senders) > 0 && !(detail::is_task<Senders> && ...))
[[nodiscard]] constexpr auto when_all(Senders&&... senders) {
    return detail::when_all_sender<std::remove_cvref_t<Senders>...>(std::in_place, std::forward<Senders>(senders)...);
}

/// The same for senders that complete with values in several ways: each gives one variant of tuples.
template <sender... Senders>
    requires(sizeof...(Senders) > 0)
[[nodiscard]] constexpr auto when_all_with_variant(Senders&&... senders) {
    return when_all(into_variant(std::forward<Senders>(senders))...);
}

}  // namespace coex::inline v0
