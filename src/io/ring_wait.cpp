#include "io/ring_wait.hpp"

#include <cstdint>

namespace coex::inline v0::detail {
namespace {

// liburing knows them since 2.9 only.
constexpr unsigned feature_no_iowait = 1U << 17;
constexpr unsigned enter_no_iowait = 1U << 7;

// Shows the kernel all entries that are prepared, as liburing does before it submits; returns how many it has yet to
// take. liburing's own submission knows no flags for the wait.
unsigned publish_entries(io_uring_sq& entries) noexcept {
    entries.sqe_head = entries.sqe_tail;
    io_uring_smp_store_release(entries.ktail, entries.sqe_tail);
    return entries.sqe_tail - io_uring_smp_load_acquire(entries.khead);
}

}  // namespace

void submit_and_wait(io_uring& ring, const __kernel_timespec* longest) noexcept {
    const unsigned prepared = publish_entries(ring.sq);
    unsigned flags = IORING_ENTER_GETEVENTS;
    if ((ring.features & feature_no_iowait) != 0) flags |= enter_no_iowait;
    if (longest == nullptr) {
        io_uring_enter(static_cast<unsigned>(ring.ring_fd), prepared, 1, flags, nullptr);
        return;
    }
    io_uring_getevents_arg argument{};
    argument.ts = reinterpret_cast<std::uintptr_t>(longest);
    flags |= IORING_ENTER_EXT_ARG;
    // Declared with sigset_t* for the other meaning of this argument.
    io_uring_enter2(static_cast<unsigned>(ring.ring_fd), prepared, 1, flags, reinterpret_cast<sigset_t*>(&argument),
                    sizeof argument);
}

}  // namespace coex::inline v0::detail
