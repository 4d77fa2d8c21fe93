#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/empty_function.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/recycling.hpp>
#include <exec/base/std_ranges.hpp>
#include <exec/pool/pool_options.hpp>
#include <exec/pool/pool_stats.hpp>
#include <exec/pool/pool_tasks.hpp>
#include <exec/pool/queue_place.hpp>
#include <exec/pool/stack_job.hpp>
#include <exec/pool/structured_work.hpp>
#include <exec/pool/submission.hpp>
#include <exec/pool/task_batch.hpp>
#include <exec/vocab/priority.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

class pool_core;
struct pool_access;

}  // namespace detail

/// A fixed number of threads that run plain tasks and coroutines, and steal work from each other.
///
/// **Priorities.** A worker takes a high item before a normal one, and a low one only when it finds no other; what runs
/// is never interrupted. Nothing starves: of every 8 items that a worker takes, one is normal, and of every 64 one is
/// low, as long as such wait. High and low items start in the order in which they came, from inside and outside. What
/// names no priority is normal.
///
/// Thread-safe: all members but the constructor and destructor.
/// Lifetime:    must outlive the coroutines that are on it, the files opened on it, and whoever still submits to it.
///              The destructor runs every accepted task, ends waiting operations and timers as stopped (their
///              coroutines unwind), and joins the threads. Destroying a pool on its own worker aborts with a message.
class static_thread_pool : public structured_work<static_thread_pool> {
public:
    using scheduler = context_scheduler;

    /// Starts the workers.
    ///
    /// Errors: std::invalid_argument for options that cannot be met and for a malformed `COEX_NUM_THREADS`;
    ///         std::system_error when a thread cannot be started or pinned. No thread is left behind.
    explicit static_thread_pool(pool_options options = {});
    static_thread_pool(const static_thread_pool&) = delete;
    static_thread_pool& operator=(const static_thread_pool&) = delete;
    ~static_thread_pool();

    /// Runs `function()` on a worker, some time. An exception that leaves it goes to `pool_options::on_exception`, or,
    /// without one, to std::terminate.
    ///
    /// From outside, tasks start in the order of their posts. From a worker of this pool, the last posted starts first
    /// there, and other workers take the oldest. However many tasks a worker goes on to give itself, one from outside
    /// starts after at most 16 other items of that worker, and 9 more for each that was waiting before it.
    ///
    /// A function that returns a `task<>` (a coroutine, such as a lambda) is called on a worker, and its task run
    /// there; the function and its captures live until the task has ended.
    ///
    /// Errors:   std::bad_alloc; what copying the function throws. An empty function (a std::function without a target,
    ///           a null pointer) aborts.
    /// Lifetime: the function is destroyed on the worker, after its call.
    template <class Function>
        requires std::is_invocable_v<std::decay_t<Function>&>
    void post(Function&& function) {
        post(priority::normal, std::forward<Function>(function));
    }
    template <class Function>
        requires std::is_invocable_v<std::decay_t<Function>&>
    void post(priority level, Function&& function) {
        require_function(function);
        enqueue_function(detail::queue_place::wait(gate_), at(level), std::forward<Function>(function));
    }

    /// The same for `function()` or `function(token)`, unless `token` is stopped before its turn comes: then it never
    /// runs.
    ///
    /// Lifetime: the token's source must outlive the function.
    template <class Function>
        requires detail::pool_function<std::decay_t<Function>>
    void post(Function&& function, inplace_stop_token token) {
        post(priority::normal, std::forward<Function>(function), token);
    }
    template <class Function>
        requires detail::pool_function<std::decay_t<Function>>
    void post(priority level, Function&& function, inplace_stop_token token) {
        require_function(function);
        enqueue_function(detail::queue_place::wait(gate_), at(level), std::forward<Function>(function), token);
    }

