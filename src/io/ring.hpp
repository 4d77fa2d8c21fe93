#pragma once

#include "io/operation_access.hpp"
#include "io/owner_lock.hpp"
#include "io/ring_buffers.hpp"
#include "pool/parker.hpp"

#include <exec/base/counted.hpp>
#include <exec/vocab/work_item.hpp>

#include <liburing.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace coex::inline v0::detail {

class io_service;
class multishot_operation;
class ring_attendant;

/// Lets tests have so many of the next submissions refused, as the kernel does when it is short of memory.
inline std::atomic<unsigned> refused_submissions{0};

/// How many completions a ring made from now on holds before they overflow; at least 256. Lets tests have few.
inline std::atomic<unsigned> completion_entries{4096};

/// A worker's io_uring, in which it also sleeps. Operations are prepared one by one and submitted together, when the
/// worker has run out of ready work or after a bounded number of items. While the worker computes, the pool's attendant
/// does that for it, and takes the completions: busy_workers.md says how, and why nothing is lost; edges [A1] to [A3].
///
/// Cancelling goes through an inbox, which is emptied under the lock under which operations are prepared: so the order
/// "submitted, then cancelled" holds. An operation's user_data carries a generation beside its address, so that a
/// cancellation cannot hit a later operation at the same place.
///
/// The kernel may refuse a submission. Then entries stay where they are, operations wait in the backlog, cancellations
/// in the inbox, in that order; while any of them is left the owner polls again and does not sleep.
///
/// OWNER: its worker, but for unpark(), cancel(), forget() and cancel_all(), which any thread may call, and for
///        needs_attention(), visits() and attend(), which are the attendant's; it also calls start(), for what it gives
///        back.
class ring final : public parker {
public:
    /// Makes a ring. Returns null and sets `failed` to an errno when the kernel refuses.
    /// `attendant` may be null: then nobody comes when the owner does not.
    [[nodiscard]] static std::unique_ptr<ring> make(io_service& service, ring_attendant* attendant, int& failed);
    ~ring() override;

    void start(io_operation& operation) noexcept;
    void cancel(io_operation& operation) noexcept;
    void forget(io_operation& operation) noexcept;
    void cancel_all() noexcept;

    void park(timer_clock::time_point deadline) noexcept override;
    void unpark() noexcept override;
    bool poll(submission when) noexcept override;
    [[nodiscard]] bool awaits_something() const noexcept override;
    /// The kernel cancels what a thread that ends has submitted.
    [[nodiscard]] bool lets_thread_end() const noexcept override;

    /// True while something is in flight and the owner does not sleep in here.
    [[nodiscard]] bool needs_attention() const noexcept {
        return (unfinished_.load() != 0 || inbox_full_.load()) && !resting_.load();
    }
    /// Changes whenever the owner comes.
    [[nodiscard]] std::uint64_t visits() const noexcept {
        // ORDER: relaxed; a stale number costs a look that comes late, or one that was not needed.
        return visits_.load(std::memory_order_relaxed);
    }
    enum class attention : unsigned char {
        refused,   // the owner is here, or nothing is left to do
        given,     // something was submitted or handed over
        announced  // completions wait for the owner's thread to pass through the kernel, which it has been made to do
    };
    /// Does what the owner would do by poll(), if it is not here.
    attention attend() noexcept;

