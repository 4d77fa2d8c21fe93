#pragma once

#include <exec/base/config.hpp>
#include <exec/coro/children_waiter.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/result_completion.hpp>
#include <exec/coro/task.hpp>
#include <exec/vocab/stop_token.hpp>

#include <coroutine>
#include <cstddef>

namespace coex::inline v0::detail {

/// Waits in a parent for several tasks. The first one that does not end with a value asks the others to stop.
class when_all_waiter : public children_waiter {
public:
    template <class T>
    struct slot_source {
        std::coroutine_handle<task_promise<T>> child;
        when_all_waiter& all;
    };

    /// The waiter of one child, whose frame it owns until that ends.
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

        static constexpr bool holds_trivially = result_completion<T>::holds_trivially;

        /// Starts the child on the parent's place. Returns how many units of the count the caller has to give back: two
        /// when it has ended.
        std::size_t start(when_all_waiter& all, execution_context& place) noexcept {
            static_cast<void>(child_.promise().start_inline(place, all.source_.get_token(), *this));
            return units(all);
        }
        /// The same where the stack is not deep. Returns true when the child has ended with a value.
        COEX_ALWAYS_INLINE bool start_on_this_stack(when_all_waiter& all, execution_context& place) noexcept {
            return child_.promise().start_on_this_stack(place, all.source_.get_token(), *this) == outcome::value;
        }
        /// How many units there are to give back for a child that was started here.
        COEX_NOINLINE std::size_t units(when_all_waiter& all) noexcept {
            if (this->inline_ending == outcome::value) return 2;
            if (this->inline_ending == outcome::none) return 1;
            // A frame that was stopped goes at once: a sibling may wait for what it holds.
            if (this->inline_ending == outcome::stopped) child_.destroy();
            all.note_failure_at_once(*this, this->inline_ending);
            return 2 + not_with_value;
        }

    private:
        // The frame is there still when the child was never started.
        COEX_NOINLINE void release() noexcept {
            if (this->inline_ending == outcome::none && this->ending == outcome::none) child_.destroy();
        }

        std::coroutine_handle<task_promise<T>> child_;
    };

    /// True for the child whose error the parent gets.
    [[nodiscard]] bool wins(const completion& child) const noexcept { return &child == first_failed(); }

protected:
    explicit when_all_waiter(coroutine_base* parent, std::size_t children) noexcept
        : children_waiter(&when_all_waiter::on_child_ended, parent, children),
          source_(parent != nullptr ? parent->stop_token() : inplace_stop_token()) {}
    ~when_all_waiter() = default;

    void set_parent(coroutine_base& parent) noexcept {
        children_waiter::set_parent(parent);
        source_.set_parent(parent.stop_token());
    }

private:
    static coroutine_base* on_child_ended(completion* self, coroutine_base& child, outcome ending) noexcept;
    void note_failure_at_once(completion& child, outcome ending) noexcept;

    nested_stop_source source_;
};

}  // namespace coex::inline v0::detail
