#include "io/service.hpp"

#include "io/multishot.hpp"
#include "io/named_pipes.hpp"
#include "io/system_calls.hpp"
#include "pool/pool_access.hpp"

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <thread>

namespace coex::inline v0::detail {
namespace {

constexpr unsigned started = 1;
constexpr unsigned stop_asked = 2;
constexpr unsigned sent = 4;
constexpr unsigned finished = 8;

// The kernel would wait until the socket is ready, though there is nothing to transfer then either.
bool transfers_nothing(const io_request& request) noexcept {
    return (request.opcode == io_opcode::receive || request.opcode == io_opcode::send) && request.length == 0;
}

// One that goes on while nobody waits for its parts would keep the slot from what its owner does between them.
bool takes_slot(const io_request& request) noexcept {
    return !is_multishot(request.opcode);
}

}  // namespace

io_service& io_service::of(static_thread_pool& pool) {
    const auto make = [](pool_core& core) -> std::unique_ptr<pool_extension> {
        return std::make_unique<io_service>(core);
    };
    return static_cast<io_service&>(pool_access::core(pool).extension(extension_kind::io, make));
}

io_service::io_service(pool_core& pool) : pool_(pool), admission_(pool.options().io_depth) {
    backend_ = active_io_backend() == io_backend_kind::io_uring ? make_ring_backend(*this) : make_helper_backend(*this);
}

bool io_service::try_at_once(io_operation& operation) noexcept {
    if (transfers_nothing(operation.request_)) {
        operation.result_ = 0;
        return true;
    }
    // ORDER: relaxed; set by a test before it starts anything.
    if (!at_once_enabled.load(std::memory_order_relaxed)) return false;
    if (stopping_.load() || !admission_.try_enter()) return false;
    const int result = call_without_waiting(operation.request_);
    if (io_operation* next = admission_.leave()) pool_.place().submit(next);
    if (result == -EAGAIN) return false;
    operation.result_ = result;
    return true;
}

void io_service::begin(io_operation& operation) noexcept {
    announce_one();
    begin_announced(operation, &operation.coroutine_->context().threads() == &pool_);
}

void io_service::begin_announced(io_operation& operation, bool at_home) noexcept {
    operation.run = &io_service::run_advance;
    if (takes_slot(operation.request_) && !admission_.admit(operation, operation.state_, stop_asked)) return;
    // LIFETIME: once it is submitted, the operation may be gone.
    //   A coroutine of another place that runs on a worker is in a blocking wait, which would keep the worker's ring
    //   from submitting: leave it to a worker that is free.
    worker* const here = pool_.current_worker();
    if (here != nullptr && at_home) {
        advance(*here, operation);
    } else {
        pool_.place().submit(&operation);
    }
}

void io_service::run_advance(work_item* item) noexcept {
    auto& operation = static_cast<io_operation&>(*item);
    operation.service_->advance(*worker::current(), operation);
}

void io_service::advance(worker& here, io_operation& operation) noexcept {
    operation.admitted_ = takes_slot(operation.request_);
    int failed = stopping_.load() ? -ECANCELED : backend_->prepare(here, operation);
    if (failed == 0 && (operation.state_.fetch_or(started) & stop_asked) != 0) failed = -ECANCELED;
    if (failed != 0) {
        finish(operation, failed);
        return;
    }
    start(operation);
}

void io_service::start(io_operation& operation) noexcept {
    backend_->start(operation);
    // LIFETIME: the operation may be gone.
    // stop() may have looked at the backend before the operation, or its ring, was there: of the two, one sees the
    // other.
    if (stopping_.load()) backend_->cancel_all();
}

void io_service::cancel(io_operation& operation) noexcept {
    // The bits of state_ and who waits for whom: [I1].
    const unsigned before = operation.state_.fetch_or(stop_asked);
    if ((before & finished) != 0) return;
    const bool taken_out = (before & started) != 0 ? backend_->cancel(operation) : admission_.remove(operation);
    operation.state_.fetch_or(sent);
    // LIFETIME: unless it was taken out, the operation, the service and the pool may be gone.
    if (taken_out) finish(operation, -ECANCELED);
}

void io_service::finish(io_operation& operation, int result) noexcept {
    if (result == -EINTR || result == -ECANCELED) {
        // A stop that comes after this look finds the operation started, and asks the backend.
        const unsigned now = operation.state_.load();
        result = meaning_of(operation, result, (now & stop_asked) != 0 || stopping_.load());
        if (result == -EINTR && (now & started) != 0) {
            // A signal: somebody stopped and continued the process, or debugs it. Only rings answer so.
            start(operation);
            return;
        }
    }
    // On a worker of the pool the pool is safe; any other thread keeps it until everything is handed over.
    std::optional<pool_core::visit> visit;
    if (operation.request_.waiting_end >= 0) ::close(operation.request_.waiting_end);
    if (pool_.current_worker() == nullptr) visit.emplace(pool_);

    const unsigned before = operation.state_.fetch_or(finished);
    if ((before & stop_asked) != 0) {
        while ((operation.state_.load() & sent) == 0) std::this_thread::yield();
        if ((before & started) != 0) backend_->forget(operation);
    }
    if (operation.admitted_) {
        if (io_operation* next = admission_.leave()) pool_.place().submit(next);
    }
    hand_back(operation, result);
    operations_.fetch_sub(1);
    pool_.nudge();
}

void io_service::finish_transfer(io_operation& operation, int result) noexcept {
    io_request& request = operation.request_;
    if (request.whole && result > 0) {
        request.transferred += static_cast<std::size_t>(result);
        if (request.transferred < request.length) {
            if (start_again(operation)) return;
            result = -ECANCELED;
        } else {
            result = 0;
        }
    }
    if (request.waiting_end >= 0 && result == -ETIME) {
        result = open_if_partner(request);
        if (result == -EAGAIN) {
            if (start_again(operation)) return;
            result = -ECANCELED;
        }
    }
    finish(operation, result);
}

// Returns false when it is to stop.
bool io_service::start_again(io_operation& operation) noexcept {
    // A stop that comes after this look finds the operation started, and asks the backend.
    if ((operation.state_.load() & stop_asked) != 0 || stopping_.load()) return false;
    start(operation);
    return true;
}

bool io_service::is_stop_asked(const io_operation& operation) noexcept {
    return (operation.state_.load() & stop_asked) != 0;
}

int io_service::meaning_of(const io_operation& operation, int result, bool stopped) noexcept {
    // Linux has closed the descriptor; a second close could hit somebody else's.
    if (result == -EINTR && operation.request_.opcode == io_opcode::close) return 0;
    if (stopped) return -ECANCELED;
    // What nobody asked to stop was given up by the kernel, which finds no memory or no thread for it.
    return result == -ECANCELED ? -EAGAIN : result;
}

void io_service::hand_back(io_operation& operation, int result) noexcept {
    if (is_multishot(operation.request_.opcode)) {
        static_cast<multishot_operation&>(operation).ended(result);
        return;
    }
    operation.result_ = result;
    coroutine_base& coroutine = *operation.coroutine_;
    // LIFETIME: from here on the operation, and the coroutine, may be gone.
    if (result == -ECANCELED) {
        coroutine.unwind_later();
    } else {
        coroutine.resume_later();
    }
}

void io_service::stop() noexcept {
    stopping_.store(true);
    backend_->cancel_all();
}

}  // namespace coex::inline v0::detail
