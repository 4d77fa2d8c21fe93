#pragma once

#include <exec/base/config.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/result_completion.hpp>
#include <exec/coro/task.hpp>
#include <exec/vocab/fork_deque.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <tuple>

namespace coex::inline v0::detail {

/// Waits in a parent for several children.
///
/// **The count** [W1]. `remaining_` starts with two units for each child and one for the parent. A child gives one back
/// when it has ended; who started it gives the other one back after that; the parent gives its own back last. Who
/// brings the count to zero continues the parent. So the parent is continued once, after the last child, sees what all
/// of them wrote, and no thread touches this object after it has given its last unit back. As long as all children are
/// started by the parent and end at once, nobody touches the count.
///
/// **Forking.** The parent starts its first child and leaves the others in the thread's fork_deque meanwhile, where an
/// idle worker of the same pool may take them. Those that nobody took it starts afterwards, in order.
///
/// OWNER: the parent until it has given its own unit back; then whoever gives the last one back.
class when_all_waiter : public completion::waiter {
public:
    when_all_waiter(const when_all_waiter&) = delete;
    when_all_waiter& operator=(const when_all_waiter&) = delete;

protected:
    template <class T>
    struct slot_source {
        std::coroutine_handle<task_promise<T>> child;
        when_all_waiter& all;
    };

    /// The waiter of one child, whose frame it owns.
    template <class T>
    class slot : public result_completion<T> {
    public:
        explicit slot(const slot_source<T>& source) noexcept : result_completion<T>(source.all), child_(source.child) {}
        slot(slot&&) = delete;
        slot& operator=(slot&&) = delete;
        ~slot() {
            if (this->inline_ending != outcome::value) [[unlikely]]
                release();
        }

        /// Starts the child on the parent's place. Returns how many units of the count the caller has to give back: two
        /// when it has ended.
        std::size_t start(when_all_waiter& all, execution_context& place) noexcept {
            return units(all, child_.promise().start_inline(place, all.source_.get_token(), *this));
        }
        /// The same where the stack is not deep. Returns how the child has ended.
        COEX_ALWAYS_INLINE outcome start_on_this_stack(when_all_waiter& all, execution_context& place) noexcept {
            return child_.promise().start_on_this_stack(place, all.source_.get_token(), *this);
        }
        /// How many units there are to give back for a child that has ended so.
        COEX_NOINLINE std::size_t units(when_all_waiter& all, outcome ended) noexcept {
            if (ended == outcome::value) return 2;
            if (ended == outcome::none) return 1;
            // A frame that was stopped goes at once: a sibling may wait for what it holds.
            if (ended == outcome::stopped) child_.destroy();
            all.note_failure(*this, ended);
            return 2 + not_with_value;
        }

    private:
        // The frame is there still when the child was never started, or has detached and was not stopped.
        COEX_NOINLINE void release() noexcept {
            if (this->inline_ending == outcome::none && this->ending != outcome::stopped) child_.destroy();
        }

        std::coroutine_handle<task_promise<T>> child_;
    };

    /// A slot that is a job as well, for others to take: it starts the child.
    template <class T>
    class forked_slot : public slot<T>, public work_item {
    public:
        explicit forked_slot(const slot_source<T>& source) noexcept
            : slot<T>(source), work_item(&forked_slot::run_elsewhere) {}

    private:
        static void run_elsewhere(work_item* item) noexcept {
            auto& self = *static_cast<forked_slot*>(item);
            auto& all = static_cast<when_all_waiter&>(*self.owner);
            all.give_back(self.start(all, all.parent_->context()) % not_with_value);
        }
    };

    // The first child is never left for others.
    template <class... Ts>
    struct slots_type {
        using type = std::tuple<>;
    };
    template <class First, class... Others>
    struct slots_type<First, Others...> {
        using type = std::tuple<slot<First>, forked_slot<Others>...>;
    };
    template <class... Ts>
    using slots_of = typename slots_type<Ts...>::type;

    explicit when_all_waiter(coroutine_base* parent, std::size_t children) noexcept
        : waiter(&when_all_waiter::on_child_ended),
          parent_(parent),
          remaining_(2 * children + 1),
          source_(parent != nullptr ? parent->stop_token() : inplace_stop_token()) {}
    ~when_all_waiter() = default;

    [[nodiscard]] coroutine_base* parent() const noexcept { return parent_; }
    void set_parent(coroutine_base& parent) noexcept {
        parent_ = &parent;
        source_.set_parent(parent.stop_token());
    }

    /// Returns where children may be left for others while the parent is at `place`, or null.
    [[nodiscard]] static fork_deque* forks_at(const execution_context& place) noexcept {
        fork_deque* const own = this_thread_forks;
        return own != nullptr && own->home() == &place ? own : nullptr;
    }

    /// The parent has started its children, and has `given` units to give back. Returns true when all have ended, with
    /// values or errors. Otherwise `wait()` goes on.
    [[nodiscard]] bool started(std::size_t children, std::size_t given) noexcept {
        if (given == 2 * children) [[likely]]
            return true;
        own_ = given % not_with_value + 1;
        return own_ == 2 * children + 1 && overall() != outcome::stopped;
    }

    /// Returns true when the parent stays suspended, or is being unwound.
    [[nodiscard]] bool wait(coroutine_base& parent) noexcept;

    /// By another thread than the parent's that started children. LIFETIME: *this may be gone when this returns.
    void give_back(std::size_t units) noexcept;

    /// After the end, unless the parent is stopped: the slot of the first child in time that ended with an error, or
    /// null.
    [[nodiscard]] const void* first_failed() const noexcept { return first_failed_.load(); }

    // Added to the units of a child that ended at once with an error, or stopped.
    static constexpr std::size_t not_with_value = std::size_t{1} << 48;

private:
    static coroutine_base* on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept;
    void note_failure(completion& child, outcome ending) noexcept;
    [[nodiscard]] outcome overall() const noexcept;

    coroutine_base* parent_;
    std::size_t own_;  // units of the parent; set before wait()
    std::atomic<std::size_t> remaining_;
    std::atomic<const void*> first_failed_{
        nullptr};  // a completion; `this` while children were stopped and none failed
    nested_stop_source source_;
};

}  // namespace coex::inline v0::detail
