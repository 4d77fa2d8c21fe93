#pragma once

#include <exec/algo/completion_storage.hpp>
#include <exec/algo/future_state.hpp>
#include <exec/algo/one_of.hpp>
#include <exec/algo/pack.hpp>
#include <exec/algo/scope_token.hpp>
#include <exec/algo/spawn.hpp>
#include <exec/algo/spawn_memory.hpp>
#include <exec/algo/stop_with.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>

#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// A future_state with its result.
template <class Signatures>
class future_result;

template <class... Signatures>
class future_result<completion_signatures<Signatures...>> : public future_state {
public:
    template <class Tag, class... Args>
    void keep(Tag, Args&&... args) noexcept {
        if constexpr ((std::is_nothrow_constructible_v<std::decay_t<Args>, Args> && ...)) {
            place<Tag(std::decay_t<Args>...)>(std::forward<Args>(args)...);
        } else {
            COEX_TRY {
                place<Tag(std::decay_t<Args>...)>(std::forward<Args>(args)...);
            }
            COEX_CATCH(...) {
                place<set_error_t(std::exception_ptr)>(std::current_exception());
            }
        }
    }

    /// LIFETIME: the operation that called this may be gone when it returns.
    template <class Receiver>
    void deliver(Receiver&& receiver) noexcept {
        static_cast<void>((deliver_if<Signatures>(receiver) || ...));
    }

protected:
    explicit future_result(destroy_function* destroy) noexcept : future_state(destroy) {}
    ~future_result() = default;

private:
    template <class Signature>
    [[nodiscard]] static consteval int index_of() {
        int index = 0;
        static_cast<void>(((std::is_same_v<Signature, Signatures> || (++index, false)) || ...));
        return index;
    }

    template <class Signature, class... Args>
    void place(Args&&... args) {
        arguments_.template emplace<typename stored<Signature>::type>(std::in_place, std::forward<Args>(args)...);
        index_ = index_of<Signature>();
    }
    template <class Signature, class Receiver>
    bool deliver_if(Receiver& receiver) noexcept {
        if (index_ != index_of<Signature>()) return false;
        deliver_as(static_cast<Signature*>(nullptr), receiver);
        return true;
    }
    template <class Tag, class... Args, class Receiver>
    void deliver_as(Tag (*)(Args...), Receiver& receiver) noexcept {
        std::move(arguments_.template get<pack<Args...>>()).apply([&receiver](Args&&... args) noexcept {
            Tag()(std::move(receiver), std::move(args)...);
        });
    }

    one_of<typename stored<Signatures>::type..., pack<std::exception_ptr>> arguments_;
    int index_ = -1;
};

/// What a future can complete with: the decayed results, and stopped.
template <class Sender, class Env>
using future_signatures_t = united_t<completion_signatures<set_stopped_t()>,
                                     stored_signatures_t<decltype(get_completion_signatures<Sender, Env>())>>;

/// The work, its result and its association in one block: goes when both the work and the future are done with it.
template <class Sender, class Token, class Env, class Allocator, bool MayHop>
class spawned_future final : public future_result<future_signatures_t<stop_with_sender<Sender>, Env>>,
                             spawn_start<MayHop> {
    using base = future_result<future_signatures_t<stop_with_sender<Sender>, Env>>;

    class receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit receiver(spawned_future& state) noexcept : state_(&state) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            state_->finish(coex::set_value, std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            state_->finish(coex::set_error, std::forward<Error>(error));
        }
        void set_stopped() && noexcept { state_->finish(coex::set_stopped); }
        [[nodiscard]] const Env& get_env() const noexcept { return state_->env_; }

    private:
        spawned_future* state_;
    };

public:
    spawned_future(Sender&& sender, Env&& env, const Allocator& allocator)
        : base(&spawned_future::destroy),
          allocator_(allocator),
          env_(std::move(env)),
          operation_(
              connect(stop_with_sender<Sender>(std::forward<Sender>(sender), this->stop_token()), receiver(*this))) {}

    void run(const Token& token, const std::source_location& where) noexcept {
        association_ = associate_at(token, where);
        if (association_) {
            this->start_at_place(env_, operation_);
        } else {
            finish(coex::set_stopped);
        }
    }

