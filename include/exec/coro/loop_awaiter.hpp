#pragma once

#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/object.hpp>
#include <exec/base/recycling.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/fork_slot.hpp>
#include <exec/coro/fork_waiter.hpp>
#include <exec/coro/result_completion.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/fork_deque.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <utility>

namespace coex::inline v0::detail {

/// The call for one index of a loop.
template <class Calls>
class loop_call {
public:
    explicit loop_call(Calls& calls, std::size_t index) noexcept : calls_(&calls), index_(index) {}
    decltype(auto) operator()() const { return (*calls_)(index_); }

private:
    Calls* calls_;
    std::size_t index_;
};

/// Waits in a parent for the coroutines of a loop. `Calls` returns that of index i when it is called with i.
///
/// **Who runs what.** A *runner* goes through a part of the indices: at first the parent through all. It leaves
/// the upper half of its part in the thread's fork_deque, and goes through the lower half; while it is inside the
/// coroutine of one index, the indices that follow in that half lie in the deque as well. So a worker that takes over
/// gets about half of what there is, and is a runner of its own, with halves of its own; and the coroutine that
/// somebody is inside of is all that he keeps from the others. What lies in the deque are the two jobs of the runner.
/// One is written again only after it was popped: then nobody else has seen it. Of one that was taken the taker may
/// still read when the runner has come to its end; so runners lie in the parent's frame, or on the heap until the end
/// of the loop.
///
/// **Where results go.** A coroutine needs a slot: the waiter that it tells of its end. A runner has one, and uses
/// it again for the next index as long as coroutines end at once with values. Otherwise the slot is kept until the end
/// of the loop, and the runner goes on with a new one.
///
/// **When the parent continues**: when two units for each index have been given back [W1], by whoever ran it or left it
/// out. A runner gives back what it has run last of all, so no thread is inside the awaiter when it goes.
template <class Calls>
class loop_awaiter : fork_waiter {
    using slot = fork_slot<loop_call<Calls>>;

    struct record {
        record() noexcept {}
        record(const record&) = delete;
        record& operator=(const record&) = delete;
        ~record() {}

        union {
            slot child;
        };
        record* next = nullptr;
        bool on_heap = false;
    };

    struct job : work_item {
        explicit job(loop_awaiter& which) noexcept : work_item(&loop_awaiter::run_elsewhere), all(&which) {}
        void set(std::size_t from, std::size_t to) noexcept {
            first = from;
            last = to;
        }

        loop_awaiter* all;
        std::size_t first = 0;
        std::size_t last = 0;
    };

    struct runner {
        explicit runner(loop_awaiter& all) noexcept : upper_half(all), rest(all) {}

        job upper_half;
        job rest;
        record own;
        record* room = &own;  // for the next child; null when memory has run out
        runner* next = nullptr;
    };

public:
    explicit loop_awaiter(std::size_t count, Calls&& calls, coroutine_base* parent = nullptr)
        : fork_waiter(parent, count), count_(count), calls_(std::move(calls)), mine_(*this), no_memory_(*this) {}
    loop_awaiter(const loop_awaiter&) = delete;
    loop_awaiter& operator=(const loop_awaiter&) = delete;
    COEX_ALWAYS_INLINE ~loop_awaiter() {
        if (!all_at_once()) [[unlikely]]
            release();
    }

    [[nodiscard]] bool await_ready() noexcept { return count_ == 0 || (parent() != nullptr && start()); }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        if (parent() == nullptr) {
            set_parent(coroutine.promise());
            if (start()) return false;
        }
        return wait(coroutine.promise());
    }
    /// The error that await_resume() would rethrow, or null.
    [[nodiscard]] std::exception_ptr failure() const noexcept {
        return all_at_once() ? nullptr : failure_of(static_cast<const completion*>(first_failed()));
    }
    void await_resume() {
        if (!all_at_once()) [[unlikely]]
            rethrow_failure();
    }

private:
    [[nodiscard]] bool start() noexcept { return started(count_, run(mine_, 0, count_, parent()->context())); }

    /// Goes through [first, last). Returns how many units the caller has to give back.
    std::size_t run(runner& self, std::size_t first, std::size_t last, execution_context& place) noexcept {
        fork_deque* const own = forks_at(place);
        if (own == nullptr || stack_is_deep()) [[unlikely]]
            return run_in_order(self, first, last, place);
        std::size_t given = 0;
        while (last - first > 1) {
            const std::size_t middle = first + (last - first) / 2;
            self.upper_half.set(middle, last);
            const std::uint64_t upper_half = own->push(&self.upper_half);
            const bool all = run_half(self, first, middle, place, *own, given);
            // When the rest of the lower half was taken, the upper one had been taken before: it is older.
            if (!own->pop(upper_half) || !all) return given;
            first = middle;
        }
        return given + run_one(self, first, place);
    }

