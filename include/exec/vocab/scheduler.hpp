#pragma once

#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/priority.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/work_item.hpp>

#include <type_traits>
#include <utility>

namespace coex::inline v0 {

class context_scheduler;

/// Completes on a thread of its execution context. Cannot fail and allocates nothing.
///
/// Awaited in a task, it moves the task: from then on the task resumes there.
class schedule_sender {
public:
    using sender_concept = sender_tag;
    using completion_signatures = coex::completion_signatures<set_value_t()>;

    explicit schedule_sender(execution_context& context) noexcept : context_(&context) {}

    /// Knows the scheduler: it completes nowhere else.
    class attributes {
    public:
        explicit attributes(execution_context& context) noexcept : context_(&context) {}
        template <class... Env>
        [[nodiscard]] context_scheduler query(get_completion_scheduler_t<set_value_t>, const Env&...) const noexcept;

    private:
        execution_context* context_;
    };

    template <class Receiver>
    class operation : work_item {
    public:
        using operation_state_concept = operation_state_tag;

        operation(execution_context& context, Receiver&& receiver) noexcept
            : work_item(&operation::complete), context_(&context), receiver_(std::move(receiver)) {}
        void start() & noexcept { context_->submit(this); }

    private:
        static void complete(work_item* item) noexcept {
            set_value(std::move(static_cast<operation*>(item)->receiver_));
        }

        execution_context* context_;
        Receiver receiver_;
    };

    template <receiver Receiver>
    [[nodiscard]] operation<Receiver> connect(Receiver receiver) const noexcept {
        return {*context_, std::move(receiver)};
    }

    [[nodiscard]] attributes get_env() const noexcept { return attributes(*context_); }
    [[nodiscard]] execution_context& context() const noexcept { return *context_; }

private:
    execution_context* context_;
};

/// A handle of an execution context: of a pool, a run loop, or of "wherever this task is".
///
/// Thread-safe: yes.
/// Lifetime:    the context must outlive the work that is scheduled on it.
class context_scheduler {
public:
    using scheduler_concept = scheduler_tag;

    explicit context_scheduler(execution_context& context) noexcept : context_(&context) {}

    [[nodiscard]] schedule_sender schedule() const noexcept { return schedule_sender(*context_); }
    [[nodiscard]] static constexpr forward_progress_guarantee query(get_forward_progress_guarantee_t) noexcept {
        return forward_progress_guarantee::parallel;
    }
    [[nodiscard]] priority query(get_priority_t) const noexcept { return context_->level(); }
    [[nodiscard]] execution_context& context() const noexcept { return *context_; }
    friend bool operator==(const context_scheduler&, const context_scheduler&) noexcept = default;

private:
    execution_context* context_;
};

template <class... Env>
context_scheduler schedule_sender::attributes::query(get_completion_scheduler_t<set_value_t>,
                                                     const Env&...) const noexcept {
    return context_scheduler(*context_);
}

}  // namespace coex::inline v0
