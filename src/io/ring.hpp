#pragma once

#include "io/operation_access.hpp"
#include "pool/parker.hpp"

#include <exec/vocab/work_item.hpp>

#include <liburing.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace coex::inline v0::detail {

class io_service;

/// Lets tests have so many of the next submissions refused, as the kernel does when it is short of memory.
inline std::atomic<unsigned> refused_submissions{0};

/// A worker's io_uring, in which it also sleeps. Operations are prepared one by one and submitted together, when the
/// worker has run out of ready work or after a bounded number of items.
///
/// Cancelling from another thread goes through an inbox that the owner empties: the order "submitted, then cancelled"
/// is then that of one thread. An operation's user_data carries a generation beside its address, so that a cancellation
/// cannot hit a later operation at the same place.
///
/// The kernel may refuse a submission. Then entries stay where they are, operations wait in the backlog, cancellations
/// in the inbox, in that order; while any of them is left the owner polls again and does not sleep.
///
/// OWNER: its worker, but for unpark(), cancel() and cancel_all(), which any thread may call.
class ring final : public parker {
public:
    /// Makes a ring. Returns null and sets `failed` to an errno when the kernel refuses.
    [[nodiscard]] static std::unique_ptr<ring> make(io_service& service, int& failed);
    ~ring() override;

    void start(io_operation& operation) noexcept;
    void cancel(io_operation& operation) noexcept;
    void forget(io_operation& operation) noexcept;
    void cancel_all() noexcept;

    void park(timer_clock::time_point deadline) noexcept override;
    void unpark() noexcept override;
    bool poll() noexcept override;
    /// The kernel cancels what a thread that ends has submitted.
    [[nodiscard]] bool lets_thread_end() const noexcept override { return unfinished_ == 0; }

    /// Why rings cannot be used here, with the cure; empty when they can. Asks the kernel.
    [[nodiscard]] static std::string why_not();

private:
    explicit ring(io_service& service) noexcept : service_(service) {}

    [[nodiscard]] int set_up() noexcept;
    [[nodiscard]] io_uring_sqe* free_entry() noexcept;
    [[nodiscard]] bool try_prepare(io_operation& operation) noexcept;
    [[nodiscard]] static bool is_refused() noexcept;
    void submit_prepared() noexcept;
    void prepare_backlog() noexcept;
    void prepare_cancellations() noexcept;
    [[nodiscard]] bool prepare_cancel(std::uint64_t target, int flags) noexcept;
    void watch_wake_up() noexcept;
    bool reap() noexcept;

    io_service& service_;
    io_uring ring_{};
    bool made_ = false;
    int wake_descriptor_ = -1;
    std::uint64_t wake_count_ = 0;  // where the kernel puts what it read from wake_descriptor_
    bool wake_watched_ = false;
    std::uint16_t next_generation_ = 0;
    std::size_t unfinished_ = 0;  // operations started and not reaped
    work_queue backlog_;          // operations for which no submission entry was free

    enum class sleep : unsigned { awake, parked, notified };
    std::atomic<sleep> state_{sleep::awake};

    std::mutex inbox_mutex_;
    io_list inbox_;                        // OWNER: inbox_mutex_; operations to be cancelled
    bool all_asked_ = false;               // OWNER: inbox_mutex_
    std::atomic<bool> inbox_full_{false};  // written under inbox_mutex_: there is something in the two above
};

}  // namespace coex::inline v0::detail
