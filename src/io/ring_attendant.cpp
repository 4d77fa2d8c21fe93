#include "io/ring_attendant.hpp"

#include "io/ring.hpp"

#include <exec/base/exceptions.hpp>

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <system_error>

namespace coex::inline v0::detail {
namespace {

using namespace std::chrono_literals;

// An owner that has not come for so long is busy. Longer than what fits between two of its visits takes, when each item
// takes some microseconds; and it costs nothing, as long as it is shorter than the longest nap.
constexpr auto patience = 800us;
constexpr timer_clock::duration shortest_nap = 50us;
constexpr timer_clock::duration longest_nap = 1ms;  // bounds how long a completion waits, and what watching costs
constexpr auto shortest_slice = 100us;              // that the kernel grants
constexpr unsigned most_looks_in_vain = 8;

// The kernel's struct sched_attr, whose header cannot be included beside <sched.h>.
struct scheduling {
    std::uint32_t size = sizeof(scheduling);
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t slice = 0;  // "runtime", in nanoseconds
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
};
static_assert(sizeof(scheduling) == 48);  // its first version

}  // namespace

ring_attendant::~ring_attendant() {
    if (!thread_.joinable()) return;
    ending_.store(true);
    parker_.unpark();
    thread_.join();
}

bool ring_attendant::start() noexcept {
    if (thread_.joinable()) return true;
    COEX_TRY {
        thread_ = std::thread([this] { run(); });
    }
    COEX_CATCH(const std::system_error&) {
        return false;
    }
    pthread_setname_np(thread_.native_handle(), "coex-rings");
    return true;
}

// It works for microseconds, often beside threads that compute: a wait for the end of their time slice, some
// milliseconds, would come on top of what is to be kept short. Whatever is refused here only makes it slower.
void ring_attendant::be_prompt() const noexcept {
    // The worker that has started it may be pinned, and compute.
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    for (const unsigned each : cpus_) {
        if (each < CPU_SETSIZE) CPU_SET(each, &cpus);
    }
    if (CPU_COUNT(&cpus) != 0) ::sched_setaffinity(0, sizeof cpus, &cpus);

    ::prctl(PR_SET_TIMERSLACK, 1UL);

    // Since Linux 6.12 a thread that asks for a short slice is preferred when it wakes, and gets no more in all.
    scheduling now;
    if (::syscall(SYS_sched_getattr, 0, &now, sizeof now, 0U) != 0 || now.policy != SCHED_OTHER) return;
    now.slice = std::chrono::nanoseconds(shortest_slice).count();
    ::syscall(SYS_sched_setattr, 0, &now, 0U);
}

void ring_attendant::run() noexcept {
    be_prompt();
    auto nap = shortest_nap;
    unsigned in_vain = 0;
    while (!ending_.load()) {
        const outcome found = look_at_all();
        nap = found.given ? shortest_nap : std::min(2 * nap, longest_nap);
        in_vain = found.needed ? 0 : in_vain + 1;
        if (in_vain == most_looks_in_vain) {
            sleep();
            nap = shortest_nap;
            in_vain = 0;
        } else {
            parker_.park(timer_clock::now() + nap);
        }
    }
}

void ring_attendant::sleep() noexcept {
    asleep_.store(true);  // [A1] before the last look
    while (asleep_.load() && !is_needed() && !ending_.load()) parker_.park(timer_clock::time_point::max());
    asleep_.store(false);
}

bool ring_attendant::is_needed() const noexcept {
    return std::any_of(rings_.begin(), rings_.end(), [](const std::atomic<ring*>& each) {
        const ring* const made = each.load();
        return made != nullptr && made->needs_attention();
    });
}

ring_attendant::outcome ring_attendant::look_at_all() noexcept {
    outcome all;
    const auto now = timer_clock::now();
    for (std::size_t i = 0; i < rings_.size(); ++i) {
        ring* const made = rings_[i].load();
        if (made == nullptr) continue;
        if (made->needs_attention()) {
            all.needed = true;
            if (look_after(*made, seen_[i], now)) all.given = true;
        } else {
            seen_[i].since = {};
        }
    }
    return all;
}

bool ring_attendant::look_after(ring& which, look& seen, timer_clock::time_point now) noexcept {
    const std::uint64_t visits = which.visits();
    if (seen.since == timer_clock::time_point{} || visits != seen.visits) {
        seen = {visits, now, false};
        return false;
    }
    if (now - seen.since < patience) return false;
    const auto attention = which.attend();
    const bool again = seen.announced;
    seen.announced = attention == ring::attention::announced;
    // What was announced is there at the next look, which should come soon; or the owner's thread does not get to it.
    return attention == ring::attention::given || (seen.announced && !again);
}

}  // namespace coex::inline v0::detail
