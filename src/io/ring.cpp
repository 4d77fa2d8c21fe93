#include "io/ring.hpp"

#include "io/service.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace coex::inline v0::detail {
namespace {

constexpr unsigned submission_entries = 256;
constexpr unsigned completion_entries = 4096;

// What user_data means when it is not an operation.
constexpr std::uint64_t data_of_cancel = 0;
constexpr std::uint64_t data_of_wake_up = 1;

// Linux gives user space 47 bits of address unless it asks for more; the rest of user_data is the generation.
constexpr unsigned generation_shift = 48;
constexpr std::uint64_t address_mask = (std::uint64_t{1} << generation_shift) - 1;

std::uint64_t data_of(io_operation& operation) noexcept {
    return (reinterpret_cast<std::uintptr_t>(&operation) & address_mask) |
           std::uint64_t{io_operation_access::generation(operation)} << generation_shift;
}

// A system call that was interrupted answers with a number that user space does not know: the kernel's entry code turns
// it into EINTR or a restart, but io_uring hands some of them through (ERESTARTSYS, -NOINTR, -NOHAND, -RESTARTBLOCK).
int answer_of(int result) noexcept {
    switch (-result) {
        case 512:
        case 513:
        case 514:
        case 516:
            return -EINTR;
        default:
            return result;
    }
}

io_operation& operation_of(std::uint64_t data) noexcept {
    return *reinterpret_cast<io_operation*>(data & address_mask);
}

// What the kernel transfers at most by one call.
unsigned bounded(std::size_t length) noexcept {
    constexpr std::size_t most = 0x7ffff000;
    return static_cast<unsigned>(std::min(length, most));
}

void fill_for_socket(io_uring_sqe* entry, const io_request& request) noexcept {
    // The kernel goes on by itself after a part of a whole transfer, as far as it can.
    const int whole = request.whole ? MSG_WAITALL : 0;
    switch (request.opcode) {
        case io_opcode::receive:
            io_uring_prep_recv(entry, request.descriptor, request.rest(), bounded(request.rest_bytes()), whole);
            break;
        case io_opcode::send:
            io_uring_prep_send(entry, request.descriptor, request.rest(), bounded(request.rest_bytes()),
                               whole | MSG_NOSIGNAL);
            break;
        case io_opcode::receive_message:
            io_uring_prep_recvmsg(entry, request.descriptor, static_cast<msghdr*>(request.buffer), MSG_CMSG_CLOEXEC);
            break;
        case io_opcode::send_message:
            io_uring_prep_sendmsg(entry, request.descriptor, static_cast<msghdr*>(request.buffer), MSG_NOSIGNAL);
            break;
        case io_opcode::accept:
            io_uring_prep_accept(entry, request.descriptor, nullptr, nullptr, SOCK_CLOEXEC);
            break;
        case io_opcode::connect:
            io_uring_prep_connect(entry, request.descriptor, static_cast<const sockaddr*>(request.buffer),
                                  static_cast<socklen_t>(request.length));
            break;
        default:
            io_uring_prep_poll_add(entry, request.descriptor, static_cast<unsigned>(request.flags));
            break;
    }
}

void fill(io_uring_sqe* entry, const io_request& request) noexcept {
    const unsigned length = bounded(request.length);
    switch (request.opcode) {
        case io_opcode::open:
            io_uring_prep_openat(entry, AT_FDCWD, request.path, request.flags | O_CLOEXEC, request.mode);
            break;
        case io_opcode::open_below:
            io_uring_prep_openat2(entry, request.descriptor, request.path, static_cast<open_how*>(request.buffer));
            break;
        case io_opcode::read_blocks:
            io_uring_prep_readv(entry, request.descriptor, static_cast<const iovec*>(request.buffer), length,
                                request.offset);
            break;
        case io_opcode::write_blocks:
            io_uring_prep_writev(entry, request.descriptor, static_cast<const iovec*>(request.buffer), length,
                                 request.offset);
            break;
        case io_opcode::read:
            io_uring_prep_read(entry, request.descriptor, request.buffer, length, request.offset);
            break;
        case io_opcode::write:
            io_uring_prep_write(entry, request.descriptor, request.buffer, length, request.offset);
            entry->rw_flags = request.flags;
            break;
        case io_opcode::statx:
            io_uring_prep_statx(entry, request.path == nullptr ? request.descriptor : AT_FDCWD,
                                request.path == nullptr ? "" : request.path,
                                request.flags | (request.path == nullptr ? AT_EMPTY_PATH : 0), STATX_BASIC_STATS,
                                request.status);
            break;
        case io_opcode::fsync:
            io_uring_prep_fsync(entry, request.descriptor, request.flags != 0 ? IORING_FSYNC_DATASYNC : 0);
            break;
        case io_opcode::close:
            io_uring_prep_close(entry, request.descriptor);
            break;
        default:
            fill_for_socket(entry, request);
            break;
    }
}

}  // namespace

