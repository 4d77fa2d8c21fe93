#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <chrono>

// What a worker does about jobs that were forked and cannot be taken yet, or that it forked itself.

namespace coex::inline v0::detail {
namespace {

// How long a peer may leave a request for its forked jobs unanswered, before they are published by force: that costs
// about 10 us and interrupts the peer, so it is for peers that compute without forking.
constexpr std::chrono::microseconds patience{30};

}  // namespace

// Jobs that this worker forked further up its stack, where it now waits for something else.
work_item* worker::take_own_fork() noexcept {
    for (;;) {
        if (!forks_.has_jobs()) return nullptr;
        forks_.publish_all();
        bool contended = false;
        if (work_item* item = forks_.steal(contended)) {
            pool_.observed().task_stolen(index_, index_, item);
            return item;
        }
    }
}

void worker::ask_for_forks() noexcept {
    const std::size_t workers = pool_.worker_count();
    bool seen = false;
    for (std::size_t i = 0; i < workers; ++i) {
        // Beginning with the one that was seen last.
        const std::size_t peer = (unanswered_.peer + i) % workers;
        fork_deque& forks = pool_.worker_at(peer).forks_;
        if (&forks == &forks_) continue;
        forks.request();
        if (seen || !forks.has_jobs()) continue;
        seen = true;
        const auto now = timer_clock::now();
        const std::uint64_t progress = forks.progress();
        if (peer != unanswered_.peer || progress != unanswered_.progress) {
            unanswered_ = {peer, progress, now};
        } else if (now - unanswered_.since > patience) {
            forks.force();
            unanswered_.since = now;
        }
    }
}

// For the deque of this worker: a push found that somebody asked.
void worker::jobs_published() noexcept {
    pool_.note_forking();
    pool_.idle().notify_one();
}

}  // namespace coex::inline v0::detail