    /// Starts a task on a worker, unless `token` is stopped before its turn comes. An exception that leaves it goes
    /// where those of posted functions go. The destructor of the pool stops what the task waits for.
    ///
    /// Lifetime: of `token`'s source and of this pool: until the task has ended, also if it hops to another pool.
    void post(task<> work, inplace_stop_token token = {}) { post(priority::normal, std::move(work), token); }
    void post(priority level, task<> work, inplace_stop_token token = {}) {
        enqueue_new<detail::posted_task>(detail::queue_place::wait(gate_), at(level), *core_, at(level),
                                         std::move(work), token);
    }

    /// As `post`, but where that would wait because the queue is full (`pool_options::queue_limit`) it returns false
    /// and leaves the function as it is. Always true in a pool without a limit.
    template <class Function>
        requires std::is_invocable_v<std::decay_t<Function>&>
    [[nodiscard]] bool try_post(Function&& function) {
        return try_post(priority::normal, std::forward<Function>(function));
    }
    template <class Function>
        requires std::is_invocable_v<std::decay_t<Function>&>
    [[nodiscard]] bool try_post(priority level, Function&& function) {
        require_function(function);
        detail::queue_place place = detail::queue_place::try_take(gate_);
        if (!place) return false;
        enqueue_function(std::move(place), at(level), std::forward<Function>(function));
        return true;
    }
    template <class Function>
        requires detail::pool_function<std::decay_t<Function>>
    [[nodiscard]] bool try_post(Function&& function, inplace_stop_token token) {
        return try_post(priority::normal, std::forward<Function>(function), token);
    }
    template <class Function>
        requires detail::pool_function<std::decay_t<Function>>
    [[nodiscard]] bool try_post(priority level, Function&& function, inplace_stop_token token) {
        require_function(function);
        detail::queue_place place = detail::queue_place::try_take(gate_);
        if (!place) return false;
        enqueue_function(std::move(place), at(level), std::forward<Function>(function), token);
        return true;
    }

    /// Posts all functions of a range, in its order and at once: others see none or all of them, and at most one worker
    /// is woken, which wakes the next. From a temporary container the functions are moved.
    ///
    /// Unlike `post`, also on a worker of this pool: the tasks start in the order of the range. In a pool with a
    /// `queue_limit` they are posted one by one, as there is room.
    ///
    /// Errors:   as `post`, also what the range throws. Then none of them is posted.
    /// Lifetime: as `post`.
    template <std::ranges::input_range Functions>
        requires std::is_invocable_v<detail::function_in<Functions>&>
    void post_batch(Functions&& functions) {
        post_batch(priority::normal, std::forward<Functions>(functions));
    }
    template <std::ranges::input_range Functions>
        requires std::is_invocable_v<detail::function_in<Functions>&>
    void post_batch(priority level, Functions&& functions) {
        detail::post_all(*core_, level, std::forward<Functions>(functions));
    }

    /// The same for functions that may take `token`. Those whose turn has not come when it is stopped never run.
    ///
    /// Lifetime: the token's source must outlive the functions.
    template <std::ranges::input_range Functions>
        requires detail::pool_function<detail::function_in<Functions>>
    void post_batch(Functions&& functions, inplace_stop_token token) {
        post_batch(priority::normal, std::forward<Functions>(functions), token);
    }
    template <std::ranges::input_range Functions>
        requires detail::pool_function<detail::function_in<Functions>>
    void post_batch(priority level, Functions&& functions, inplace_stop_token token) {
        detail::post_all(*core_, level, std::forward<Functions>(functions), token);
    }

    /// Runs `function()`, or `function(inplace_stop_token)`, on a worker and gives its result, or its exception, to the
    /// owner of the returned handle. Of a function that returns a task, the task's.
    ///
    /// Errors:   as `post`.
    /// Cancel:   `handle.request_stop()` and a stop of `token`, both: a function that has not started by then never
    ///           runs (`get()` throws operation_stopped); one that runs sees it by its token, and decides what that
    ///           means.
    /// Lifetime: `token`'s source must outlive the function.
    template <class Function>
        requires(!detail::is_pool_task<std::decay_t<Function>>)
    [[nodiscard]] auto submit(Function&& function, inplace_stop_token token = {}) {
        return submit(priority::normal, std::forward<Function>(function), token);
    }
    template <class Function>
        requires(!detail::is_pool_task<std::decay_t<Function>>)
    [[nodiscard]] auto submit(priority level, Function&& function, inplace_stop_token token = {}) {
        require_function(function);
        return enqueue_submitted_function(detail::queue_place::wait(gate_), at(level), std::forward<Function>(function),
                                          token);
    }

