#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/base/recycling.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/result_completion.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/submission.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/read_env.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

class pool_core;

/// An exception that nobody waits for left work of the pool.
void unowned_exception(pool_core& pool, std::exception_ptr error) noexcept;

template <class T>
inline constexpr bool is_pool_task = false;
template <class T>
inline constexpr bool is_pool_task<task<T>> = true;

/// What a function returns that a pool calls with a stop token or without arguments.
template <class Function>
using pool_call_result_t = typename submission_call<Function>::result;

/// A function that makes the task which is to run: `post([&]() -> task<> { ... })`.
template <class Function>
concept makes_task = (std::is_invocable_v<Function&> || std::is_invocable_v<Function&, inplace_stop_token>) &&
                     is_pool_task<pool_call_result_t<Function>>;

/// The task that such a function makes. The function lives as long as it, and so do a lambda's captures.
template <class Function>
pool_call_result_t<Function> call_as_task(Function function) {
    if constexpr (submission_call<Function>::takes_token) {
        inplace_stop_token token = co_await read_env(get_stop_token);
        co_return co_await function(token);
    } else {
        co_return co_await function();
    }
}

/// A task that a pool starts on one of its workers: from its turn on it is like any other coroutine of that pool.
///
/// **The meeting** [P1]. A task that goes on elsewhere may end while the worker that started it is still to look how
/// that went. So both exchange `met_`, and the second one ends this: it sees all that the other wrote, who touches
/// nothing any more.
///
/// OWNER: the worker that starts it and the thread on which the task ends, until they have met.
template <class T>
class pool_task : public work_item, completion::waiter, protected result_completion<T> {
public:
    pool_task(const pool_task&) = delete;
    pool_task& operator=(const pool_task&) = delete;

    static void execute(work_item* item) noexcept {
        auto& self = *static_cast<pool_task*>(item);
        if (self.token().stop_requested()) return self.end(outcome::stopped);
        coroutine_base& child = self.coroutine_.promise();
        const outcome how = child.start_inline(self.place_, self.token(), self);
        if (how == outcome::none) {
            // ORDER: acq_rel; pairs with the exchange in on_ended() [P1]. LIFETIME: unless second, *this may be gone.
            if (self.met_.exchange(true, std::memory_order_acq_rel)) self.end(self.ending);
            return;
        }
        // The frame of one that ended with a value or an error has gone by itself.
        if (how != outcome::stopped) self.coroutine_ = nullptr;
        self.end(how);
    }

protected:
    pool_task(execution_context& place, task<T> work) noexcept
        : work_item(&pool_task::execute),
          completion::waiter(&pool_task::on_ended),
          result_completion<T>(static_cast<completion::waiter&>(*this)),
          place_(place),
          coroutine_(work.release()) {}
    ~pool_task() {
        if (coroutine_) coroutine_.destroy();
    }

    [[nodiscard]] virtual inplace_stop_token token() noexcept = 0;
    /// The task has ended, and its frame is gone. LIFETIME: *this may be gone when this returns.
    virtual void finish(outcome how) noexcept = 0;

private:
    static coroutine_base* on_ended(completion* base, coroutine_base&, outcome how) noexcept {
        auto& self = static_cast<pool_task&>(static_cast<result_completion<T>&>(*base));
        if (how == outcome::stopped) std::exchange(self.coroutine_, nullptr).destroy();  // in its own place
        self.ending = how;
        // ORDER: acq_rel; pairs with the exchange in execute() [P1]. LIFETIME: unless second, *this may be gone.
        if (self.met_.exchange(true, std::memory_order_acq_rel)) self.end(how);
        return nullptr;
    }
    void end(outcome how) noexcept {
        if (coroutine_) std::exchange(coroutine_, nullptr).destroy();
        finish(how);
    }

    execution_context& place_;
    std::coroutine_handle<task_promise<T>> coroutine_;
    std::atomic<bool> met_{false};
};

/// A task of which nobody wants to hear, unless it throws.
class posted_task final : public pool_task<void> {
public:
    posted_task(pool_core& pool, execution_context& place, task<void> work, inplace_stop_token token) noexcept
        : pool_task(place, std::move(work)), pool_(pool), token_(token) {}
    ~posted_task() = default;

private:
    [[nodiscard]] inplace_stop_token token() noexcept override { return token_; }
    void finish(outcome how) noexcept override {
        if (how == outcome::error) unowned_exception(pool_, std::move(held_error()));
        recycling_delete(this);
    }

    pool_core& pool_;
    inplace_stop_token token_;
};

/// A task whose result somebody has a handle for.
template <class T>
class submitted_task final : public stoppable_submission<T, nested_stop_source>, public pool_task<T> {
public:
    submitted_task(execution_context& place, task<T> work, inplace_stop_token token) noexcept
        : stoppable_submission<T, nested_stop_source>(token), pool_task<T>(place, std::move(work)) {}
    ~submitted_task() = default;

private:
    [[nodiscard]] inplace_stop_token token() noexcept override { return this->stop_.get_token(); }
    void finish(outcome how) noexcept override {
        if (how == outcome::stopped) {
            this->end_as_stopped();
        } else if (how == outcome::error) {
            this->result_.fail(std::move(this->held_error()));
        } else {
            keep_result();
        }
        submission_state<T>::end();
        this->disown();
    }
    void keep_result() noexcept {
        COEX_TRY {
            if constexpr (std::is_void_v<T>) {
                result_completion<T>::take();
            } else {
                this->result_.return_value(result_completion<T>::take());
            }
        }
        COEX_CATCH(...) {
            this->result_.unhandled_exception();
        }
    }
    void destroy() noexcept override { recycling_delete(this); }
};

}  // namespace coex::inline v0::detail
