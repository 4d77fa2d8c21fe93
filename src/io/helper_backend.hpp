#pragma once

#include "io/backend.hpp"
#include "io/operation_access.hpp"
#include "io/reactor.hpp"

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <thread>

namespace coex::inline v0::detail {

/// Carries operations out by blocking calls on helper threads: where io_uring is missing. The threads belong to one
/// pool's service, so a slow device delays only its own operations. They are started when operations wait and no helper
/// is free, up to a limit, and end when they were idle for some time.
///
/// What may have to wait for somebody else holds no helper: a reactor waits for it (reactor.hpp). Of that, helpers only
/// get transfers that are ready and that nothing but a call which may wait can make. Before such a call a helper looks
/// once more whether the descriptor is ready, and waits until it is or the operation is cancelled, which an eventfd of
/// the helper tells it. So what cannot be cancelled is a transfer from a device, which ends by itself, and a call
/// before which another process took what was ready.
///
/// Thread-safe: yes.
class helper_backend final : public io_backend {
public:
    explicit helper_backend(io_service& service) noexcept;
    ~helper_backend() override;

    [[nodiscard]] int prepare(worker& here, io_operation& operation) noexcept override;
    void start(io_operation& operation) noexcept override;
    [[nodiscard]] bool cancel(io_operation& operation) noexcept override;
    void forget(io_operation&) noexcept override {}  // a helper lets go of its operation before it finishes it
    void cancel_all() noexcept override;

    /// Leaves the operation to a helper.
    void carry_out_later(io_operation& operation) noexcept;

private:
    struct helper {
        helper();
        ~helper();
        helper(const helper&) = delete;
        helper& operator=(const helper&) = delete;
        void interrupt() const noexcept;
        void forget_interruptions() const noexcept;

        std::thread thread;
        int wake_descriptor;
        io_operation* current = nullptr;  // OWNER: mutex_; what it waits for or carries out
    };

    void help(std::list<helper>::iterator self) noexcept;
    [[nodiscard]] int carry_out(const helper& self, io_operation& operation) noexcept;
    void finish_one(helper& self, io_operation& operation, std::unique_lock<std::mutex>& lock) noexcept;
    void finish_and_let_next_go(io_operation& operation, int result) noexcept;
    void let_next_go(const io_operation& operation) noexcept;
    [[nodiscard]] bool is_refused(io_operation& operation) noexcept;
    [[nodiscard]] bool start_helper() noexcept;
    void join_ended() noexcept;

    io_service& service_;
    std::mutex mutex_;
    reactor reactor_;
    const std::size_t most_helpers_;

    std::condition_variable changed_;
    io_list waiting_;                // OWNER: mutex_
    std::size_t waiting_count_ = 0;  // OWNER: mutex_
    std::size_t idle_ = 0;           // OWNER: mutex_; helpers that wait for an operation
    bool ending_ = false;            // OWNER: mutex_
    std::list<helper> helpers_;      // OWNER: mutex_
    std::list<helper> ended_;        // OWNER: mutex_; to be joined
};

}  // namespace coex::inline v0::detail
