#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/config.hpp>
#include <exec/coro/allocated_frame.hpp>
#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/awaiting.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/environment_traits.hpp>
#include <exec/coro/frame_layout.hpp>
#include <exec/coro/result_completion.hpp>
#include <exec/coro/sender_awaiter.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/with_error.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_link.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class T, class Environment>
class environment_promise;

/// The environment of what such a task awaits: its place, its stop token, its allocator, and the answers that its
/// Environment gives to forwarding queries.
template <class T, class Environment>
class environment_task_env {
    using traits = environment_traits<Environment>;

public:
    explicit environment_task_env(const coroutine_base& coroutine) noexcept
        : promise_(static_cast<const environment_promise<T, Environment>*>(&coroutine)) {}

    [[nodiscard]] typename traits::stop_token_type query(get_stop_token_t) const noexcept {
        if constexpr (traits::has_own_stop_source) {
            return promise_->state().stop.get_token();
        } else {
            return promise_->stop_token();
        }
    }
    [[nodiscard]] typename traits::start_scheduler_type query(get_scheduler_t) const noexcept {
        return traits::scheduler_of(promise_->context());
    }
    [[nodiscard]] typename traits::start_scheduler_type query(get_start_scheduler_t) const noexcept {
        return traits::scheduler_of(promise_->context());
    }
    [[nodiscard]] typename traits::allocator_type query(get_allocator_t) const noexcept {
        return promise_->allocator();
    }
    template <class Query, class... Args>
        requires(is_forwarded<Query> && answers<Environment, Query, Args...>)
    [[nodiscard]] decltype(auto) query(Query query, Args&&... args) const noexcept {
        return std::as_const(promise_->state().environment).query(query, std::forward<Args>(args)...);
    }

private:
    const environment_promise<T, Environment>* promise_;
};

template <class T, class Environment>
class environment_promise final : public waiting_promise<T>,
                                  public allocated_frame<typename environment_traits<Environment>::allocator_type> {
    using traits = environment_traits<Environment>;
    using frame = allocated_frame<typename traits::allocator_type>;
    using own_env = environment_task_env<T, Environment>;

public:
    template <class... Args>
    explicit environment_promise(const Args&... args) noexcept
        : allocator_(allocator_among<typename traits::allocator_type>(args...)) {}

    [[nodiscard]] task<T, Environment> get_return_object() noexcept;
    [[nodiscard]] static std::suspend_always initial_suspend() noexcept { return {}; }

    void unhandled_exception() noexcept {
        if constexpr (traits::template sends<std::exception_ptr>) {
            this->fail(std::current_exception());
        } else {
            std::terminate();  // as the standard says of a task whose error_types list no exception_ptr
        }
    }

    template <class Error>
    [[nodiscard]] end_awaiter yield_value(with_error<Error> given) {
        static_assert(traits::template sends<typename with_error<Error>::type>,
                      "coex: task: the type of error that co_yield with_error(...) ends this task with is not in the "
                      "error_types of its Environment; add set_error_t(E) there, or convert the error");
        if constexpr (std::same_as<typename with_error<Error>::type, std::exception_ptr>) {
            this->fail(std::move(given.error));
        } else if constexpr (traits::template sends<typename with_error<Error>::type>) {
            state_->error.emplace(std::move(given.error));
            this->fail(nullptr);
        }
        return {};
    }

    template <class Awaited>
    [[nodiscard]] auto await_transform(Awaited&& awaited) {
        if constexpr (requires { std::forward<Awaited>(awaited).awaiter_in(*this); }) {
            return std::forward<Awaited>(awaited).awaiter_in(*this);
        } else if constexpr (awaited_sender<Awaited>) {
            return sender_awaiter<Awaited, own_env>(std::forward<Awaited>(awaited), *this);
        } else if constexpr (adapted_sender<Awaited>) {
            return sender_awaiter<adapted_t<Awaited>, own_env>(
                sender_adaptor<std::remove_cvref_t<Awaited>>::adapt(std::forward<Awaited>(awaited)), *this);
        } else {
            return make_awaiter(std::forward<Awaited>(awaited), *this);
        }
    }

    using frame::operator new;
    using frame::operator delete;

    /// Before the task is started: what its waiter keeps for it.
    void attach(environment_state<Environment>& state) noexcept { state_ = &state; }
    [[nodiscard]] const environment_state<Environment>& state() const noexcept { return *state_; }
    [[nodiscard]] const typename traits::allocator_type& allocator() const noexcept { return allocator_; }
    [[nodiscard]] own_env get_env() const noexcept { return own_env(*this); }

private:
    [[no_unique_address]] typename traits::allocator_type allocator_;
    environment_state<Environment>* state_ = nullptr;
};

