#include "io/helper_backend.hpp"

#include "io/named_pipes.hpp"
#include "io/pollable_calls.hpp"
#include "io/service.hpp"
#include "io/socket_calls.hpp"
#include "io/system_calls.hpp"

#include <exec/base/exceptions.hpp>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <system_error>

namespace coex::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t default_most_helpers = 16;
constexpr std::size_t absolute_most_helpers = 64;
constexpr auto keep_alive = 2s;

// True for what may wait for somebody else, as far as can be told from here.
bool is_for_reactor(const io_request& request) noexcept {
    if (waits_for_readiness(request.opcode)) return true;
    return is_transfer(request.opcode) ? may_be_pollable(request) : request.waiting_end >= 0;
}

}  // namespace

helper_backend::helper_backend(io_service& service) noexcept
    : service_(service),
      reactor_(service, *this, mutex_),
      most_helpers_(service.pool().options().io_depth == 0
                        ? default_most_helpers
                        : std::min<std::size_t>(service.pool().options().io_depth, absolute_most_helpers)) {}

helper_backend::~helper_backend() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        changed_.notify_all();
    }
    for (;;) {
        join_ended();
        std::unique_lock lock(mutex_);
        if (helpers_.empty() && ended_.empty()) return;
        changed_.wait(lock, [this] { return !ended_.empty(); });
    }
}

int helper_backend::prepare(worker&, io_operation&) noexcept {
    return 0;
}

void helper_backend::start(io_operation& operation) noexcept {
    if (is_for_reactor(io_operation_access::request(operation))) {
        reactor_.begin(operation);
    } else {
        carry_out_later(operation);
    }
}

void helper_backend::carry_out_later(io_operation& operation) noexcept {
    int failed = 0;
    {
        const std::lock_guard lock(mutex_);
        io_operation_access::home(operation) = this;
        if (io_operation_access::refused(operation)) {
            failed = -ECANCELED;
        } else if (waiting_count_ >= idle_ && helpers_.size() < most_helpers_ && !start_helper() && helpers_.empty()) {
            failed = -EAGAIN;
        } else {
            waiting_.push_back(operation);
            ++waiting_count_;
            changed_.notify_one();
        }
    }
    join_ended();
    if (failed != 0) finish_and_let_next_go(operation, failed);
}

// Finishes what was left to a helper, and gives those that wait behind it their turn.
void helper_backend::finish_and_let_next_go(io_operation& operation, int result) noexcept {
    let_next_go(operation);
    service_.finish(operation, result);
}

void helper_backend::let_next_go(const io_operation& operation) noexcept {
    const io_request& request = io_operation_access::request(operation);
    if (!is_transfer(request.opcode)) return;
    int failed = 0;
    work_queue lost;
    {
        const std::lock_guard lock(mutex_);
        lost = reactor_.come_back(request, failed);
    }
    while (work_item* item = lost.pop_front()) service_.finish(static_cast<io_operation&>(*item), failed);
}

bool helper_backend::cancel(io_operation& operation) noexcept {
    {
        const std::lock_guard lock(mutex_);
        io_operation_access::refused(operation) = true;
        if (!io_operation_access::listed(operation)) {
            // A helper has it, or somebody who sees that it is refused before it waits anywhere.
            for (const helper& each : helpers_) {
                if (each.current == &operation) each.interrupt();
            }
            return false;
        }
        if (io_operation_access::home(operation) == &reactor_) {
            reactor_.take_out(operation);
            return true;
        }
        waiting_.remove(operation);
        --waiting_count_;
    }
    let_next_go(operation);
    return true;
}

void helper_backend::cancel_all() noexcept {
    reactor_.cancel_all();
    for (;;) {
        io_operation* operation = nullptr;
        {
            const std::lock_guard lock(mutex_);
            operation = waiting_.pop_front();
            if (operation == nullptr) {
                for (const helper& each : helpers_) {
                    if (each.current == nullptr) continue;
                    io_operation_access::refused(*each.current) = true;
                    each.interrupt();
                }
                return;
            }
            --waiting_count_;
        }
        finish_and_let_next_go(*operation, -ECANCELED);
    }
}