    /// As `submit`, or nothing where that would wait because the queue is full; then the function is left as it is.
    template <class Function>
        requires(!detail::is_pool_task<std::decay_t<Function>>)
    [[nodiscard]] auto try_submit(Function&& function, inplace_stop_token token = {}) {
        return try_submit(priority::normal, std::forward<Function>(function), token);
    }
    template <class Function>
        requires(!detail::is_pool_task<std::decay_t<Function>>)
    [[nodiscard]] auto try_submit(priority level, Function&& function, inplace_stop_token token = {}) {
        require_function(function);
        detail::queue_place place = detail::queue_place::try_take(gate_);
        using handle =
            decltype(enqueue_submitted_function(std::move(place), at(level), std::forward<Function>(function), token));
        if (!place) return std::optional<handle>();
        return std::optional<handle>(
            enqueue_submitted_function(std::move(place), at(level), std::forward<Function>(function), token));
    }

    /// Starts a task on a worker and gives its result to the owner of the returned handle.
    ///
    /// Cancel:   as above; a task that is stopped while it runs unwinds, and ends as stopped.
    /// Lifetime: as `post(task)`.
    template <class T>
    [[nodiscard]] submission<T> submit(task<T> work, inplace_stop_token token = {}) {
        return submit(priority::normal, std::move(work), token);
    }
    template <class T>
    [[nodiscard]] submission<T> submit(priority level, task<T> work, inplace_stop_token token = {}) {
        return enqueue_submitted(detail::queue_place::wait(gate_), at(level),
                                 detail::recycling_new<detail::submitted_task<T>>(at(level), std::move(work), token));
    }

    /// Calls `function()` on a worker of this pool and returns what it returns, or throws what it throws. On a worker
    /// of this pool it is a plain call; on a worker of another pool that one's work is run while waiting.
    ///
    /// Errors:     an empty function aborts; so does a destroyed pool, in builds without NDEBUG and as far as its
    ///             memory tells.
    /// Lifetime:   the function is used only until this returns.
    /// Complexity: allocates nothing.
    template <class Function>
        requires std::is_invocable_v<Function>
    std::invoke_result_t<Function> install(Function&& function) {
        require_function(function);
        COEX_ASSERT(context_ != nullptr, "static_thread_pool: install() on a pool that has been destroyed");
        if (this_thread_index().has_value()) return std::forward<Function>(function)();
        detail::stack_job<Function> job(function);
        context_->submit(&job);
        return job.take();
    }

    /// `co_await pool.schedule()` moves a task to this pool. Infallible; allocates nothing.
    [[nodiscard]] schedule_sender schedule() noexcept { return schedule_sender(*context_); }

    /// The same at a priority, which the task keeps: whatever it awaits, it resumes at this priority, until it awaits
    /// another `schedule()`.
    [[nodiscard]] schedule_sender schedule(priority level) noexcept { return schedule_sender(at(level)); }

    /// A copyable handle; equal for equal pools and priorities. `get_priority(scheduler)` tells its priority.
    [[nodiscard]] scheduler get_scheduler() noexcept { return scheduler(*context_); }
    [[nodiscard]] scheduler get_scheduler(priority level) noexcept { return scheduler(at(level)); }

    /// The workers that the pool always has: `pool_options::threads`. One that has grown has more (`stats().threads`).
    [[nodiscard]] unsigned thread_count() const noexcept;

    /// The index of the worker of *this* pool that the calling thread is; nothing on any other thread.
    [[nodiscard]] std::optional<unsigned> this_thread_index() const noexcept;

    [[nodiscard]] const std::string& name() const noexcept;

    [[nodiscard]] pool_stats stats() const noexcept;

private:
    friend struct detail::pool_access;
    friend structured_work<static_thread_pool>;

