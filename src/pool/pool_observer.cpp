#include <exec/pool/pool_observer.hpp>

namespace coex::inline v0 {

void pool_observer::pool_started(const observed_pool&) noexcept {}
void pool_observer::pool_draining(const observed_pool&) noexcept {}
void pool_observer::pool_stopped(const observed_pool&) noexcept {}
void pool_observer::worker_started(const observed_pool&, std::size_t) noexcept {}
void pool_observer::worker_stopped(const observed_pool&, std::size_t) noexcept {}
void pool_observer::worker_parked(const observed_pool&, std::size_t) noexcept {}
void pool_observer::worker_woken(const observed_pool&, std::size_t) noexcept {}
void pool_observer::worker_notified(const observed_pool&, std::size_t) noexcept {}
void pool_observer::task_posted(const observed_pool&, std::uintptr_t, priority) noexcept {}
void pool_observer::task_stolen(const observed_pool&, std::size_t, std::size_t, std::uintptr_t) noexcept {}
void pool_observer::task_started(const observed_pool&, std::size_t, std::uintptr_t) noexcept {}
void pool_observer::task_ended(const observed_pool&, std::size_t, std::uintptr_t) noexcept {}

}  // namespace coex::inline v0
