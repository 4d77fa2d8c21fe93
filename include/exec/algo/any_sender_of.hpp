#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/owned.hpp>
#include <exec/base/recycling.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_link.hpp>
#include <exec/vocab/stop_token.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

template <class... Signatures>
class any_sender_of;

namespace detail {

/// What an erased sender learns of its receiver's environment.
class any_env {
public:
    any_env(inplace_stop_token token, execution_context* place) noexcept : token_(token), place_(place) {}
    [[nodiscard]] inplace_stop_token query(get_stop_token_t) const noexcept { return token_; }
    [[nodiscard]] context_scheduler query(get_start_scheduler_t) const noexcept {
        COEX_REQUIRE(place_ != nullptr,
                     "any_sender_of: the sender inside asks where it is started, but the environment of the receiver "
                     "has no scheduler of a coex context; start it in a task, by sync_wait or by starts_on");
        return context_scheduler(*place_);
    }
    [[nodiscard]] context_scheduler query(get_scheduler_t) const noexcept { return query(get_start_scheduler); }

private:
    inplace_stop_token token_;
    execution_context* place_;
};

template <class Signature>
struct completion_slot;
template <class Tag, class... Args>
struct completion_slot<Tag(Args...)> {
    virtual void complete(Tag, Args&&... args) noexcept = 0;

protected:
    ~completion_slot() = default;
};

/// A receiver of which only is known how it can be completed.
template <class... Signatures>
struct erased_receiver : completion_slot<Signatures>... {
    using completion_slot<Signatures>::complete...;

    erased_receiver(inplace_stop_token token, execution_context* place) noexcept : env(token, place) {}

    any_env env;

protected:
    ~erased_receiver() = default;
};

template <class Slots, class Signature>
inline constexpr bool has_slot = false;
// With the conversions, as nobody could be told what one of them throws.
template <class Slots, class Tag, class... Args>
inline constexpr bool is_taken = requires(Slots& slots, Args&&... args) {
    { slots.complete(Tag(), std::forward<Args>(args)...) } noexcept;
};
template <class Slots, class Tag, class... Args>
inline constexpr bool has_slot<Slots, Tag(Args...)> =
    is_taken<Slots, Tag, Args...> ||
    ((std::is_nothrow_constructible_v<std::decay_t<Args>, Args> && ...) && is_taken<Slots, Tag, std::decay_t<Args>...>);

template <class Slots, class Signatures>
inline constexpr bool has_slots = false;
template <class Slots, class... Signatures>
inline constexpr bool has_slots<Slots, completion_signatures<Signatures...>> = (has_slot<Slots, Signatures> && ...);

template <class Slots>
class erased_receiver_ref {
public:
    using receiver_concept = receiver_tag;

    explicit erased_receiver_ref(Slots& slots) noexcept : slots_(&slots) {}
    template <class... Values>
    void set_value(Values&&... values) && noexcept {
        pass(set_value_t(), std::forward<Values>(values)...);
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        pass(set_error_t(), std::forward<Error>(error));
    }
    void set_stopped() && noexcept { slots_->complete(set_stopped_t()); }
    [[nodiscard]] const any_env& get_env() const noexcept { return slots_->env; }

private:
    template <class Tag, class... Args>
    void pass(Tag tag, Args&&... args) noexcept {
        if constexpr (is_taken<Slots, Tag, Args...>) {
            slots_->complete(tag, std::forward<Args>(args)...);
        } else {
            slots_->complete(tag, std::decay_t<Args>(std::forward<Args>(args))...);
        }
    }

    Slots* slots_;
};

/// An operation of which only is known that it can be started.
struct erased_operation {
    using function = void(erased_operation*) noexcept;

    erased_operation(function* on_start, function* on_destroy) noexcept : start(on_start), destroy(on_destroy) {}
    erased_operation(const erased_operation&) = delete;
    erased_operation& operator=(const erased_operation&) = delete;

