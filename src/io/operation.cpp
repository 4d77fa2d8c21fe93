#include <exec/io/operation.hpp>

#include "io/service.hpp"
#include "io/system_calls.hpp"

#include <exec/base/config.hpp>

namespace coex::inline v0::detail {

io_operation::io_operation(static_thread_pool& pool) noexcept : work_item(nullptr), pool_(&pool) {}

COEX_NOINLINE bool io_operation::start(coroutine_base& coroutine) {
    if (coroutine.stop_token().stop_requested()) {
        coroutine.unwind_here();
        return true;
    }
    io_service& service = io_service::of(*pool_);
    if (service.try_at_once(*this)) {
        if (!is_turn_over()) return false;
        // LIFETIME: it may go on on another thread before this returns.
        coroutine.detach();
        coroutine.resume_later();
        return true;
    }
    coroutine_ = &coroutine;
    service_ = &service;
    coroutine.detach();
    if (coroutine.stop_token().stop_possible()) stop_callback_.emplace(coroutine.stop_token(), cancel_request{this});
    // LIFETIME: from here on the operation, and the coroutine, may be gone.
    service.begin(*this);
    return true;
}

void io_operation::cancel_request::operator()() const noexcept {
    operation->service_->cancel(*operation);
}

}  // namespace coex::inline v0::detail
