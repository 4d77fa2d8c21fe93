#include "pool/cpu_pause.hpp"
#include "pool/intake_pace.hpp"
#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <algorithm>
#include <cstddef>

// How a worker takes work that came from outside its pool.

namespace coex::inline v0::detail {
namespace {

constexpr std::size_t most_injected = 32;  // leaves room in the ready queue, and something for the other workers

}  // namespace

// Moves work from outside behind what is ready, so that both run in the order in which they came. Returns how many.
std::size_t worker::admit_injected() noexcept {
    injector& outside = pool_.injected();
    if (outside.empty()) return 0;
    const std::size_t room = ready_queue::capacity - ready_.size();  // thieves can only make more
    work_queue taken;
    const std::size_t count = outside.pop(taken, std::min(most_injected, room));
    if (count > 0) ready_.push_all(taken);
    return count;
}

// The same for a worker whose own queues are empty. While it spins it must not keep a processor from those who push.
void worker::admit_stream() noexcept {
    if (!pace_.should_gather() || !spins_ || pool_.is_oversubscribed()) {
        pace_.note_found(admit_injected());
        return;
    }
    const auto begun = timer_clock::now();
    do {
        pause_briefly();
    } while (timer_clock::now() - begun < intake_pace::gathering);
    pace_.note_gathered(admit_injected());
}

}  // namespace coex::inline v0::detail
