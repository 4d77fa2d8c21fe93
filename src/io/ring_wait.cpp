#include "io/ring_wait.hpp"

#include <cstdint>

namespace coex::inline v0::detail {
namespace {

// liburing knows them since 2.9 only.
constexpr unsigned feature_no_iowait = 1U << 17;
constexpr unsigned enter_no_iowait = 1U << 7;

}  // namespace

void wait_for_completion(const io_uring& ring, const __kernel_timespec* longest) noexcept {
    unsigned flags = IORING_ENTER_GETEVENTS;
    if ((ring.features & feature_no_iowait) != 0) flags |= enter_no_iowait;
    if (longest == nullptr) {
        io_uring_enter(static_cast<unsigned>(ring.ring_fd), 0, 1, flags, nullptr);
        return;
    }
    io_uring_getevents_arg argument{};
    argument.ts = reinterpret_cast<std::uintptr_t>(longest);
    flags |= IORING_ENTER_EXT_ARG;
    // Declared with sigset_t* for the other meaning of this argument.
    io_uring_enter2(static_cast<unsigned>(ring.ring_fd), 0, 1, flags, reinterpret_cast<sigset_t*>(&argument),
                    sizeof argument);
}

}  // namespace coex::inline v0::detail
