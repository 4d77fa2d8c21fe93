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
/// Before a helper reads or writes, it waits until the descriptor is ready or the operation is cancelled, which an
/// eventfd of the helper tells it. Files are always ready; so what cannot be cancelled is a transfer from a device,
/// which ends by itself, and the opening of a named pipe that nobody else opens.
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
    [[nodiscard]] int connect_locally(const helper& self, io_operation& operation) noexcept;
    [[nodiscard]] bool is_refused(io_operation& operation) noexcept;
    [[nodiscard]] bool start_helper() noexcept;
    void join_ended() noexcept;

    io_service& service_;
    reactor reactor_;
    const std::size_t most_helpers_;

    std::mutex mutex_;
    std::condition_variable changed_;
    io_list waiting_;                // OWNER: mutex_
    std::size_t waiting_count_ = 0;  // OWNER: mutex_
    std::size_t idle_ = 0;           // OWNER: mutex_; helpers that wait for an operation
    bool ending_ = false;            // OWNER: mutex_
    std::list<helper> helpers_;      // OWNER: mutex_
    std::list<helper> ended_;        // OWNER: mutex_; to be joined
};

}  // namespace coex::inline v0::detail