private:
    template <class Tag, class... Args>
    void finish(Tag tag, Args&&... args) noexcept {
        this->keep(tag, std::forward<Args>(args)...);
        this->work_ended();
    }
    static void destroy(future_state* state) noexcept {
        auto* const self = static_cast<spawned_future*>(state);
        // The association goes last: after it the scope, and the memory's owner, may be gone.
        const association_of<Token> association = std::move(self->association_);
        allocator_delete(Allocator(self->allocator_), self);
    }

    [[no_unique_address]] Allocator allocator_;
    [[no_unique_address]] Env env_;
    association_of<Token> association_;
    connect_result_t<stop_with_sender<Sender>, receiver> operation_;
};

template <class Signatures, class Receiver>
class future_operation : future_state::consumer {
public:
    using operation_state_concept = operation_state_tag;

    future_operation(future_handle<future_result<Signatures>>&& future, Receiver&& receiver) noexcept
        : consumer(&future_operation::on_ended), future_(std::move(future)), receiver_(std::move(receiver)) {}

    void start() & noexcept {
        callback_.emplace(get_stop_token(coex::get_env(receiver_)), cancel_request(*this));
        // LIFETIME: when it waits, *this may be gone.
        switch (future_->consume(*this)) {
            case future_state::consumed::waits:
                return;
            case future_state::consumed::ended:
                return deliver();
            case future_state::consumed::cancelled:
                return cancel();
        }
    }

private:
    class cancel_request {
    public:
        explicit cancel_request(future_operation& operation) noexcept : operation_(&operation) {}
        void operator()() const noexcept {
            if (operation_->future_->cancel()) operation_->cancel();
        }

    private:
        future_operation* operation_;
    };

    static void on_ended(consumer* self) noexcept { static_cast<future_operation*>(self)->deliver(); }
    void deliver() noexcept {
        callback_.reset();
        future_->deliver(std::move(receiver_));
    }
    void cancel() noexcept {
        callback_.reset();
        coex::set_stopped(std::move(receiver_));
    }

    future_handle<future_result<Signatures>> future_;
    [[no_unique_address]] Receiver receiver_;
    std::optional<stop_callback_for_t<stop_token_of_t<env_of_t<const Receiver&>>, cancel_request>> callback_;
};

template <class Signatures>
class [[nodiscard]] future_sender {
public:
    using sender_concept = sender_tag;
    using completion_signatures = Signatures;

    explicit future_sender(future_result<Signatures>* state) noexcept : future_(state) {}

    template <receiver Receiver>
    [[nodiscard]] future_operation<Signatures, Receiver> connect(Receiver receiver) && noexcept {
        return {std::move(future_), std::move(receiver)};
    }

private:
    future_handle<future_result<Signatures>> future_;
};

}  // namespace detail

/// Starts work as `spawn` does, and returns a sender that completes with its result, whenever that is asked for. As
/// C++26 `std::execution::spawn_future`.
///
/// Completes: as `work` does; stopped when the scope is closed.
/// Errors:    std::bad_alloc and what connecting throws, out of this call; those of the work and of keeping its result
///            from the sender.
/// Cancel:    a stop request of whoever awaits the sender stops the work, and completes the sender at once as stopped.
///            Destroying the sender stops the work and drops its result, an exception too.
/// Lifetime:  the scope is not joined before the work has ended and the sender, or its operation, is gone.
/// Complexity: one allocation, as `spawn`.
inline constexpr struct spawn_future_t {
    template <sender Sender, scope_token Token, detail::movable_value Env = env<>>
    [[nodiscard]] auto operator()(Sender&& work, Token token, Env&& environment = {},
                                  std::source_location where = std::source_location::current()) const {
        using wrapped = std::remove_cvref_t<decltype(token.wrap(std::forward<Sender>(work)))>;
        wrapped child = token.wrap(std::forward<Sender>(work));
        const auto allocator = detail::spawn_allocator(environment, get_env(child));
        using allocator_type = std::remove_const_t<decltype(allocator)>;
        using environment_type = detail::spawn_env_t<Env, allocator_type>;
        using state = detail::spawned_future<wrapped, Token, environment_type, allocator_type,
                                             detail::task_awaitable<std::remove_cvref_t<Sender>>>;
        using signatures = detail::future_signatures_t<detail::stop_with_sender<wrapped>, environment_type>;
        state* const made = detail::allocator_new<state>(
            allocator, std::move(child), detail::spawn_env(std::forward<Env>(environment), allocator), allocator);
        detail::future_sender<signatures> future(made);
        made->run(token, where);
        return future;
    }
} spawn_future{};

}  // namespace coex::inline v0
