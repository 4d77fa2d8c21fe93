#include <exec/pool/thread_body.hpp>

#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <exec/base/assert.hpp>

namespace coex::inline v0 {

thread_body::~thread_body() {
    if (worker_ != nullptr) worker_->pool().drop_body(*worker_);
}

unsigned thread_body::index() const noexcept {
    return worker_->index();
}

const std::string& thread_body::name() const noexcept {
    return worker_->pool().thread_name(worker_->index());
}

std::size_t thread_body::stack_bytes() const noexcept {
    return worker_->pool().options().stack_bytes;
}

void thread_body::run() noexcept {
    COEX_REQUIRE(worker_ != nullptr, "thread_body: run() on a body that was moved from or has run; it runs once");
    detail::worker& self = *std::exchange(worker_, nullptr);
    self.pool().run_body(self);
}

}  // namespace coex::inline v0