helper_backend::helper::helper() : wake_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_descriptor < 0) detail::throw_exception(std::system_error(errno, std::generic_category(), "eventfd"));
}

helper_backend::helper::~helper() {
    ::close(wake_descriptor);
}

void helper_backend::helper::interrupt() const noexcept {
    const std::uint64_t one = 1;
    while (::write(wake_descriptor, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void helper_backend::helper::forget_interruptions() const noexcept {
    std::uint64_t count = 0;
    static_cast<void>(::read(wake_descriptor, &count, sizeof count) < 0);
}

bool helper_backend::start_helper() noexcept {
    COEX_TRY {
        const auto place = helpers_.emplace(helpers_.end());
        COEX_TRY {
            // It waits for mutex_, which is held here, before it looks at its place.
            place->thread = std::thread([this, place] { help(place); });
        }
        COEX_CATCH(const std::system_error&) {
            helpers_.erase(place);
            return false;
        }
        pthread_setname_np(place->thread.native_handle(), "coex-io");
        return true;
    }
    COEX_CATCH(const std::exception&) {
        return false;
    }
}

bool helper_backend::is_refused(io_operation& operation) noexcept {
    const std::lock_guard lock(mutex_);
    return io_operation_access::refused(operation);
}

int helper_backend::carry_out(const helper& self, io_operation& operation) noexcept {
    io_request& request = io_operation_access::request(operation);
    if (may_wait_for_partner(request) && is_named_pipe(request)) return open_if_partner(request);
    // poll() would ignore a closed descriptor; the call reports it.
    if (is_transfer(request.opcode) && request.descriptor >= 0) {
        std::array<pollfd, 2> watched{pollfd{request.descriptor, static_cast<short>(readiness_of(request)), 0},
                                      pollfd{self.wake_descriptor, POLLIN, 0}};
        while (watched[0].revents == 0) {
            if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
            if (watched[1].revents == 0) continue;
            // An interruption that came too late for the operation before is no reason to end this one.
            self.forget_interruptions();
            if (is_refused(operation)) return -ECANCELED;
        }
    }
    return call_and_wait(request);
}

// Under the lock, which it gives up meanwhile.
void helper_backend::finish_one(helper& self, io_operation& operation, std::unique_lock<std::mutex>& lock) noexcept {
    self.current = &operation;
    lock.unlock();
    const int result = carry_out(self, operation);
    lock.lock();
    self.current = nullptr;
    lock.unlock();
    if (result == -EAGAIN && may_wait_for_partner(io_operation_access::request(operation))) {
        reactor_.begin(operation);
    } else {
        finish_and_let_next_go(operation, result);
    }
    lock.lock();
}

void helper_backend::help(std::list<helper>::iterator self) noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
        io_operation* const operation = waiting_.pop_front();
        if (operation == nullptr) {
            if (ending_) break;
            ++idle_;
            const bool woken = changed_.wait_for(lock, keep_alive, [this] { return !waiting_.empty() || ending_; });
            --idle_;
            if (!woken) break;
            continue;
        }
        --waiting_count_;
        finish_one(*self, *operation, lock);
    }
    ended_.splice(ended_.end(), helpers_, self);
    changed_.notify_all();
}

void helper_backend::join_ended() noexcept {
    std::list<helper> ended;
    {
        const std::lock_guard lock(mutex_);
        ended.splice(ended.end(), ended_);
    }
    for (helper& each : ended) each.thread.join();
}

std::unique_ptr<io_backend> make_helper_backend(io_service& service) {
    return std::make_unique<helper_backend>(service);
}

}  // namespace coex::inline v0::detail
