#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task_env.hpp>
#include <exec/coro/task_result.hpp>
#include <exec/vocab/as_exception.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// Lets a coroutine wait for one operation that completes once, on any thread, perhaps before `start()` returns.
///
/// **The meeting** [C2]. What completes on the starting thread during the start only sets a flag. Otherwise the
/// completion and the end of the start each exchange `meeting_`, and the second to arrive continues the coroutine: so
/// it is continued once, and sees all that the operation wrote.
class sender_wait {
public:
    sender_wait(const sender_wait&) = delete;
    sender_wait& operator=(const sender_wait&) = delete;

    [[nodiscard]] coroutine_base& coroutine() const noexcept { return *coroutine_; }

protected:
    explicit sender_wait(coroutine_base& coroutine) noexcept : coroutine_(&coroutine) {}
    ~sender_wait() = default;

    /// To be called before the operation is started.
    void begin() noexcept;
    /// To be called once it was. Returns true when the coroutine stays suspended (or is being unwound).
    [[nodiscard]] bool stays_suspended() noexcept;
    /// The completion. `at_home`: it comes on a thread of the coroutine's own context. LIFETIME: *this may be gone when
    /// this returns.
    void complete(outcome ending, bool at_home) noexcept;

    outcome ending_ = outcome::none;  // OWNER: the completion, then the coroutine

private:
    enum class meeting : unsigned char { nobody, coroutine_waits, completed };

    coroutine_base* coroutine_;
    const void* starter_ = nullptr;  // the thread that starts the operation; does not change once it has begun
    bool starting_ = false;          // OWNER: the starting thread
    std::atomic<meeting> meeting_{meeting::nobody};
};

/// What `co_await sender` gives: nothing, the value, or a tuple of the values.
template <class... Values>
struct awaited_values {
    using type = std::tuple<std::decay_t<Values>...>;
};
template <class Value>
struct awaited_values<Value> {
    using type = std::decay_t<Value>;
};
template <>
struct awaited_values<> {
    using type = void;
};

template <class Signatures>
struct awaited_value {
    using type = void;  // never completes with values
};
template <class... Values, class... Others>
struct awaited_value<completion_signatures<set_value_t(Values...), Others...>> : awaited_values<Values...> {};
template <class First, class... Others>
struct awaited_value<completion_signatures<First, Others...>> : awaited_value<completion_signatures<Others...>> {};

template <class T>
concept single_sender = sender_in<T, task_env> && count_of<set_value_t, completion_signatures_of_t<T, task_env>> <= 1;

/// True when a sender says that it completes with values on the scheduler of its environment.
template <class Sender, class Env>
[[nodiscard]] bool completes_at_home(const Sender& sender, const Env& env) noexcept {
    if constexpr (requires {
                      {
                          get_completion_scheduler<set_value_t>(get_env(sender), env)
                      } -> std::same_as<context_scheduler>;
                  }) {
        return get_completion_scheduler<set_value_t>(get_env(sender), env) == get_start_scheduler(env);
    } else {
        return false;
    }
}

/// Awaits a sender in a coex coroutine, which resumes where it was. An error is thrown, a stop unwinds the coroutine.
/// `Env` is the environment that the coroutine gives to what it awaits.
template <class Sender, class Env = task_env>
class sender_awaiter : sender_wait {
    using signatures = decltype(get_completion_signatures<Sender, Env>());
    static_assert(
        are_signatures<signatures>,
        "coex: it is not known how this sender completes in a task: give it `static consteval auto "
        "get_completion_signatures<Self, Env>()` that returns coex::completion_signatures<...>{}, or a member "
        "type completion_signatures");
    static_assert(count_of<set_value_t, signatures> <= 1,
                  "coex: this sender can complete with different kinds of values, so co_await has no one type to give; "
                  "await into_variant(sender) instead");
    using value = typename awaited_value<signatures>::type;

    class receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit receiver(sender_awaiter& awaiter) noexcept : awaiter_(&awaiter) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            awaiter_->store(std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            awaiter_->result_.fail(as_exception(std::forward<Error>(error)));
            awaiter_->finish(outcome::error, false);
        }
        void set_stopped() && noexcept { awaiter_->finish(outcome::stopped, false); }
        [[nodiscard]] Env get_env() const noexcept { return Env(awaiter_->coroutine()); }

    private:
        sender_awaiter* awaiter_;
    };

public:
    sender_awaiter(Sender&& sender, coroutine_base& coroutine)
        : sender_wait(coroutine),
          at_home_(completes_at_home(sender, Env(coroutine))),
          operation_(connect(std::forward<Sender>(sender), receiver(*this))) {}

    [[nodiscard]] bool await_ready() noexcept {
        if constexpr (completes_inline<Sender>) {
            start(operation_);
            return ending_ != outcome::stopped;
        } else {
            return false;
        }
    }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise>) noexcept {
        if constexpr (completes_inline<Sender>) {
            coroutine().unwind_here();
            return true;
        } else {
            begin();
            start(operation_);
            return stays_suspended();
        }
    }
    value await_resume() { return result_.take(); }

private:
    void finish(outcome ending, bool at_home) noexcept {
        if constexpr (completes_inline<Sender>) {
            ending_ = ending;
        } else {
            complete(ending, at_home);
        }
    }

    template <class... Values>
    void store(Values&&... values) noexcept {
        if constexpr (std::is_void_v<value>) {
            finish(outcome::value, at_home_);
        } else {
            outcome ending = outcome::value;
            if constexpr (std::is_nothrow_constructible_v<value, Values...>) {
                result_.emplace(std::forward<Values>(values)...);
            } else {
                COEX_TRY {
                    result_.emplace(std::forward<Values>(values)...);
                }
                COEX_CATCH(...) {
                    result_.unhandled_exception();
                    ending = outcome::error;
                }
            }
            finish(ending, at_home_);
        }
    }

    task_result<value> result_;
    bool at_home_;
    connect_result_t<Sender, receiver> operation_;
};

}  // namespace coex::inline v0::detail
