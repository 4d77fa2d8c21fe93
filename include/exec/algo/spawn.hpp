#pragma once

#include <exec/algo/pack.hpp>
#include <exec/algo/scope_token.hpp>
#include <exec/algo/spawn_memory.hpp>
#include <exec/algo/spawn_place.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/vocab/as_exception.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/work_item.hpp>

#include <concepts>
#include <source_location>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// The environment of spawned work: what the caller gave, the allocator if that came with the sender, and a place.
template <class Env, class Allocator>
[[nodiscard]] auto spawn_env(Env&& given, const Allocator& allocator) {
    using bare = std::remove_cvref_t<Env>;
    if constexpr (!answers<bare, get_allocator_t> && !is_recycling<Allocator>) {
        using with_allocator = env<prop<get_allocator_t, Allocator>, bare>;
        return spawn_env(with_allocator(prop(get_allocator, allocator), bare(std::forward<Env>(given))), allocator);
    } else if constexpr (has_start_scheduler<bare>) {
        return bare(std::forward<Env>(given));
    } else {
        return env<bare, spawn_place>(bare(std::forward<Env>(given)), spawn_place());
    }
}

template <class Env, class Allocator>
using spawn_env_t = decltype(spawn_env(std::declval<Env>(), std::declval<const Allocator&>()));

/// Starts an operation as its spawner should: at once, on the calling thread. Only a coex task, or an input/output
/// operation, is handed to its place first when the calling thread does not belong to that.
template <bool MayHop>
class spawn_start {
protected:
    template <class Env, class Operation>
    void start_at_place(const Env&, Operation& operation) noexcept {
        coex::start(operation);
    }
};

template <>
class spawn_start<true> : work_item {
protected:
    spawn_start() noexcept : work_item(nullptr) {}
    ~spawn_start() = default;

    template <class Env, class Operation>
    void start_at_place(const Env& env, Operation& operation) noexcept {
        execution_context& place = start_context_of(env);
        if (pool_of_this_thread() == &place) return coex::start(operation);
        operation_ = &operation;
        run = [](work_item* item) noexcept {
            coex::start(*static_cast<Operation*>(static_cast<spawn_start*>(item)->operation_));
        };
        place.submit(this);
    }

private:
    void* operation_ = nullptr;
};

/// A value or an rvalue as a value, an lvalue as it is.
template <class T>
using held_t = std::conditional_t<std::is_lvalue_reference_v<T>, T, std::remove_reference_t<T>>;

template <class Signatures>
inline constexpr bool only_sends_nothing = false;
template <class... Signatures>
inline constexpr bool only_sends_nothing<completion_signatures<Signatures...>> =
    ((!is_completion_of<set_value_t, Signatures> || std::is_same_v<Signatures, set_value_t()>) && ...);

/// A piece of spawned work: owns itself.
template <class Sender, class Token, class Env, class Allocator, bool MayHop>
class spawned : spawn_start<MayHop> {
    class receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit receiver(spawned& state) noexcept : state_(&state) {}
        void set_value() && noexcept { state_->finish(); }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            static_assert(takes_exceptions<association_of<Token>>,
                          "coex: spawn: this work can fail, and the scope of this token has nobody who would learn of "
                          "it; handle the error before (upon_error, let_error), or use coex::counting_scope, whose "
                          "join() rethrows it");
            if constexpr (takes_exceptions<association_of<Token>>) {
                state_->association_.fail(as_exception(std::forward<Error>(error)));
            }
            state_->finish();
        }
        void set_stopped() && noexcept { state_->finish(); }
        [[nodiscard]] const Env& get_env() const noexcept { return state_->env_; }

    private:
        spawned* state_;
    };

public:
    spawned(Sender&& sender, Env&& env, const Allocator& allocator)
        : allocator_(allocator),
          env_(std::move(env)),
          operation_(connect(std::forward<Sender>(sender), receiver(*this))) {}

    /// LIFETIME: *this may be gone when this returns.
    void run(const Token& token, const std::source_location& where) noexcept {
        association_ = associate_at(token, where);
        if (association_) {
            this->start_at_place(env_, operation_);
        } else {
            finish();
        }
    }

private:
    void finish() noexcept {
        // The association goes last: after it the scope, and the memory's owner, may be gone.
        const association_of<Token> association = std::move(association_);
        allocator_delete(Allocator(allocator_), this);
    }

    [[no_unique_address]] Allocator allocator_;
    [[no_unique_address]] Env env_;
    association_of<Token> association_;
    connect_result_t<Sender, receiver> operation_;
};

}  // namespace detail

/// Starts work that nobody awaits by itself: `spawn(session(std::move(peer)), scope.get_token())`. What
/// `token.wrap(work)` completes with is dropped, but for an exception, which the scope's `join()` rethrows. Does
/// nothing when the scope is closed.
///
/// *Where it starts.* As in C++26 the sender is started inside this call. Where it asks its environment for a scheduler
/// it finds that of `environment`, or else that of the pool whose worker calls, or else `default_pool()`. A coex task
/// or operation starts on that very place: from elsewhere it is handed over.
///
/// `work` must complete with no values. `environment` may have a scheduler, a stop token and an allocator.
///
/// Errors:      std::bad_alloc; what connecting and keeping `environment` throw. Then nothing was started.
/// Cancel:      by the scope (`counting_scope::request_stop()`), or a stop token of `environment`.
/// Complexity:  one allocation: by `get_allocator` of `environment`, or of the sender, or from recycled memory.
inline constexpr struct spawn_t {
    template <sender Sender, scope_token Token, detail::movable_value Env = env<>>
    void operator()(Sender&& work, Token token, Env&& environment = {},
                    std::source_location where = std::source_location::current()) const {
        using wrapped = detail::held_t<decltype(token.wrap(std::forward<Sender>(work)))>;
        wrapped&& child = token.wrap(std::forward<Sender>(work));
        const auto allocator = detail::spawn_allocator(environment, get_env(child));
        using allocator_type = std::remove_const_t<decltype(allocator)>;
        using environment_type = detail::spawn_env_t<Env, allocator_type>;
        using signatures = decltype(get_completion_signatures<wrapped, environment_type>());
        static_assert(detail::only_sends_nothing<signatures>,
                      "coex: spawn: this work completes with values, which nobody would get; drop them by "
                      "then([](auto&&...) {}), or use spawn_future, which keeps them");
        if constexpr (detail::only_sends_nothing<signatures>) {
            using state = detail::spawned<wrapped, Token, environment_type, allocator_type,
                                          detail::task_awaitable<std::remove_cvref_t<Sender>>>;
            detail::allocator_new<state>(allocator, std::forward<wrapped>(child),
                                         detail::spawn_env(std::forward<Env>(environment), allocator), allocator)
                ->run(token, where);
        }
    }
} spawn{};

}  // namespace coex::inline v0