/// Waits for such a task in the place of a coroutine, and lets its result be taken without being thrown.
template <class T>
class environment_task_wait : public result_completion<T>, task_waiter {
public:
    template <class Promise>
    explicit environment_task_wait(std::coroutine_handle<Promise> child) noexcept
        : result_completion<T>(static_cast<task_waiter&>(*this)),
          task_waiter(child, nullptr),
          child_(child.promise()) {}

    /// Returns true when the task has ended with a value or an error. Otherwise `parent` is resumed later, or unwound.
    [[nodiscard]] bool run(coroutine_base& parent) noexcept {
        set_parent(parent);
        return start(child_, *this) || !wait(*this);
    }

private:
    coroutine_base& child_;
};

/// A task with an environment of its own, connected to a receiver. It starts where the receiver's environment says, and
/// completes there.
template <class T, class Environment, class Receiver>
class environment_task_operation : operation_frame {
    using traits = environment_traits<Environment>;
    using receiver_env = env_of_t<Receiver>;
    using own_env = typename traits::template own_env<receiver_env>;

public:
    using operation_state_concept = operation_state_tag;

    /// Takes the child when all else is made: what making the Environment throws leaves it with the task.
    environment_task_operation(std::coroutine_handle<environment_promise<T, Environment>>& child, Receiver&& receiver)
        : operation_frame(&environment_task_operation::resumed, &environment_task_operation::stopped),
          receiver_(std::move(receiver)),
          own_env_(traits::template make_own_env<receiver_env>(get_env(receiver_))),
          state_(own_env_, get_env(receiver_)),
          child_(child.promise()),
          wait_(std::exchange(child, nullptr)) {}

    void start() & noexcept {
        const auto& env = get_env(receiver_);
        inplace_stop_token token = token_.adapt(get_stop_token(env));
        if constexpr (unstoppable_token<typename traits::stop_token_type>) token = {};
        promise.begin(start_context_of(env), token);
        state_.stop.link(token);
        child_.attach(state_);
        if (wait_.run(promise)) finish();
        // LIFETIME: otherwise the task may have ended by now, and the operation be gone.
    }

private:
    static environment_task_operation& of(operation_promise& promise) noexcept {
        return static_cast<environment_task_operation&>(operation_frame::of(promise));
    }
    static void resumed(void* frame) noexcept {
        static_cast<environment_task_operation&>(*static_cast<operation_frame*>(frame)).finish();
    }
    static void stopped(operation_promise& promise) noexcept {
        of(promise).unlink();
        set_stopped(std::move(of(promise).receiver_));
    }
    void unlink() noexcept {
        state_.stop.unlink();
        token_.release();
    }

    void finish() noexcept {
        unlink();
        if (wait_.known_ending() == outcome::error) {
            if (state_.error.send_to(receiver_)) return;
            if constexpr (traits::template sends<std::exception_ptr>)
                set_error(std::move(receiver_), std::move(wait_.held_error()));
        } else if constexpr (std::is_void_v<T>) {
            set_value(std::move(receiver_));
        } else {
            set_value(std::move(receiver_), wait_.held_value());
        }
    }