    /// Returns false when another worker has taken what was left.
    bool run_half(runner& self, std::size_t first, std::size_t last, execution_context& place, fork_deque& own,
                  std::size_t& given) noexcept {
        for (std::size_t i = first; i + 1 != last; ++i) {
            self.rest.set(i + 1, last);
            const std::uint64_t rest = own.push(&self.rest);
            given += run_one(self, i, place);
            if (!own.pop(rest)) [[unlikely]]
                return false;
        }
        given += run_one(self, last - 1, place);
        return true;
    }

    COEX_ALWAYS_INLINE std::size_t run_one(runner& self, std::size_t index, execution_context& place) noexcept {
        if (first_failed() != nullptr) [[unlikely]]
            return 2;  // left out
        slot& child = place_for(self, index);
        COEX_TRY {
            if (child.start_on_this_stack(*this, place)) [[likely]]
                return 2;
        }
        COEX_CATCH(...) {
            child.failed_to_start();
        }
        return keep(self, child.units(*this));
    }

    /// Without leaving any for others.
    COEX_NOINLINE std::size_t run_in_order(runner& self, std::size_t first, std::size_t last,
                                           execution_context& place) noexcept {
        std::size_t given = 0;
        for (std::size_t i = first; i != last; ++i) {
            if (first_failed() != nullptr) {
                given += 2;
                continue;
            }
            slot& child = place_for(self, i);
            const std::size_t units = child.start(*this, place);
            given += units == 2 ? units : keep(self, units);
        }
        return given;
    }

    slot& place_for(runner& self, std::size_t index) noexcept {
        static_assert(slot::holds_trivially, "a slot whose child has ended at once with a value is just used again");
        loop_call<Calls> call(calls_, index);
        return *::new (static_cast<void*>(detail::address_of(self.room->child))) slot(fork_source(call, *this));
    }

    /// Keeps the slot until the end, and makes room for the next child.
    COEX_NOINLINE std::size_t keep(runner& self, std::size_t units) noexcept {
        push_to(kept_, *self.room);
        COEX_TRY {
            self.room = recycling_new<record>();
            self.room->on_heap = true;
        }
        COEX_CATCH(const std::bad_alloc&) {
            // Nothing more is started by any runner, so nobody misses the room.
            self.room = nullptr;
            note_failure(no_memory_, outcome::error);
        }
        return units;
    }

    static void run_elsewhere(work_item* item) noexcept {
        const job& taken = *static_cast<job*>(item);
        taken.all->give_back(taken.all->run_taken(taken.first, taken.last) % not_with_value);
    }
    std::size_t run_taken(std::size_t first, std::size_t last) noexcept {
        COEX_TRY {
            auto& self = *recycling_new<runner>(*this);
            push_to(runners_, self);
            return run(self, first, last, parent()->context());
        }
        COEX_CATCH(const std::bad_alloc&) {
            note_failure(no_memory_, outcome::error);
            return 2 * (last - first);
        }
    }

    template <class Node>
    static void push_to(std::atomic<Node*>& list, Node& node) noexcept {
        // ORDER: relaxed; who reads the list has the last unit back, and so all that those did who gave theirs [W1].
        node.next = list.load(std::memory_order_relaxed);
        while (!list.compare_exchange_weak(node.next, &node, std::memory_order_relaxed)) {
        }
    }

    COEX_NOINLINE void rethrow_failure() const {
        if (const std::exception_ptr error = failure()) detail::rethrow(error);
    }
    [[nodiscard]] std::exception_ptr failure_of(const completion* failed) const noexcept {
        if (failed == nullptr) return nullptr;
        if (failed == &no_memory_) return std::make_exception_ptr(std::bad_alloc());
        return static_cast<const result_completion<void>*>(failed)->held_error();
    }

    COEX_NOINLINE void release() noexcept {
        // ORDER: relaxed; see push_to().
        for (record* each = kept_.load(std::memory_order_relaxed); each != nullptr;) {
            record* const done = std::exchange(each, each->next);
            detail::destroy(detail::address_of(done->child));
            if (done->on_heap) recycling_delete(done);
        }
        if (mine_.room != nullptr && mine_.room->on_heap) recycling_delete(mine_.room);
        // ORDER: relaxed; see push_to().
        for (runner* each = runners_.load(std::memory_order_relaxed); each != nullptr;) {
            runner* const done = std::exchange(each, each->next);
            if (done->room != nullptr && done->room->on_heap) recycling_delete(done->room);
            recycling_delete(done);
        }
    }

    const std::size_t count_;
    Calls calls_;
    runner mine_;
    std::atomic<record*> kept_{nullptr};
    std::atomic<runner*> runners_{nullptr};
    result_completion<void> no_memory_;  // stands for the want of memory among the failures
};

}  // namespace coex::inline v0::detail
