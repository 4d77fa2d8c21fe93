#include "pool/priority_level.hpp"

#include "pool/pool_core.hpp"

namespace coex::inline v0::detail {

void priority_level::submit(work_item* item) noexcept {
    pool_.observed().task_posted(item, which_);
    pool_.note_levels();
    submit_linked(item, item);
}

void priority_level::submit_linked(work_item* first, work_item* last) noexcept {
    pool_.inject_into(tasks_, first, last);
    // LIFETIME: the items may have run, and the pool be gone.
}

timer_service& priority_level::timers() noexcept {
    return pool_.timers();
}

std::size_t priority_level::concurrency() const noexcept {
    return pool_.concurrency();
}

const execution_context& priority_level::threads() const noexcept {
    return pool_;
}

}  // namespace coex::inline v0::detail
