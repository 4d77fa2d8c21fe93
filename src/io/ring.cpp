#include "io/ring.hpp"

#include "io/multishot.hpp"
#include "io/ring_attendant.hpp"
#include "io/ring_data.hpp"
#include "io/ring_entry.hpp"
#include "io/ring_wait.hpp"
#include "io/service.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace coex::inline v0::detail {
namespace {

constexpr unsigned submission_entries = 256;

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

// What completes later, when something comes: nothing is lost when it is submitted a little later, before a sleep.
bool waits_for_others(io_opcode opcode) noexcept {
    return waits_for_readiness(opcode) && opcode != io_opcode::send && opcode != io_opcode::send_message &&
           opcode != io_opcode::connect;
}

io_operation& operation_of(std::uint64_t data) noexcept {
    return *reinterpret_cast<io_operation*>(data & address_mask);
}

}  // namespace

std::unique_ptr<ring> ring::make(io_service& service, ring_attendant* attendant, int& failed) {
    std::unique_ptr<ring> made(new ring(service, attendant));
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
    parameters.cq_entries = completion_entries.load();
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
    if (worker::current() == nullptr) return give_back(operation);
    const auto lock = lock_if_attended();
    count_one_more();
    if (!try_prepare(operation)) backlog_.push_back(&operation);
    // ORDER: relaxed; a hint, of which the attendant makes sure under the lock.
    unsubmitted_.store(true, std::memory_order_relaxed);
    // [A3] A cancellation that the attendant has sent before, from the inbox, has hit nothing.
    if (!io_service::is_stop_asked(operation)) return;
    const std::lock_guard inbox_lock(inbox_mutex_);
    ask_once_more(operation);
}

std::unique_lock<owner_lock> ring::lock_if_attended() const noexcept {
    return attendant_ == nullptr ? std::unique_lock<owner_lock>() : std::unique_lock(lock_);
}

void ring::count_one_more() noexcept {
    // ORDER: relaxed; written under lock_.
    const std::size_t before = unfinished_.load(std::memory_order_relaxed);
    if (before != 0 || attendant_ == nullptr) {
        // ORDER: relaxed; the attendant asks only whether it is 0.
        unfinished_.store(before + 1, std::memory_order_relaxed);
        return;
    }
    unfinished_.store(1);  // [A1] before the look whether the attendant sleeps
    attendant_->come();
}

// Only the attendant: it must not wait for the owner, which may be asleep with the lock.
void ring::give_back(io_operation& operation) noexcept {
    {
        const std::lock_guard lock(inbox_mutex_);
        returned_.push_back(&operation);
        inbox_full_.store(true);
    }
    unpark();
}

void ring::take_back() noexcept {
    if (!inbox_full_.load()) return;
    const std::lock_guard lock(inbox_mutex_);
    while (work_item* const item = returned_.pop_front()) {
        auto& operation = static_cast<io_operation&>(*item);
        count_one_more();
        backlog_.push_back(&operation);
        // [A3] A cancellation that was sent while the operation was in the attendant's hands has hit nothing.
        if (io_service::is_stop_asked(operation)) ask_once_more(operation);
    }
}

