#pragma once

#include <exec/base/std_allocator.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/stop_token.hpp>

#include <cstddef>

namespace coex::inline v0 {

/// The environment of a task: where it is, and by what it can be stopped.
class task_env {
public:
    explicit task_env(const coroutine_base& coroutine) noexcept : coroutine_(&coroutine) {}
    [[nodiscard]] inplace_stop_token query(get_stop_token_t) const noexcept { return coroutine_->stop_token(); }
    [[nodiscard]] context_scheduler query(get_scheduler_t) const noexcept {
        return context_scheduler(coroutine_->context());
    }
    [[nodiscard]] context_scheduler query(get_start_scheduler_t) const noexcept {
        return context_scheduler(coroutine_->context());
    }
    [[nodiscard]] static std::allocator<std::byte> query(get_allocator_t) noexcept { return {}; }

private:
    const coroutine_base* coroutine_;
};

}  // namespace coex::inline v0