    function* start;
    function* destroy;

protected:
    ~erased_operation() = default;
};

struct destroy_erased {
    template <class T>
    void operator()(T* erased) const noexcept {
        erased->destroy(erased);
    }
};

template <class Sender, class Slots>
class concrete_operation final : public erased_operation {
public:
    concrete_operation(Sender&& sender, Slots& slots)
        : erased_operation(&concrete_operation::on_start, &concrete_operation::on_destroy),
          operation_(connect(std::move(sender), erased_receiver_ref<Slots>(slots))) {}

private:
    static void on_start(erased_operation* self) noexcept {
        coex::start(static_cast<concrete_operation*>(self)->operation_);
    }
    static void on_destroy(erased_operation* self) noexcept {
        recycling_delete(static_cast<concrete_operation*>(self));
    }

    connect_result_t<Sender, erased_receiver_ref<Slots>> operation_;
};

/// A sender of which only is known how its operations complete.
template <class Slots>
struct erased_sender {
    using connect_function = erased_operation*(erased_sender*, Slots&);
    using destroy_function = void(erased_sender*) noexcept;

    erased_sender(connect_function* on_connect, destroy_function* on_destroy) noexcept
        : connect(on_connect), destroy(on_destroy) {}
    erased_sender(const erased_sender&) = delete;
    erased_sender& operator=(const erased_sender&) = delete;

    connect_function* connect;
    destroy_function* destroy;

protected:
    ~erased_sender() = default;
};

template <class Sender, class Slots>
class concrete_sender final : public erased_sender<Slots> {
public:
    template <class S>
    explicit concrete_sender(std::in_place_t, S&& sender)
        : erased_sender<Slots>(&concrete_sender::on_connect, &concrete_sender::on_destroy),
          sender_(std::forward<S>(sender)) {}

private:
    static erased_operation* on_connect(erased_sender<Slots>* self, Slots& slots) {
        return recycling_new<concrete_operation<Sender, Slots>>(std::move(static_cast<concrete_sender*>(self)->sender_),
                                                                slots);
    }
    static void on_destroy(erased_sender<Slots>* self) noexcept {
        recycling_delete(static_cast<concrete_sender*>(self));
    }

    Sender sender_;
};

/// Fills the slots of `Base` one after the other; the completed operation is `Derived`.
template <class Derived, class Base, class... Signatures>
struct filled_slots : Base {
    using Base::Base;

protected:
    ~filled_slots() = default;
};
template <class Derived, class Base, class Tag, class... Args, class... Rest>
struct filled_slots<Derived, Base, Tag(Args...), Rest...> : filled_slots<Derived, Base, Rest...> {
    using filled_slots<Derived, Base, Rest...>::filled_slots;
    using Base::complete;
    void complete(Tag, Args&&... args) noexcept final {
        Tag()(static_cast<Derived*>(this)->ended(), std::forward<Args>(args)...);
    }

protected:
    ~filled_slots() = default;
};

template <class Token>
concept adapted_token = !unstoppable_token<Token> && !std::same_as<Token, inplace_stop_token>;

/// The token that an erased sender gets: known from the beginning, linked to the outer one while it runs.
template <class Token>
class any_stop {
public:
    [[nodiscard]] inplace_stop_token token(const Token& outer) const noexcept {
        if constexpr (std::same_as<Token, inplace_stop_token>) {
            return outer;
        } else {
            return {};
        }
    }
    void link(const Token&) noexcept {}
    void unlink() noexcept {}
};
template <adapted_token Token>
class any_stop<Token> : public linked_stop_source<Token> {
public:
    [[nodiscard]] inplace_stop_token token(const Token&) const noexcept { return this->get_token(); }
};

template <class Env>
[[nodiscard]] execution_context* place_or_null(const Env& env) noexcept {
    if constexpr (requires { requires has_context<decltype(start_scheduler_of(env))>; }) {
        return &start_scheduler_of(env).context();
    } else {
        return nullptr;
    }
}

template <class Receiver, class... Signatures>
class any_operation final
    : filled_slots<any_operation<Receiver, Signatures...>, erased_receiver<Signatures...>, Signatures...> {
    using slots = erased_receiver<Signatures...>;
    using base = filled_slots<any_operation, slots, Signatures...>;
    template <class, class, class...>
    friend struct filled_slots;

public:
    using operation_state_concept = operation_state_tag;

    any_operation(erased_sender<slots>& sender, Receiver&& receiver)
        : base(inplace_stop_token(), nullptr), receiver_(std::move(receiver)) {
        const auto& outer = coex::get_env(receiver_);
        this->env = any_env(stop_.token(get_stop_token(outer)), place_or_null(outer));
        operation_.reset(sender.connect(&sender, *this));
    }
    any_operation(const any_operation&) = delete;
    any_operation& operator=(const any_operation&) = delete;
    ~any_operation() = default;

    void start() & noexcept {
        stop_.link(get_stop_token(coex::get_env(receiver_)));
        operation_->start(operation_.get());
    }

private:
    [[nodiscard]] Receiver&& ended() noexcept {
        stop_.unlink();
        return std::move(receiver_);
    }

    [[no_unique_address]] Receiver receiver_;
    any_stop<stop_token_of_t<env_of_t<const Receiver&>>> stop_;
    owned<erased_operation, destroy_erased> operation_;
};

template <class T>
inline constexpr bool is_any_sender = false;
template <class... Signatures>
inline constexpr bool is_any_sender<any_sender_of<Signatures...>> = true;

}  // namespace detail