    template <class Function>
    static void require_function(const Function& function) noexcept {
        COEX_REQUIRE(!detail::is_empty_function(function),
                     "static_thread_pool: given an empty function (a std::function without a target, a null pointer); "
                     "there is nothing to run");
    }

    template <class Function>
    void enqueue_function(detail::queue_place place, execution_context& where, Function&& function) {
        using closure = std::decay_t<Function>;
        if constexpr (detail::makes_task<closure>) {
            enqueue_new<detail::posted_task>(std::move(place), where, *core_, where,
                                             detail::call_as_task<closure>(std::forward<Function>(function)),
                                             inplace_stop_token());
        } else {
            enqueue_new<posted<closure>>(std::move(place), where, *this, std::forward<Function>(function));
        }
    }
    template <class Function>
    void enqueue_function(detail::queue_place place, execution_context& where, Function&& function,
                          inplace_stop_token token) {
        using closure = std::decay_t<Function>;
        if constexpr (detail::makes_task<closure>) {
            enqueue_new<detail::posted_task>(std::move(place), where, *core_, where,
                                             detail::call_as_task<closure>(std::forward<Function>(function)), token);
        } else {
            using stoppable = detail::stoppable_call<closure>;
            enqueue_new<posted<stoppable>>(std::move(place), where, *this,
                                           stoppable(std::forward<Function>(function), token));
        }
    }
    template <class Function>
    [[nodiscard]] auto enqueue_submitted_function(detail::queue_place place, execution_context& where,
                                                  Function&& function, inplace_stop_token token) {
        using closure = std::decay_t<Function>;
        if constexpr (detail::makes_task<closure>) {
            auto work = detail::call_as_task<closure>(std::forward<Function>(function));
            using result = typename decltype(work)::value_type;
            return enqueue_submitted(
                std::move(place), where,
                detail::recycling_new<detail::submitted_task<result>>(where, std::move(work), token));
        } else {
            return enqueue_submitted(
                std::move(place), where,
                detail::recycling_new<detail::submitted<closure>>(std::forward<Function>(function), token));
        }
    }

    template <class Closure, class... Args>
    void enqueue_new(detail::queue_place place, execution_context& where, Args&&... args) {
        auto* item = detail::recycling_new<Closure>(std::forward<Args>(args)...);
        place.give_to(*item);
        COEX_TRY {
            enqueue_item(item, where);
        }
        COEX_CATCH(...) {
            detail::recycling_delete(item);
            COEX_RETHROW;
        }
        place.release();
    }

    template <class Closure>
    [[nodiscard]] auto enqueue_submitted(detail::queue_place place, execution_context& where, Closure* closure) {
        submission handle(*closure);
        place.give_to(*closure);
        COEX_TRY {
            enqueue_item(closure, where);
        }
        COEX_CATCH(...) {
            closure->disown();
            COEX_RETHROW;
        }
        place.release();
        return handle;
    }

    template <class Function>
    struct posted final : work_item {
        template <class Initializer>
        posted(static_thread_pool& owner, Initializer&& initializer)
            : work_item(&posted::execute), pool(&owner), function(std::forward<Initializer>(initializer)) {}

        static void execute(work_item* item) noexcept {
            auto* self = static_cast<posted*>(item);
            COEX_TRY {
                self->function();
            }
            COEX_CATCH(...) {
                self->pool->unowned_exception(std::current_exception());
            }
            detail::recycling_delete(self);
        }

        static_thread_pool* pool;
        Function function;
    };

    void enqueue_item(work_item* item, execution_context& where);
    [[nodiscard]] execution_context& at(priority level) noexcept {
        return level == priority::normal ? *context_ : at_other(level);
    }
    [[nodiscard]] execution_context& at_other(priority level) noexcept;
    void unowned_exception(std::exception_ptr error) noexcept;

    detail::pool_core* core_;     // owned; valid until the last that runs on it has ended
    execution_context* context_;  // core_, as the place where coroutines are
    detail::queue_gate* gate_;    // core_'s; null when the queue has no limit
};

}  // namespace coex::inline v0
