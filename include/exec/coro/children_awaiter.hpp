#pragma once

#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/object.hpp>
#include <exec/coro/children_waiter.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/fork_deque.hpp>
#include <exec/vocab/work_item.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// A slot that is a job as well, for others to take: it starts the child.
template <class Slot, class Waiter>
class forked_slot : public Slot, public work_item {
public:
    template <class Source>
    explicit forked_slot(Source&& source) noexcept
        : Slot(std::forward<Source>(source)), work_item(&forked_slot::run_elsewhere) {}

private:
    static void run_elsewhere(work_item* item) noexcept {
        auto& self = *static_cast<forked_slot*>(item);
        auto& all = static_cast<Waiter&>(*self.owner);
        all.give_back(self.start(all, all.parent()->context()) % Waiter::not_with_value);
    }
};

/// Waits for a fixed number of children. A `Slot` starts one of them, and holds its result:
///  - `start(all, place)` starts it at `place`, the parent's, and returns how many units of the count the caller has to
///    give back;
///  - `start_on_this_stack(all, place)`: the same where the stack is not deep; returns true when the child has ended
///  with
///    a value;
///  - `failed_to_start()`: that has thrown;
///  - `units(all)`: how many units there are to give back when that has returned false, or thrown;
///  - `holds_trivially`: nothing is to be done for a slot whose child has ended at once with a value.
template <class Waiter, class... Slots>
class children_awaiter : protected Waiter {
    static constexpr std::size_t count = sizeof...(Slots);

    // The first child is never left for others.
    template <class... All>
    struct slots_type {
        using type = std::tuple<>;
    };
    template <class First, class... Others>
    struct slots_type<First, Others...> {
        using type = std::tuple<First, forked_slot<Others, Waiter>...>;
    };

public:
    COEX_ALWAYS_INLINE ~children_awaiter() {
        if constexpr ((Slots::holds_trivially && ...)) {
            if (this->all_at_once()) [[likely]]
                return;
        }
        destroy_slots();
    }

    [[nodiscard]] COEX_ALWAYS_INLINE bool await_ready() noexcept {
        return count == 0 || (this->parent() != nullptr && start());
    }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        return this->parent() == nullptr ? start_in(coroutine.promise()) : this->wait(coroutine.promise());
    }
    /// The error that await_resume() would rethrow, or null.
    [[nodiscard]] std::exception_ptr* failure() noexcept {
        return this->all_at_once() ? nullptr : failure_among(std::index_sequence_for<Slots...>());
    }
    COEX_ALWAYS_INLINE auto await_resume() { return results(std::index_sequence_for<Slots...>()); }

protected:
    template <class... Sources>
    explicit children_awaiter(coroutine_base* parent, Sources&&... sources) noexcept
        : Waiter(parent, count), slots_(std::forward<Sources>(sources)...) {}