/// Any sender that completes in some of the ways that are listed: `any_sender_of<set_value_t(int), set_stopped_t()>`.
/// For interfaces, and for choosing between senders at run time. As stdexec's.
///
/// The sender inside sees the receiver's stop token, as an inplace_stop_token, and its start scheduler when that is of
/// a coex context.
///
/// Errors:     std::bad_alloc, what connecting throws.
/// Complexity: one block of recycled memory for the sender, another for its operation.
template <class... Signatures>
class [[nodiscard]] any_sender_of {
    static_assert(detail::are_signatures<coex::completion_signatures<Signatures...>>,
                  "coex: any_sender_of takes the ways in which it can complete, as set_value_t(Values...), "
                  "set_error_t(Error) and set_stopped_t()");
    using slots = detail::erased_receiver<Signatures...>;

public:
    using sender_concept = sender_tag;
    using completion_signatures = coex::completion_signatures<Signatures...>;

    template <class Sender>
        requires(!detail::is_any_sender<std::remove_cvref_t<Sender>>) && sender<Sender>
    any_sender_of(Sender&& sender) : sender_(made(std::forward<Sender>(sender))) {}

    template <receiver Receiver>
    [[nodiscard]] detail::any_operation<Receiver, Signatures...> connect(Receiver receiver) && {
        COEX_REQUIRE(sender_, "any_sender_of: connected twice, or after it was moved from");
        const auto used = std::move(sender_);
        return detail::any_operation<Receiver, Signatures...>(*used, std::move(receiver));
    }

private:
    template <class Sender>
    [[nodiscard]] static detail::erased_sender<slots>* made(Sender&& sender) {
        using bare = std::remove_cvref_t<Sender>;
        using signatures = decltype(get_completion_signatures<bare, detail::any_env>());
        constexpr bool fits = detail::has_slots<slots, signatures>;
        static_assert(fits,
                      "coex: any_sender_of: the sender that is put into it can complete in a way that is not among "
                      "those listed, nor converted to one without exceptions; list it, or change it before, as by "
                      "upon_error, upon_stopped or then");
        if constexpr (fits) {
            return detail::recycling_new<detail::concrete_sender<bare, slots>>(std::in_place,
                                                                               std::forward<Sender>(sender));
        } else {
            return nullptr;
        }
    }

    detail::owned<detail::erased_sender<slots>, detail::destroy_erased> sender_;
};

}  // namespace coex::inline v0
