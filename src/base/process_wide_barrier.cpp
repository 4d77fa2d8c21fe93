#include <exec/base/process_wide_barrier.hpp>

#include <linux/membarrier.h>
#include <syscall.h>
#include <unistd.h>

#include <atomic>

namespace coex::inline v0::detail {
namespace {

long membarrier(int command) noexcept {
    return syscall(SYS_membarrier, command, 0, 0);
}

std::atomic<bool> refused{false};

}  // namespace

bool has_process_wide_barrier() noexcept {
    static const bool registered = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
    return registered && !refused.load();
}

bool process_wide_barrier() noexcept {
    if (!has_process_wide_barrier()) return false;
    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return true;
    refused.store(true);
    return false;
}

}  // namespace coex::inline v0::detail
