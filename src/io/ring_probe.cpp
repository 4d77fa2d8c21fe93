#include "io/ring.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace coex::inline v0::detail {
namespace {

std::string why_refused(int error) {
    const std::string answer = std::string("io_uring_setup: ") + std::strerror(error);
    switch (error) {
        case ENOSYS:
            return answer +
                   ": the kernel has no io_uring, or a seccomp filter hides it (containers: allow the io_uring_* "
                   "system calls)";
        case EPERM: {
            std::ifstream sysctl("/proc/sys/kernel/io_uring_disabled");
            int disabled = 0;
            if (sysctl >> disabled && disabled != 0) {
                return answer + ": forbidden by the sysctl kernel.io_uring_disabled=" + std::to_string(disabled);
            }
            return answer + ": forbidden, probably by a seccomp filter (containers: allow the io_uring_* system calls)";
        }
        case EINVAL:
            return answer + ": the kernel is older than 5.19, which coex needs for io_uring";
        case ENOMEM:
            return answer + ": not enough memory may be locked; raise RLIMIT_MEMLOCK (ulimit -l)";
        case EMFILE:
        case ENFILE:
            return answer + ": no file descriptor left; raise RLIMIT_NOFILE (ulimit -n)";
        default:
            return answer;
    }
}

constexpr std::array needed = {IORING_OP_OPENAT,   IORING_OP_READ,         IORING_OP_WRITE,   IORING_OP_STATX,
                               IORING_OP_FSYNC,    IORING_OP_CLOSE,        IORING_OP_RECV,    IORING_OP_SEND,
                               IORING_OP_RECVMSG,  IORING_OP_SENDMSG,      IORING_OP_ACCEPT,  IORING_OP_CONNECT,
                               IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL, IORING_OP_OPENAT2, IORING_OP_READV,
                               IORING_OP_WRITEV};

}  // namespace

std::string ring::why_not() {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL;
    io_uring trial{};
    if (const int failed = io_uring_queue_init_params(4, &trial, &parameters); failed < 0) return why_refused(-failed);
    std::string reason;
    if (io_uring_probe* probe = io_uring_get_probe_ring(&trial)) {
        for (const int opcode : needed) {
            if (io_uring_opcode_supported(probe, opcode) == 0) {
                reason = "the kernel's io_uring lacks operation " + std::to_string(opcode);
            }
        }
        io_uring_free_probe(probe);
    } else {
        reason = "the kernel's io_uring does not tell its operations";
    }
    io_uring_queue_exit(&trial);
    return reason;
}

}  // namespace coex::inline v0::detail
