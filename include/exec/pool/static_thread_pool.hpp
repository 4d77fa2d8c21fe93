#pragma once

#include <exec/base/recycling.hpp>
#include <exec/pool/pool_options.hpp>
#include <exec/pool/pool_stats.hpp>
#include <exec/pool/stack_job.hpp>
#include <exec/pool/submission.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/work_item.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <ranges>
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
/// Thread-safe: all members but the constructor and destructor.
/// Lifetime:    must outlive the coroutines that are on it, the files opened on it, and whoever still submits to it.
/// The
///              destructor runs every accepted task, ends waiting operations and timers as stopped (their coroutines
///              unwind), and joins the threads. Destroying a pool on its own worker aborts with a message.
class static_thread_pool {
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
    /// there, and other workers take the oldest.
    ///
    /// Errors:   std::bad_alloc; what copying the function throws.
    /// Lifetime: the function is destroyed on the worker, after its call.
    template <class Function>
        requires std::is_invocable_v<std::decay_t<Function>&>
    void post(Function&& function) {
        using closure = posted<std::decay_t<Function>>;
        auto* item = detail::recycling_new<closure>(*this, std::forward<Function>(function));
        try {
            enqueue_item(item);
        } catch (...) {
            detail::recycling_delete(item);
            throw;
        }
    }

    /// Posts all functions of a range, in its order and at once: others see none or all of them, and at most one worker
    /// is woken, which wakes the next. From a temporary container the functions are moved.
    ///
    /// Unlike `post`, also on a worker of this pool: the tasks start in the order of the range.
    ///
    /// Errors:   std::bad_alloc; what the range or copying a function throws. Then none of them is posted.
    /// Lifetime: as `post`.
    template <std::ranges::input_range Functions>
        requires std::is_invocable_v<std::decay_t<std::ranges::range_reference_t<Functions>>&>
    void post_batch(Functions&& functions) {
        using closure = posted<std::decay_t<std::ranges::range_reference_t<Functions>>>;
        constexpr bool owned = !std::is_lvalue_reference_v<Functions> && !std::ranges::view<Functions>;
        struct not_posted : work_queue {
            ~not_posted() {
                while (work_item* item = this->pop_front()) detail::recycling_delete(static_cast<closure*>(item));
            }
        } batch;
        for (auto&& function : functions) {
            if constexpr (owned) {
                batch.push_back(detail::recycling_new<closure>(*this, std::move(function)));
            } else {
                batch.push_back(detail::recycling_new<closure>(*this, std::forward<decltype(function)>(function)));
            }
        }
        if (!batch.empty()) enqueue_all(batch);
    }

    /// Runs `function()`, or `function(inplace_stop_token)`, on a worker and gives its result, or its exception, to the
    /// owner of the returned handle.
    ///
    /// Cancel: `handle.request_stop()` stops the token. The function decides what that means.
    template <class Function>
    [[nodiscard]] auto submit(Function&& function) {
        auto* closure =
            detail::recycling_new<detail::submitted<std::decay_t<Function>>>(std::forward<Function>(function));
        submission handle(*closure);
        try {
            enqueue_item(closure);
        } catch (...) {
            closure->disown();
            throw;
        }
        return handle;
    }

    /// Calls `function()` on a worker of this pool and returns what it returns, or throws what it throws. On a worker
    /// of this pool it is a plain call; on a worker of another pool that one's work is run while waiting.
    ///
    /// Lifetime:   the function is used only until this returns.
    /// Complexity: allocates nothing.
    template <class Function>
        requires std::is_invocable_v<Function>
    std::invoke_result_t<Function> install(Function&& function) {
        if (this_thread_index().has_value()) return std::forward<Function>(function)();
        detail::stack_job<Function> job(function);
        context_->submit(&job);
        return job.take();
    }

    /// `co_await pool.schedule()` moves a task to this pool. Infallible; allocates nothing.
    [[nodiscard]] schedule_sender schedule() noexcept { return schedule_sender(*context_); }

    /// A copyable handle; equal for equal pools.
    [[nodiscard]] scheduler get_scheduler() noexcept { return scheduler(*context_); }

    [[nodiscard]] unsigned thread_count() const noexcept;

    /// The index of the worker of *this* pool that the calling thread is; nothing on any other thread.
    [[nodiscard]] std::optional<unsigned> this_thread_index() const noexcept;

    [[nodiscard]] const std::string& name() const noexcept;

    [[nodiscard]] pool_stats stats() const noexcept;

private:
    friend struct detail::pool_access;

    template <class Function>
    struct posted final : work_item {
        template <class Initializer>
        posted(static_thread_pool& owner, Initializer&& initializer)
            : work_item(&posted::call), pool(&owner), function(std::forward<Initializer>(initializer)) {}

        static void call(work_item* item) noexcept {
            auto* self = static_cast<posted*>(item);
            try {
                self->function();
            } catch (...) {
                self->pool->unowned_exception(std::current_exception());
            }
            detail::recycling_delete(self);
        }

        static_thread_pool* pool;
        Function function;
    };

    void enqueue_item(work_item* item);
    void enqueue_all(work_queue& items) noexcept;
    void unowned_exception(std::exception_ptr error) noexcept;

    std::unique_ptr<detail::pool_core> core_;
    execution_context* context_;  // core_, as what its users need to know of it
};

}  // namespace coex::inline v0