private:
    template <class Slot>
    static constexpr bool is_void = std::is_void_v<decltype(std::declval<Slot&>().take())>;

    COEX_NOINLINE void destroy_slots() noexcept { detail::destroy(&slots_); }

    COEX_NOINLINE bool start_in(coroutine_base& parent) noexcept {
        this->set_parent(parent);
        return !start() && this->wait(parent);
    }

    // Of more children than may be pushed at once, the last ones are started here.
    static constexpr std::size_t forked = count == 0                   ? 0
                                          : count < fork_deque::margin ? count - 1
                                                                       : fork_deque::margin - 1;

    [[nodiscard]] COEX_ALWAYS_INLINE bool start() noexcept {
        if constexpr (count == 0) {
            return true;
        } else {
            execution_context& place = this->parent()->context();
            fork_deque* const own = Waiter::forks_at(place);
            if (own == nullptr || stack_is_deep()) [[unlikely]]
                return start_in_order(place);
            return start_forking(*own, place, std::index_sequence_for<Slots...>());
        }
    }

    /// Without leaving any for others.
    COEX_NOINLINE bool start_in_order(execution_context& place) noexcept {
        std::size_t given = 0;
        std::apply([&](auto&... each) { ((given += each.start(*this, place)), ...); }, slots_);
        return this->started(count, given);
    }

    template <std::size_t... Is>
    COEX_ALWAYS_INLINE bool start_forking(fork_deque& own, execution_context& place,
                                          std::index_sequence<Is...>) noexcept {
        // The last one first, so that the second is popped first, and thieves take the last.
        std::uint64_t top = 0;
        (push<count - 1 - Is>(own, top), ...);
        progress made;
        if ((start_one<Is>(own, place, top, made) && ...)) [[likely]]
            return true;
        return start_rest(own, place, top, made, std::index_sequence<Is...>());
    }

    template <std::size_t I>
    COEX_ALWAYS_INLINE void push(fork_deque& own, std::uint64_t& top) noexcept {
        if constexpr (I != 0 && I <= forked) top = own.push(&std::get<I>(slots_));
    }

    /// Takes child I back, which lies below those before it. Returns false when another worker has it.
    template <std::size_t I>
    COEX_ALWAYS_INLINE static bool take_back(fork_deque& own, std::uint64_t top) noexcept {
        if constexpr (I != 0 && I <= forked) {
            return own.pop(top - (I - 1));
        } else {
            return true;
        }
    }

    /// How far a start has come that not all children have ended in with values: up to one child, which another worker
    /// has, or which was started here.
    struct progress {
        std::size_t child;
        bool was_here;
    };

    /// Returns true when child I has ended with a value.
    template <std::size_t I>
    COEX_ALWAYS_INLINE bool start_one(fork_deque& own, execution_context& place, std::uint64_t top,
                                      progress& made) noexcept {
        if (!take_back<I>(own, top)) [[unlikely]] {
            made = {I, false};
            return false;
        }
        COEX_TRY {
            if (std::get<I>(slots_).start_on_this_stack(*this, place)) [[likely]]
                return true;
        }
        COEX_CATCH(...) {
            failed_to_start<I>();
        }
        made = {I, true};
        return false;
    }
    // Told by its number, not its address, which would have to be kept across the start in case it throws.
    template <std::size_t I>
    COEX_NOINLINE void failed_to_start() noexcept {
        if constexpr (requires { std::get<I>(slots_).failed_to_start(); }) std::get<I>(slots_).failed_to_start();
    }

    template <std::size_t... Is>
    COEX_NOINLINE bool start_rest(fork_deque& own, execution_context& place, std::uint64_t top, progress made,
                                  std::index_sequence<Is...>) noexcept {
        std::size_t given = 2 * made.child;
        ((given += Is == made.child && made.was_here            ? std::get<Is>(slots_).units(*this)
                   : Is > made.child && take_back<Is>(own, top) ? std::get<Is>(slots_).start(*this, place)
                                                                : 0),
         ...);
        return this->started(count, given);
    }

    template <std::size_t... Is>
    COEX_ALWAYS_INLINE auto results(std::index_sequence<Is...>) {
        if (!this->all_at_once()) [[unlikely]]
            rethrow_failure();
        if constexpr (count > 0 && !(is_void<Slots> || ...)) {
            return std::tuple<decltype(std::get<Is>(slots_).take())...>(std::get<Is>(slots_).take_value()...);
        } else if constexpr (!(is_void<Slots> && ...)) {
            return std::tuple_cat(result_of<Slots>(std::get<Is>(slots_))...);
        }
    }
    COEX_NOINLINE void rethrow_failure() {
        if (const std::exception_ptr* const error = failure_among(std::index_sequence_for<Slots...>())) {
            detail::rethrow(*error);
        }
    }
    template <std::size_t... Is>
    [[nodiscard]] std::exception_ptr* failure_among(std::index_sequence<Is...>) noexcept {
        std::exception_ptr* error = nullptr;
        // Where more than one wins, it is the first.
        static_cast<void>(
            ((this->wins(std::get<Is>(slots_)) && (error = &std::get<Is>(slots_).held_error(), true)) || ...));
        return error;
    }
    template <class Slot>
    static auto result_of(Slot& child) {
        if constexpr (is_void<Slot>) {
            return std::tuple<>();
        } else {
            return std::tuple<decltype(child.take())>(child.take_value());
        }
    }

    union {
        typename slots_type<Slots...>::type slots_;
    };
};

}  // namespace coex::inline v0::detail