std::unique_ptr<ring> ring::make(io_service& service, int& failed) {
    std::unique_ptr<ring> made(new ring(service));
    failed = -made->set_up();
    if (failed != 0) made.reset();
    return made;
}

int ring::set_up() noexcept {
    io_uring_params parameters{};
    // Completions are posted when the worker enters the kernel anyway, and a flag in memory tells that some wait: no
    // interrupt of a computing worker (COOP_TASKRUN, TASKRUN_FLAG). Not SINGLE_ISSUER and DEFER_TASKRUN: no other
    // thread could ever submit or reap for a busy owner.
    parameters.flags =
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
    parameters.cq_entries = completion_entries;
    if (const int failed = io_uring_queue_init_params(submission_entries, &ring_, &parameters); failed < 0)
        return failed;
    made_ = true;
    wake_descriptor_ = ::eventfd(0, EFD_CLOEXEC);
    return wake_descriptor_ < 0 ? -errno : 0;
}

ring::~ring() {
    if (made_) io_uring_queue_exit(&ring_);
    if (wake_descriptor_ >= 0) ::close(wake_descriptor_);
}

void ring::start(io_operation& operation) noexcept {
    io_operation_access::generation(operation) = next_generation_++;
    ++unfinished_;
    if (!try_prepare(operation)) backlog_.push_back(&operation);
}

bool ring::try_prepare(io_operation& operation) noexcept {
    io_uring_sqe* const entry = free_entry();
    if (entry == nullptr) return false;
    fill(entry, io_operation_access::request(operation));
    io_uring_sqe_set_data64(entry, data_of(operation));
    return true;
}

io_uring_sqe* ring::free_entry() noexcept {
    if (io_uring_sqe* entry = io_uring_get_sqe(&ring_)) return entry;
    submit_prepared();
    return io_uring_get_sqe(&ring_);
}

bool ring::is_refused() noexcept {
    // ORDER: relaxed; a test's, whose count need not be met at a certain submission.
    unsigned left = refused_submissions.load(std::memory_order_relaxed);
    while (left != 0 && !refused_submissions.compare_exchange_weak(left, left - 1)) {
    }
    return left != 0;
}

void ring::submit_prepared() noexcept {
    // A refusal (-EBUSY while completions overflow, -EAGAIN without memory, -EINTR) leaves the entries where they are:
    // the next poll() or park() submits them.
    if (io_uring_sq_ready(&ring_) != 0 && !is_refused()) io_uring_submit(&ring_);
}

void ring::prepare_backlog() noexcept {
    while (!backlog_.empty()) {
        work_item* const item = backlog_.pop_front();
        if (try_prepare(static_cast<io_operation&>(*item))) continue;
        work_queue rest;
        rest.push_back(item);
        rest.append(backlog_);
        backlog_.append(rest);
        return;
    }
}

void ring::cancel(io_operation& operation) noexcept {
    {
        const std::lock_guard lock(inbox_mutex_);
        inbox_.push_back(operation);
        inbox_full_.store(true);
    }
    unpark();
}

