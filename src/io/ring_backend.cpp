#include "io/backend.hpp"
#include "io/ring.hpp"
#include "io/ring_attendant.hpp"
#include "io/service.hpp"

#include <exec/base/exceptions.hpp>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <new>
#include <optional>
#include <vector>

namespace coex::inline v0::detail {
namespace {

/// One ring per worker, made by the worker at its first operation, and where there may be several workers, an attendant
/// for the rings of those that are busy.
///
/// Thread-safe: as io_backend demands.
class ring_backend final : public io_backend {
public:
    explicit ring_backend(io_service& service) : service_(service), rings_(service.pool().most_workers()) {}

    [[nodiscard]] int prepare(worker& here, io_operation& operation) noexcept override {
        ring* own = rings_[here.index()].load();
        if (own == nullptr) {
            int failed = 0;
            own = make_ring(here, failed);
            if (own == nullptr) return -failed;
        }
        io_operation_access::home(operation) = own;
        return 0;
    }

    void start(io_operation& operation) noexcept override { home(operation).start(operation); }

    [[nodiscard]] bool cancel(io_operation& operation) noexcept override {
        home(operation).cancel(operation);
        return false;
    }

    void forget(io_operation& operation) noexcept override { home(operation).forget(operation); }

    void cancel_all() noexcept override {
        for (auto& each : rings_) {
            if (ring* made = each.load()) made->cancel_all();
        }
    }

private:
    static ring& home(io_operation& operation) noexcept {
        return *static_cast<ring*>(io_operation_access::home(operation));
    }

    [[nodiscard]] ring* make_ring(worker& here, int& failed) noexcept {
        COEX_TRY {
            if (!attend()) {
                failed = EAGAIN;
                return nullptr;
            }
            std::unique_ptr<ring> made = ring::make(service_, attendant_ ? &*attendant_ : nullptr, failed);
            if (made == nullptr) return nullptr;
            ring* const own = made.get();
            here.install_parker(std::move(made));
            rings_[here.index()].store(own);
            return own;
        }
        COEX_CATCH(const std::bad_alloc&) {
            failed = ENOMEM;
            return nullptr;
        }
    }

    // False when no thread is to be had. A pool of one worker has nobody who could go on with what is found.
    [[nodiscard]] bool attend() {
        if (rings_.size() == 1) return true;
        const std::lock_guard lock(mutex_);
        if (!attendant_) attendant_.emplace(rings_, service_.pool().options().cpus);
        return attendant_->start();
    }

    io_service& service_;
    std::vector<std::atomic<ring*>> rings_;  // element i is written by worker i, which owns the ring as its parker
    std::mutex mutex_;
    std::optional<ring_attendant> attendant_;  // OWNER: mutex_; once made it stays
};

}  // namespace

std::unique_ptr<io_backend> make_ring_backend(io_service& service) {
    return std::make_unique<ring_backend>(service);
}

}  // namespace coex::inline v0::detail
