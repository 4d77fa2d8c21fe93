#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_link.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// The promise of an operation that plays a coroutine's part: awaiters suspend it, and resume or unwind it.
class operation_promise final : public coroutine_base, public completion, public completion::waiter {
public:
    using stopped_function = void(operation_promise&) noexcept;

    explicit operation_promise(stopped_function* stopped) noexcept
        : completion(static_cast<completion::waiter&>(*this)),
          completion::waiter(&operation_promise::on_stopped),
          stopped_(stopped) {}

    /// Takes the place and the token. From now on it counts as suspended in earnest: whatever continues it must not
    /// suppose that its await_suspend is on the stack.
    void begin(execution_context& context, inplace_stop_token token) noexcept {
        settle(context, token, *this);
        detach();
    }

private:
    static coroutine_base* on_stopped(completion* self, coroutine_base&, outcome) noexcept {
        auto& promise = static_cast<operation_promise&>(*self);
        promise.stopped_(promise);
        return nullptr;
    }

    stopped_function* stopped_;
};

/// The head of a coroutine frame as g++ and clang lay it out: what to call to resume, what to destroy, the promise. An
/// operation state that begins like this can be resumed through a coroutine handle, and needs no frame of its own.
struct operation_frame {
    using function = void(void*) noexcept;

    operation_frame(function* on_resume, operation_promise::stopped_function* on_stopped) noexcept
        : resume(on_resume), destroy(&operation_frame::never), promise(on_stopped) {}
    operation_frame(const operation_frame&) = delete;
    operation_frame& operator=(const operation_frame&) = delete;

    [[nodiscard]] static operation_frame& of(operation_promise& promise) noexcept {
        return *static_cast<operation_frame*>(
            std::coroutine_handle<operation_promise>::from_promise(promise).address());
    }
    static void never(void*) noexcept { std::terminate(); }  // nobody owns it through its handle

    function* resume;
    function* destroy;
    operation_promise promise;
};
static_assert(alignof(operation_promise) == alignof(coroutine_base), "the handle is found from the base's address");

/// A scheduler of an execution context, which coroutines need to know where they are.
template <class Scheduler>
concept has_context = requires(const Scheduler& scheduler) {
    { scheduler.context() } -> std::convertible_to<execution_context&>;
};

template <class Env>
[[nodiscard]] execution_context& start_context_of(const Env& env) noexcept {
    constexpr bool known = requires { requires has_context<decltype(start_scheduler_of(env))>; };
    static_assert(
        known,
        "coex: a task or operation is started as a sender, but its receiver's environment does not say on which "
        "execution context: it has no get_start_scheduler or get_scheduler of a coex context. Run it with "
        "sync_wait or starts_on(scheduler, ...), or add write_env(..., prop(get_scheduler, scheduler))");
    if constexpr (known) return start_scheduler_of(env).context();
}

/// The values of a tuple that were awaited in one piece and are sent one by one.
template <class Awaitable>
inline constexpr bool sends_tuple_apart = requires { requires Awaitable::sends_tuple_apart; };

template <class Result, bool Apart>
struct sent_values : value_signature<Result> {};
template <class... Values>
struct sent_values<std::tuple<Values...>, true> {
    using type = set_value_t(Values...);
};

/// Awaits an awaitable for a receiver. It starts where the receiver's environment says, and completes there.
template <class Awaitable, class Receiver>
class awaiter_operation : operation_frame {
public:
    using operation_state_concept = operation_state_tag;

    awaiter_operation(Awaitable&& awaitable, Receiver&& receiver)
        : operation_frame(&awaiter_operation::resumed, &awaiter_operation::stopped),
          receiver_(std::move(receiver)),
          awaiter_(std::move(awaitable).operator co_await()) {}

    void start() & noexcept {
        const auto& env = get_env(receiver_);
        promise.begin(start_context_of(env), token_.adapt(get_stop_token(env)));
        COEX_TRY {
            if (awaiter_.await_ready() || !suspend()) finish();
            // LIFETIME: once suspended, the operation may have completed, and be gone.
        }
        COEX_CATCH(...) {
            fail();
        }
    }

private:
    using awaiter = awaiter_of<Awaitable>;
    using result = decltype(std::declval<awaiter&>().await_resume());

    bool suspend() {
        const auto handle = std::coroutine_handle<operation_promise>::from_promise(promise);
        if constexpr (std::is_void_v<decltype(awaiter_.await_suspend(handle))>) {
            awaiter_.await_suspend(handle);
            return true;
        } else {
            return awaiter_.await_suspend(handle);
        }
    }

    static void resumed(void* frame) noexcept {
        static_cast<awaiter_operation&>(*static_cast<operation_frame*>(frame)).finish();
    }
    static void stopped(operation_promise& promise) noexcept {
        auto& self = static_cast<awaiter_operation&>(operation_frame::of(promise));
        self.token_.release();
        set_stopped(std::move(self.receiver_));
    }

    void finish() noexcept {
        token_.release();
        // Awaiters that would rethrow tell the error instead: that costs less, and works without exceptions.
        if constexpr (requires { awaiter_.failure(); }) {
            if (auto error = awaiter_.failure()) return set_error(std::move(receiver_), taken(error));
        }
        COEX_TRY {
            if constexpr (requires { awaiter_.await_result(); }) {
                send(awaiter_.await_result());
            } else if constexpr (std::is_void_v<result>) {
                awaiter_.await_resume();
                set_value(std::move(receiver_));
            } else if constexpr (sends_tuple_apart<Awaitable>) {
                std::apply(
                    [this](auto&&... values) {
                        set_value(std::move(receiver_), std::forward<decltype(values)>(values)...);
                    },
                    awaiter_.await_resume());
            } else {
                set_value(std::move(receiver_), awaiter_.await_resume());
            }
        }
        COEX_CATCH(...) {
            fail();
        }
    }
    static std::exception_ptr&& taken(std::exception_ptr* error) noexcept { return std::move(*error); }
    static std::exception_ptr&& taken(std::exception_ptr& error) noexcept { return std::move(error); }

    template <class Ended>
    void send(Ended ended) {
        if (ended.has_error()) return set_error(std::move(receiver_), ended.error());
        if constexpr (std::is_void_v<result>) {
            set_value(std::move(receiver_));
        } else {
            set_value(std::move(receiver_), *std::move(ended));
        }
    }
    void fail() noexcept {
        token_.release();
        set_error(std::move(receiver_), std::current_exception());
    }

    [[no_unique_address]] Receiver receiver_;
    [[no_unique_address]] stop_adapter<stop_token_of_t<env_of_t<Receiver>>> token_;
    awaiter awaiter_;
};

/// Makes a sender of a class that has `operator co_await() &&`. Derive `T` from `awaitable_sender<T>`.
template <class T>
class awaitable_sender {
public:
    using sender_concept = sender_tag;

    template <class Self, class... Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using result = decltype(std::declval<awaiter_of<T>&>().await_resume());
        return completion_signatures<typename sent_values<result, sends_tuple_apart<T>>::type,
                                     set_error_t(std::exception_ptr), set_stopped_t()>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return awaiter_operation<T, Receiver>(static_cast<T&&>(*this), std::move(receiver));
    }

    [[nodiscard]] static constexpr inline_attributes get_env() noexcept { return {}; }

protected:
    awaitable_sender() = default;
    ~awaitable_sender() = default;
    awaitable_sender(const awaitable_sender&) = default;
    awaitable_sender& operator=(const awaitable_sender&) = default;
};

}  // namespace coex::inline v0::detail