void ring::cancel_all() noexcept {
    {
        const std::lock_guard lock(inbox_mutex_);
        all_asked_ = true;
        inbox_full_.store(true);
    }
    unpark();
}

void ring::forget(io_operation& operation) noexcept {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.remove(operation);
}

bool ring::prepare_cancel(std::uint64_t target, int flags) noexcept {
    io_uring_sqe* const entry = free_entry();
    if (entry == nullptr) return false;
    io_uring_prep_cancel64(entry, target, flags);
    io_uring_sqe_set_data64(entry, data_of_cancel);
    return true;
}

void ring::prepare_cancellations() noexcept {
    // What waits for an entry must be submitted before its cancellation, which would not find it otherwise.
    if (!inbox_full_.load() || !backlog_.empty()) return;
    const std::lock_guard lock(inbox_mutex_);
    inbox_full_.store(false);
    while (io_operation* operation = inbox_.pop_front()) {
        if (prepare_cancel(data_of(*operation), 0)) continue;
        inbox_.push_back(*operation);
        inbox_full_.store(true);
        return;
    }
    if (!all_asked_) return;
    if (prepare_cancel(0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL)) {
        all_asked_ = false;
    } else {
        inbox_full_.store(true);
    }
}

bool ring::poll() noexcept {
    prepare_backlog();
    prepare_cancellations();
    submit_prepared();
    return reap();
}

bool ring::reap() noexcept {
    constexpr unsigned most = 64;
    std::array<io_uring_cqe*, most> entries{};
    bool any = false;
    for (;;) {
        const unsigned count = io_uring_peek_batch_cqe(&ring_, entries.data(), most);
        for (unsigned i = 0; i < count; ++i) {
            const std::uint64_t data = io_uring_cqe_get_data64(entries[i]);
            if (data == data_of_wake_up) {
                wake_watched_ = false;  // it ended, also if everything was cancelled: park() watches anew
            } else if (data != data_of_cancel) {
                --unfinished_;
                // LIFETIME: the operation is gone afterwards, unless it was begun again. Nothing resumes in here.
                service_.finish_transfer(operation_of(data), answer_of(entries[i]->res));
                any = true;
            }
        }
        io_uring_cq_advance(&ring_, count);
        if (count < most) return any;
    }
}

void ring::watch_wake_up() noexcept {
    if (wake_watched_) return;
    io_uring_sqe* const entry = free_entry();
    if (entry == nullptr) return;
    io_uring_prep_read(entry, wake_descriptor_, &wake_count_, sizeof wake_count_, 0);
    io_uring_sqe_set_data64(entry, data_of_wake_up);
    wake_watched_ = true;
}

void ring::park(timer_clock::time_point deadline) noexcept {
    watch_wake_up();
    sleep expected = sleep::awake;
    // What found no entry must be tried again before a sleep that nothing else would end.
    const bool left_over = !backlog_.empty() || inbox_full_.load() || !wake_watched_;
    if (left_over || is_refused() || !state_.compare_exchange_strong(expected, sleep::parked)) {
        state_.exchange(sleep::awake);
        submit_prepared();
        return;
    }
    io_uring_cqe* ignored = nullptr;
    if (deadline == timer_clock::time_point::max()) {
        io_uring_submit_and_wait(&ring_, 1);
    } else {
        const auto left = std::max(deadline - timer_clock::now(), timer_clock::duration::zero());
        const auto nanoseconds = std::chrono::ceil<std::chrono::nanoseconds>(left).count();
        __kernel_timespec time{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
        io_uring_submit_and_wait_timeout(&ring_, &ignored, 1, &time, nullptr);
    }
    // An exchange, not a store: what the waker did before unpark() is visible from here on.
    state_.exchange(sleep::awake);
}

void ring::unpark() noexcept {
    if (state_.exchange(sleep::notified) != sleep::parked) return;
    const std::uint64_t one = 1;
    // Cannot fail but by interruption: the counter is far from its maximum.
    while (::write(wake_descriptor_, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

}  // namespace coex::inline v0::detail
