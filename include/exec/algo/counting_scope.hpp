#pragma once

#include <exec/algo/scope_state.hpp>
#include <exec/algo/scope_token.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/stop_with.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>

#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class Receiver>
class join_operation : scope_state::joiner {
    class arrival_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit arrival_receiver(join_operation& operation) noexcept : operation_(&operation) {}
        void set_value() && noexcept { operation_->complete(); }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            coex::set_error(std::move(operation_->receiver_), std::forward<Error>(error));
        }
        void set_stopped() && noexcept { coex::set_stopped(std::move(operation_->receiver_)); }
        [[nodiscard]] forwarded_t<env_of_t<const Receiver&>> get_env() const noexcept {
            return forward_env_of(operation_->receiver_);
        }

    private:
        join_operation* operation_;
    };

public:
    using operation_state_concept = operation_state_tag;

    join_operation(scope_state& scope, Receiver&& receiver)
        : joiner(&join_operation::on_joined),
          scope_(&scope),
          receiver_(std::move(receiver)),
          arrival_(connect(schedule(start_scheduler_of(coex::get_env(receiver_))), arrival_receiver(*this))) {}

    void start() & noexcept {
        // LIFETIME: unless it returns true, *this may be gone.
        if (scope_->join(*this)) complete();
    }

private:
    using place = decltype(start_scheduler_of(std::declval<env_of_t<const Receiver&>>()));

    static void on_joined(joiner* self) noexcept { coex::start(static_cast<join_operation*>(self)->arrival_); }

    void complete() noexcept {
        if (scope_->error() != nullptr) {
            coex::set_error(std::move(receiver_), std::exception_ptr(scope_->error()));
        } else {
            coex::set_value(std::move(receiver_));
        }
    }

    scope_state* scope_;
    [[no_unique_address]] Receiver receiver_;
    connect_result_t<schedule_result_t<place>, arrival_receiver> arrival_;
};

class join_sender {
public:
    using sender_concept = sender_tag;

    explicit join_sender(scope_state& scope) noexcept : scope_(&scope) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        constexpr bool has_place = has_start_scheduler<Env>;
        static_assert(has_place,
                      "coex: join() of a scope completes on the scheduler of whoever waits for it, and the receiver's "
                      "environment has none; await it in a task or with sync_wait, or use starts_on(scheduler, "
                      "scope.join())");
        if constexpr (has_place) {
            using place = decltype(start_scheduler_of(std::declval<Env>()));
            using arrival = decltype(coex::get_completion_signatures<schedule_result_t<place>, forwarded_t<Env>>());
            return mapped_t<arrival, arrival_map, set_value_t(), set_error_t(std::exception_ptr)>{};
        }
    }

    template <receiver Receiver>
    [[nodiscard]] join_operation<Receiver> connect(Receiver receiver) const {
        return {*scope_, std::move(receiver)};
    }

    [[nodiscard]] static constexpr inline_attributes get_env() noexcept { return {}; }

private:
    scope_state* scope_;
};

}  // namespace detail

/// Counts pieces of work whose results nobody awaits one by one, so that their end can be awaited. As C++26
/// `std::execution::simple_counting_scope`, but for failing work: here it may fail, and `join()` rethrows its first
/// exception.
///
/// Work is put into it by `spawn`, `spawn_future` and `associate`, with the scope's token.
///
/// Thread-safe: yes, all but the destructor.
/// Lifetime:    once it had work it must be joined before it goes: the destructor aborts otherwise, and says how much
///              work is alive (and, when coex was built without NDEBUG, where it was spawned).
class simple_counting_scope {
public:
    class token;

    simple_counting_scope() noexcept : state_("simple_counting_scope") {}
    simple_counting_scope(const simple_counting_scope&) = delete;
    simple_counting_scope& operator=(const simple_counting_scope&) = delete;

    static constexpr std::size_t max_associations = detail::scope_state::max_associations;

    [[nodiscard]] token get_token() noexcept;

    /// From now on no work is let in.
    void close() noexcept { state_.close(); }

    /// Completes: when the scope has no work left; until then work is let in, unless the scope is closed. At once when
    ///            it has none; otherwise on the start scheduler of the receiver. Afterwards none is let in.
    /// Errors:    the first exception, in time, of spawned work.
    /// Cancel:    not by itself: ask the work to stop.
    [[nodiscard]] detail::join_sender join() noexcept { return detail::join_sender(state_); }

private:
    detail::scope_state state_;
};

class simple_counting_scope::token {
public:
    template <sender Sender>
    [[nodiscard]] Sender&& wrap(Sender&& sender) const noexcept {
        return std::forward<Sender>(sender);
    }
    [[nodiscard]] detail::counted_association try_associate(
        std::source_location where = std::source_location::current()) const noexcept {
        return detail::counted_association::of(scope_, where);
    }

private:
    friend simple_counting_scope;
    explicit token(detail::scope_state& scope) noexcept : scope_(&scope) {}

    detail::scope_state* scope_;
};

inline simple_counting_scope::token simple_counting_scope::get_token() noexcept {
    return token(state_);
}

/// The same with a stop source: `request_stop()` asks all its work to stop. As C++26 `std::execution::counting_scope`.
///
/// Thread-safe, Lifetime: as simple_counting_scope.
class counting_scope {
public:
    class token;

    counting_scope() noexcept : state_("counting_scope") {}
    counting_scope(const counting_scope&) = delete;
    counting_scope& operator=(const counting_scope&) = delete;

    static constexpr std::size_t max_associations = detail::scope_state::max_associations;

    [[nodiscard]] token get_token() noexcept;

    /// From now on no work is let in.
    void close() noexcept { state_.close(); }

    /// Asks all work to stop, also what comes later.
    void request_stop() noexcept { source_.request_stop(); }

    /// As simple_counting_scope::join().
    [[nodiscard]] detail::join_sender join() noexcept { return detail::join_sender(state_); }

private:
    inplace_stop_source source_;
    detail::scope_state state_;
};

class counting_scope::token {
public:
    template <sender Sender>
    [[nodiscard]] auto wrap(Sender&& sender) const {
        return detail::stop_with_sender<std::remove_cvref_t<Sender>>(std::forward<Sender>(sender),
                                                                     scope_->source_.get_token());
    }
    [[nodiscard]] detail::counted_association try_associate(
        std::source_location where = std::source_location::current()) const noexcept {
        return detail::counted_association::of(&scope_->state_, where);
    }

private:
    friend counting_scope;
    explicit token(counting_scope& scope) noexcept : scope_(&scope) {}

    counting_scope* scope_;
};

inline counting_scope::token counting_scope::get_token() noexcept {
    return token(*this);
}

}  // namespace coex::inline v0
