#include <exec/pool/default_pool.hpp>

#include <exec/base/exceptions.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <atomic>
#include <mutex>
#include <stdexcept>

namespace coex::inline v0 {
namespace {

constinit std::mutex making;
constinit std::atomic<static_thread_pool*> made{nullptr};  // written once, under the mutex

}  // namespace

static_thread_pool& default_pool() {
    if (static_thread_pool* const present = made.load()) return *present;
    const std::lock_guard lock(making);
    if (made.load() == nullptr) made.store(new static_thread_pool(pool_options{.name = "default"}));
    return *made.load();
}

void configure_default_pool(pool_options options) {
    const std::lock_guard lock(making);
    if (made.load() != nullptr) {
        detail::throw_exception(std::logic_error(
            "configure_default_pool: the default pool exists already, by its first use or an earlier call; configure "
            "it "
            "before anything uses it"));
    }
    made.store(new static_thread_pool(std::move(options)));
}

}  // namespace coex::inline v0
