#include "pool/observation.hpp"

#include "pool/pool_core.hpp"

#include <atomic>

namespace coex::inline v0::detail {

std::uint64_t observation::next_number() noexcept {
    static std::atomic<std::uint64_t> pools{0};
    return pools.fetch_add(1) + 1;
}

void observed_place::submit(work_item* item) noexcept {
    pool_.observed().task_posted(item);
    pool_.submit(item);
}

timer_service& observed_place::timers() noexcept {
    return pool_.timers();
}

std::size_t observed_place::concurrency() const noexcept {
    return pool_.concurrency();
}

const execution_context& observed_place::threads() const noexcept {
    return pool_;
}

}  // namespace coex::inline v0::detail