    [[no_unique_address]] Receiver receiver_;
    [[no_unique_address]] stop_adapter<stop_token_of_t<receiver_env>> token_;
    [[no_unique_address]] own_env own_env_;
    environment_state<Environment> state_;
    environment_promise<T, Environment>& child_;
    environment_task_wait<T> wait_;
};

template <class T, class Errors>
struct task_signatures;
template <class T, class... Errors>
struct task_signatures<T, completion_signatures<Errors...>> {
    using type = completion_signatures<value_signature_t<T>, Errors..., set_stopped_t()>;
};

}  // namespace detail

/// A task whose Environment says how it deals with its surroundings, as C++26 `std::execution::task<T, Environment>`.
/// All members of the class Environment are optional:
///
/// - `allocator_type`: of what the coroutine's frame is allocated, by the allocator that follows std::allocator_arg
///   among the coroutine's parameters, or by a default one. What the task awaits is told it by get_allocator.
/// - `start_scheduler_type` (or `scheduler_type`, which counts where the other is missing): as what the task's place is
///   told to what it awaits. It must be constructible from a context_scheduler: a task's place is always an execution
///   context of coex.
/// - `stop_source_type`: whose token is told to senders that the task awaits.
/// - `error_types`: completion_signatures of set_error_t; what `co_yield with_error(e)` may be given. An exception that
///   leaves a task whose error_types have no exception_ptr terminates the program.
/// - `query(q, args...) const noexcept`: the answer to the forwarding query `q` of what the task awaits.
/// - `env_type<Env>`: made of the environment of the task's receiver, which is of the type Env. Environment is made of
///   that, or of the receiver's environment itself, or of nothing: the first that it can be made of.
///
/// It is a sender, and awaited as such: typed errors are thrown where it is awaited, and sent where it is connected.
/// Connecting or awaiting it throws what making the Environment throws.
/// Place, cancellation and lifetime: as `task<T>`, which costs less: it has no environment, and its waiter nothing to
/// keep for it.
template <class T, class Environment>
class [[nodiscard]] COEX_TRIVIAL_ABI task {
    using traits = detail::environment_traits<Environment>;

public:
    using sender_concept = sender_tag;
    using promise_type = detail::environment_promise<T, Environment>;
    using value_type = T;
    using allocator_type = typename traits::allocator_type;
    using start_scheduler_type = typename traits::start_scheduler_type;
    using scheduler_type = start_scheduler_type;
    using stop_source_type = typename traits::stop_source_type;
    using stop_token_type = typename traits::stop_token_type;
    using error_types = typename traits::error_types;

    task(task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        task(std::move(other)).swap(*this);
        return *this;
    }
    ~task() {
        if (coroutine_) coroutine_.destroy();
    }

    /// False after the task was moved from or connected.
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(coroutine_); }

    void swap(task& other) noexcept { std::swap(coroutine_, other.coroutine_); }

    template <class Self, class... Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return typename detail::task_signatures<T, error_types>::type{};
    }
    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        COEX_REQUIRE(coroutine_, "task: connected twice, or after it was moved from; a task runs once");
        return detail::environment_task_operation<T, Environment, Receiver>(coroutine_, std::move(receiver));
    }
    [[nodiscard]] static constexpr detail::inline_attributes get_env() noexcept { return {}; }

private:
    friend promise_type;
    explicit task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

    std::coroutine_handle<promise_type> coroutine_;
};

template <class T, class Environment>
task<T, Environment> detail::environment_promise<T, Environment>::get_return_object() noexcept {
    static_assert(alignof(environment_promise) == alignof(coroutine_base),
                  "coex: a task's allocator_type must not be over-aligned");
    require_sound_frame(this->handle());
    return task<T, Environment>(std::coroutine_handle<environment_promise>::from_promise(*this));
}

}  // namespace coex::inline v0
