#include <exec/pool/static_thread_pool.hpp>

#include "pool/pool_access.hpp"
#include "pool/pool_core.hpp"

namespace coex::inline v0 {

static_thread_pool::static_thread_pool(pool_options options)
    : core_(new detail::pool_core(std::move(options))), context_(&core_->place()), gate_(core_->gate()) {}

static_thread_pool::~static_thread_pool() {
    delete core_;  // what still runs in there reaches the pool through core_
    // For who uses the pool after its end: a plain store to an object that ends would be left out.
    *const_cast<execution_context* volatile*>(&context_) = nullptr;
}

unsigned static_thread_pool::thread_count() const noexcept {
    return core_->options().threads;
}

std::optional<unsigned> static_thread_pool::this_thread_index() const noexcept {
    if (const detail::worker* const here = core_->current_worker()) return here->index();
    return std::nullopt;
}

const std::string& static_thread_pool::name() const noexcept {
    return core_->options().name;
}

pool_stats static_thread_pool::stats() const noexcept {
    return core_->stats();
}

execution_context& static_thread_pool::at_other(priority level) noexcept {
    return core_->place(level);
}

void static_thread_pool::enqueue_item(work_item* item, execution_context& where) {
    if (&where != context_) return where.submit(item);
    core_->submit_task(item);
}

void static_thread_pool::unowned_exception(std::exception_ptr error) noexcept {
    core_->unowned_exception(std::move(error));
}

namespace detail {

void unowned_exception(pool_core& pool, std::exception_ptr error) noexcept {
    pool.unowned_exception(std::move(error));
}

std::exception_ptr submission_stopped() noexcept {
    return std::make_exception_ptr(operation_stopped("submit: the work was stopped before it had a result"));
}

pool_core& pool_access::core(static_thread_pool& pool) noexcept {
    return *pool.core_;
}

}  // namespace detail
}  // namespace coex::inline v0