bool ring::try_prepare(io_operation& operation) noexcept {
    io_uring_sqe* const entry = free_entry();
    if (entry == nullptr) return false;
    io_operation_access::generation(operation) = next_generation_++;
    io_request& request = io_operation_access::request(operation);
    if (takes_buffers(request.opcode)) {
        prepare_receiving(static_cast<multishot_operation&>(operation), *entry);
        return true;
    }
    fill_entry(*entry, request);
    if (!waits_for_others(request.opcode)) urgent_ = true;
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

int ring::submit_prepared() noexcept {
    // A refusal (-EBUSY while completions overflow, -EAGAIN without memory, -EINTR) leaves the entries where they are:
    // the next poll() or park() submits them.
    const int submitted = io_uring_sq_ready(&ring_) != 0 && !is_refused() ? io_uring_submit(&ring_) : 0;
    urgent_ = io_uring_sq_ready(&ring_) != 0;
    return submitted;
}

void ring::prepare_all() noexcept {
    take_back();
    prepare_backlog();
    ask_again_if_due();
    prepare_cancellations();
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

// Nothing is there but entries that will wait, so park() may submit them by the same system call by which it sleeps. It
// does not count as a visit: the attendant comes to an owner that does something else instead.
bool ring::can_wait_for_park() const noexcept {
    if (urgent_ || io_uring_sq_ready(&ring_) == 0 || !backlog_.empty() || inbox_full_.load()) return false;
    // ORDER: relaxed; written under lock_.
    return !asks_again_.load(std::memory_order_relaxed) && !has_completions();
}

bool ring::awaits_something() const noexcept {
    // ORDER: relaxed; a hint. Only the attendant writes it beside this thread.
    return unfinished_.load(std::memory_order_relaxed) != 0;
}

bool ring::poll(submission when) noexcept {
    bool any = false;
    completions taken;
    {
        const auto lock = lock_if_attended();
        if (when == submission::may_wait && can_wait_for_park()) return false;
        note_visit();
        prepare_all();
        submit_prepared();
        note_what_is_left();
        take_completions(taken);
    }
    for (;;) {
        hand_over(taken);
        any = any || taken.count != 0 || taken.parts;
        if (!taken.more) return any;
        const auto lock = lock_if_attended();
        take_completions(taken);
    }
}

void ring::note_visit() noexcept {
    // ORDER: relaxed; see visits().
    visits_.store(visits_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void ring::note_what_is_left() noexcept {
    // ORDER: relaxed; as in start().
    unsubmitted_.store(io_uring_sq_ready(&ring_) != 0 || !backlog_.empty(), std::memory_order_relaxed);
}

// Without the lock, from what is written atomically: by the owner, by the kernel, or by who fills the inbox.
bool ring::is_something_to_do() const noexcept {
    // ORDER: relaxed; hints, all of them: a stale one costs a visit in vain, or one that comes a look later.
    if (unsubmitted_.load(std::memory_order_relaxed) || inbox_full_.load()) return true;
    // ORDER: relaxed; as above.
    if (asks_again_.load(std::memory_order_relaxed)) return true;
    return has_completions();
}

bool ring::has_completions() const noexcept {
    constexpr unsigned completions_wait = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;
    const unsigned taken = io_uring_smp_load_acquire(ring_.cq.khead);
    return io_uring_smp_load_acquire(ring_.cq.ktail) != taken ||
           (IO_URING_READ_ONCE(*ring_.sq.kflags) & completions_wait) != 0;
}

ring::attention ring::attend() noexcept {
    // Entering interrupts the owner's thread, which makes the kernel post the completions that wait for it.
    if (!is_something_to_do() || !lock_.try_enter()) return attention::refused;
    prepare_all();
    const bool submitted = submit_prepared() > 0;
    note_what_is_left();
    completions taken;
    take_completions(taken);
    if (taken.count != 0) {
        const std::lock_guard inbox_lock(inbox_mutex_);
        in_hand_ = true;
    }
    // ORDER: relaxed; the kernel's flag, a hint: a stale one costs a look more.
    const bool announced = (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0;
    lock_.leave();
    if (taken.count != 0) {
        // What is in hand is not finished, so the pool is still there, and stays until all is handed over or given
        // back.
        const pool_core::visit present(service_.pool());
        hand_over(taken);
        // LIFETIME: the ring stays until the attendant has ended.
        const std::lock_guard lock(inbox_mutex_);
        in_hand_ = false;
    }
    if (taken.count != 0 || taken.parts || submitted) return attention::given;
    return announced ? attention::announced : attention::refused;
}

bool ring::lets_thread_end() const noexcept {
    const auto lock = lock_if_attended();
    const std::lock_guard inbox_lock(inbox_mutex_);
    return unfinished_.load() == 0 && !in_hand_ && returned_.empty();
}

void ring::take_completions(completions& taken) noexcept {
    std::array<io_uring_cqe*, most_taken> entries{};
    const unsigned count = io_uring_peek_batch_cqe(&ring_, entries.data(), most_taken);
    taken.count = 0;
    taken.parts = false;
    taken.more = count == most_taken;
    bool missed = false;
    for (unsigned i = 0; i < count; ++i) {
        const std::uint64_t data = io_uring_cqe_get_data64(entries[i]);
        if (data == data_of_wake_up) {
            wake_watched_ = false;  // it ended, also if everything was cancelled: park() watches anew
        } else if (data == data_of_cancel) {
            // EALREADY: a thread of the kernel has it, which may find that it would wait and leave it to a watch yet.
            if (entries[i]->res == -ENOENT || entries[i]->res == -EALREADY) {
                missed = true;
            } else {
                ask_pause_ = shortest_ask_pause;
            }
        } else if (data == data_of_cancel_all) {
            missed = true;  // how many it found says nothing of those that it did not reach: until nothing is left
        } else {
            io_operation& operation = operation_of(data);
            if (is_multishot(io_operation_access::request(operation).opcode)) {
                taken.parts = true;
                if (deliver_part(static_cast<multishot_operation&>(operation), *entries[i])) continue;
            }
            taken.entries[taken.count++] = {&operation, answer_of(entries[i]->res)};
        }
    }
    io_uring_cq_advance(&ring_, count);
    // ORDER: relaxed; written under lock_, and the attendant may come once in vain.
    unfinished_.store(unfinished_.load(std::memory_order_relaxed) - taken.count, std::memory_order_relaxed);
    if (missed || (ending_ && taken.count != 0)) ask_again_later();
}

void ring::hand_over(const completions& taken) noexcept {
    for (unsigned i = 0; i < taken.count; ++i) {
        // LIFETIME: the operation is gone afterwards, unless it was begun again. Nothing resumes in here.
        service_.finish_transfer(*taken.entries[i].operation, taken.entries[i].result);
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
    {
        const auto lock = lock_if_attended();
        note_visit();
        watch_wake_up();
        sleep expected = sleep::awake;
        // What found no entry must be tried again before a sleep that nothing else would end.
        const bool left_over = !backlog_.empty() || inbox_full_.load() || !wake_watched_;
        if (left_over || is_refused() || !state_.compare_exchange_strong(expected, sleep::parked)) {
            state_.exchange(sleep::awake);
            submit_prepared();
            return;
        }
        if (attendant_ != nullptr) resting_.store(true);
        sleep_until(std::min(deadline, ask_again_at_));
        urgent_ = io_uring_sq_ready(&ring_) != 0;
        // An exchange, not a store: what the waker did before unpark() is visible from here on.
        state_.exchange(sleep::awake);
        note_what_is_left();
        if (attendant_ != nullptr) resting_.store(false);  // [A1] before the look whether the attendant sleeps
    }
    if (attendant_ != nullptr && needs_attention()) attendant_->come();
}

void ring::sleep_until(timer_clock::time_point deadline) noexcept {
    // Refused, by the kernel too: it does not wait then, as among the entries may be what would end the sleep.
    if (io_uring_sq_ready(&ring_) != 0 && is_refused()) return;
    if (deadline == timer_clock::time_point::max()) return submit_and_wait(ring_, nullptr);
    // Compared first: what lies between now and the beginning of time is more than a duration holds.
    const auto now = timer_clock::now();
    const auto left = deadline > now ? deadline - now : timer_clock::duration::zero();
    const auto nanoseconds = std::chrono::ceil<std::chrono::nanoseconds>(left).count();
    const __kernel_timespec time{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    submit_and_wait(ring_, &time);
}

void ring::unpark() noexcept {
    if (state_.exchange(sleep::notified) != sleep::parked) return;
    const std::uint64_t one = 1;
    // Cannot fail but by interruption: the counter is far from its maximum.
    while (::write(wake_descriptor_, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

}  // namespace coex::inline v0::detail
