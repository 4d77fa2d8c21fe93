#pragma once

#include <exec/base/assert.hpp>
#include <exec/base/empty_function.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/heap_array.hpp>
#include <exec/coro/task_result.hpp>
#include <exec/pool/end_latch.hpp>
#include <exec/pool/pool_entry.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <exception>
#include <type_traits>
#include <utility>
#include <vector>

namespace coex::inline v0 {

/// Tells a function that runs once on every worker where it runs.
class broadcast_context {
public:
    explicit broadcast_context(unsigned index, unsigned thread_count) noexcept
        : index_(index), thread_count_(thread_count) {}

    /// The index of the worker in its pool.
    [[nodiscard]] unsigned index() const noexcept { return index_; }
    /// On how many workers the function runs: all of the pool.
    [[nodiscard]] unsigned thread_count() const noexcept { return thread_count_; }

private:
    unsigned index_;
    unsigned thread_count_;
};

namespace detail {

/// What can be broadcast. The workers call one and the same object at the same time: so it must be callable as const.
template <class Function>
concept broadcast_function = std::is_invocable_v<const std::decay_t<Function>&, broadcast_context> ||
                             std::is_invocable_v<const std::decay_t<Function>&>;

template <class Function>
decltype(auto) call_broadcast(const Function& function, broadcast_context context) {
    if constexpr (std::is_invocable_v<const Function&, broadcast_context>) {
        return function(context);
    } else {
        return function();
    }
}

template <class Function>
using broadcast_result =
    decltype(call_broadcast(std::declval<const std::decay_t<Function>&>(), std::declval<broadcast_context>()));

/// A broadcast for whose results its owner waits.
template <class Function>
class awaited_broadcast {
    using result = broadcast_result<Function>;
    static_assert(!std::is_reference_v<result>,
                  "coex: a function that is broadcast must return a value or nothing, not a reference: the results are "
                  "collected in a vector");

public:
    using results = std::conditional_t<std::is_void_v<result>, void, std::vector<result>>;

    explicit awaited_broadcast(const Function& function, unsigned workers)
        : function_(&function), workers_(workers), shares_(workers), unfinished_(workers) {}

    results run(pool_core& pool) {
        work_queue all;
        for (unsigned index = 0; index < workers_; ++index) {
            shares_[index].whole = this;
            shares_[index].index = index;
            all.push_back(&shares_[index]);
        }
        enqueue_on_every_worker(pool, all);
        ended_.wait();
        // In the order of the indices: so is the first exception.
        if constexpr (std::is_void_v<result>) {
            for (unsigned index = 0; index < workers_; ++index) shares_[index].value.take();
        } else {
            results gathered;
            gathered.reserve(workers_);
            for (unsigned index = 0; index < workers_; ++index) gathered.push_back(shares_[index].value.take());
            return gathered;
        }
    }

private:
    struct share final : work_item {
        share() noexcept : work_item(&awaited_broadcast::run_share) {}

        awaited_broadcast* whole = nullptr;
        unsigned index = 0;
        task_result<result> value;
    };

    static void run_share(work_item* item) noexcept {
        auto& mine = *static_cast<share*>(item);
        awaited_broadcast& whole = *mine.whole;
        COEX_TRY {
            const broadcast_context context(mine.index, whole.workers_);
            if constexpr (std::is_void_v<result>) {
                call_broadcast(*whole.function_, context);
            } else {
                mine.value.return_value(call_broadcast(*whole.function_, context));
            }
        }
        COEX_CATCH(...) {
            mine.value.unhandled_exception();
        }
        if (whole.unfinished_.fetch_sub(1) == 1) whole.ended_.end();
        // LIFETIME: the owner may have gone on, and all of it be gone.
    }

    const Function* function_;
    unsigned workers_;
    heap_array<share> shares_;
    std::atomic<unsigned> unfinished_;
    end_latch ended_;
};

/// A broadcast that nobody waits for here. `Owner` says how the function is called, who gets its exceptions, and who is
/// told of the end.
template <class Function, class Owner>
class detached_broadcast {
public:
    /// Errors: std::bad_alloc; what copying the function throws.
    template <class Initializer>
    static void start(pool_core& pool, const Owner& owner, Initializer&& function) {
        auto* const made = new detached_broadcast(owner, worker_count(pool), std::forward<Initializer>(function));
        work_queue all;
        for (unsigned index = 0; index < made->workers_; ++index) {
            made->shares_[index].whole = made;
            made->shares_[index].index = index;
            all.push_back(&made->shares_[index]);
        }
        static_assert(noexcept(owner.begin()));
        owner.begin();
        enqueue_on_every_worker(pool, all);  // the last share deletes it
    }

    template <class Initializer>
    explicit detached_broadcast(const Owner& owner, unsigned workers, Initializer&& function)
        : owner_(owner),
          function_(std::forward<Initializer>(function)),
          workers_(workers),
          shares_(workers),
          unfinished_(workers) {}

private:
    struct share final : work_item {
        share() noexcept : work_item(&detached_broadcast::run_share) {}

        detached_broadcast* whole = nullptr;
        unsigned index = 0;
    };

    static void run_share(work_item* item) noexcept {
        const auto& mine = *static_cast<share*>(item);
        detached_broadcast& whole = *mine.whole;
        COEX_TRY {
            whole.owner_.call(std::as_const(whole.function_), broadcast_context(mine.index, whole.workers_));
        }
        COEX_CATCH(...) {
            whole.owner_.fail(std::current_exception());
        }
        if (whole.unfinished_.fetch_sub(1) != 1) return;
        const Owner owner = whole.owner_;
        delete &whole;
        owner.finish();
    }

    Owner owner_;
    Function function_;
    unsigned workers_;
    heap_array<share> shares_;
    std::atomic<unsigned> unfinished_;
};

/// The owner of a broadcast that belongs to nobody but the pool.
class posted_broadcast {
public:
    explicit posted_broadcast(pool_core& pool) noexcept : pool_(&pool) {}

    static void begin() noexcept {}
    template <class Function>
    static void call(const Function& function, broadcast_context context) {
        static_cast<void>(call_broadcast(function, context));
    }
    void fail(std::exception_ptr error) const noexcept { unowned_exception(*pool_, std::move(error)); }
    static void finish() noexcept {}

private:
    pool_core* pool_;
};

template <class Function>
auto run_broadcast(pool_core& pool, Function&& function) {
    COEX_REQUIRE(!is_empty_function(function), "broadcast() was given an empty function");
    require_not_in_handler(pool,
                           "broadcast() was called in a handler for the start or stop of a thread, which cannot do its "
                           "own share before the handler has returned; use post_broadcast()");
    return awaited_broadcast<std::decay_t<Function>>(function, worker_count(pool)).run(pool);
}

template <class Function>
void start_broadcast(pool_core& pool, Function&& function) {
    COEX_REQUIRE(!is_empty_function(function), "post_broadcast() was given an empty function");
    detached_broadcast<std::decay_t<Function>, posted_broadcast>::start(pool, posted_broadcast(pool),
                                                                        std::forward<Function>(function));
}

}  // namespace detail
}  // namespace coex::inline v0