    /// Why rings cannot be used here, with the cure; empty when they can. Asks the kernel.
    [[nodiscard]] static std::string why_not();

private:
    struct completion {
        io_operation* operation;
        int result;
    };
    static constexpr unsigned most_taken = 64;
    // Between cancellations that found nothing: a read that a device has begun is found by none until it ends.
    static constexpr std::chrono::microseconds shortest_ask_pause{20};
    static constexpr std::chrono::microseconds longest_ask_pause{10'000};
    struct completions {
        std::array<completion, most_taken> entries;  // the first `count`
        unsigned count = 0;
        bool more = false;
        bool parts = false;  // of multishot operations, which have them already
    };
    struct lent_buffers {
        counted_ptr<ring_buffers> buffers;
        std::uint16_t number;
    };

    ring(io_service& service, ring_attendant* attendant) noexcept : service_(service), attendant_(attendant) {}

    [[nodiscard]] int set_up() noexcept;
    [[nodiscard]] io_uring_sqe* free_entry() noexcept;
    [[nodiscard]] bool try_prepare(io_operation& operation) noexcept;
    [[nodiscard]] static bool is_refused() noexcept;
    int submit_prepared() noexcept;
    void prepare_all() noexcept;
    void prepare_backlog() noexcept;
    void prepare_cancellations() noexcept;
    [[nodiscard]] bool prepare_cancel(std::uint64_t target, int flags, std::uint64_t data) noexcept;
    void watch_wake_up() noexcept;
    [[nodiscard]] bool can_wait_for_park() const noexcept;
    void sleep_until(timer_clock::time_point deadline) noexcept;
    void take_completions(completions& taken) noexcept;
    void prepare_receiving(multishot_operation& operation, io_uring_sqe& entry) noexcept;
    void lend_buffers(multishot_operation& operation) noexcept;
    void withdraw_unused_buffers() noexcept;
    [[nodiscard]] std::uint16_t free_buffer_number() const noexcept;
    [[nodiscard]] static bool deliver_part(multishot_operation& operation, const io_uring_cqe& completion) noexcept;
    void hand_over(const completions& taken) noexcept;
    void give_back(io_operation& operation) noexcept;
    void take_back() noexcept;
    void ask_once_more(io_operation& operation) noexcept;
    void forget_asked(io_operation& operation) noexcept;
    void ask_again_later() noexcept;
    void ask_again_if_due() noexcept;
    /// Takes `lock_`; not for a ring to which nobody but its owner comes.
    [[nodiscard]] std::unique_lock<owner_lock> lock_if_attended() const noexcept;
    [[nodiscard]] bool is_something_to_do() const noexcept;
    [[nodiscard]] bool has_completions() const noexcept;
    void count_one_more() noexcept;
    void note_what_is_left() noexcept;
    void note_visit() noexcept;

    io_service& service_;
    ring_attendant* const attendant_;

    // Held by whoever prepares, submits or takes completions: the owner also while it sleeps in here.
    mutable owner_lock lock_;
    io_uring ring_{};               // OWNER: lock_
    bool made_ = false;             // OWNER: set_up(), then constant
    int wake_descriptor_ = -1;      // OWNER: the same
    std::uint64_t wake_count_ = 0;  // where the kernel puts what it read from wake_descriptor_
    bool wake_watched_ = false;     // OWNER: lock_
    bool urgent_ = false;           // OWNER: lock_; something prepared would not wait, so it must not wait here
    bool ending_ = false;           // OWNER: lock_; the cancellation of everything was sent
    timer_clock::time_point ask_again_at_ = timer_clock::time_point::max();  // OWNER: lock_
    std::chrono::microseconds ask_pause_ = shortest_ask_pause;               // OWNER: lock_
    std::atomic<bool> asks_again_{false};     // written under lock_: ask_again_at_ is set
    std::uint16_t next_generation_ = 0;       // OWNER: lock_
    std::vector<lent_buffers> lent_;          // OWNER: lock_; to the kernel, for multishot receives
    work_queue backlog_;                      // OWNER: lock_; operations for which no submission entry was free
    std::atomic<std::size_t> unfinished_{0};  // written under lock_: operations begun whose completion nobody has taken
    std::atomic<bool> unsubmitted_{false};    // written under lock_: what was prepared, or waits in the backlog
    std::atomic<bool> resting_{false};        // written by the owner under lock_: it sleeps in here
    std::atomic<std::uint64_t> visits_{0};    // written by the owner

    enum class sleep : unsigned { awake, parked, notified };
    std::atomic<sleep> state_{sleep::awake};

    mutable std::mutex inbox_mutex_;  // may be taken under lock_
    io_list inbox_;                   // OWNER: inbox_mutex_; operations to be cancelled
    io_list asked_;                   // OWNER: inbox_mutex_; those whose cancellation was sent, `asked_` of each is set
    work_queue returned_;             // OWNER: inbox_mutex_; operations that the attendant gave back, to be begun
    bool in_hand_ = false;            // OWNER: inbox_mutex_; the attendant hands over, and may give back
    bool all_asked_ = false;          // OWNER: inbox_mutex_
    std::atomic<bool> inbox_full_{false};  // written under inbox_mutex_: there is something in the three above
};

}  // namespace coex::inline v0::detail
