#include "pool/worker.hpp"

// What a task lets its worker do before it goes on itself.

namespace coex::inline v0::detail {

// Outside of its loop a worker counts as busy, so it may take anything: what makes items visible has told of them.
bool worker::run_one() noexcept {
    if (!may_help()) return false;
    work_item* item = next_own(afterwards::goes_on);
    if (item == nullptr) item = take_own_fork();
    if (item == nullptr) item = steal();
    if (item == nullptr) return false;
    execute_and_tell(item);
    return true;
}

bool worker::run_one_of_its_own() noexcept {
    if (!may_help()) return false;
    work_item* item = deque_.pop();
    if (item == nullptr) item = take_own_fork();
    if (item == nullptr) item = take_share();
    if (item == nullptr) return false;
    execute_and_tell(item);
    return true;
}

}  // namespace coex::inline v0::detail
