#include "io/helper_backend.hpp"

#include "io/service.hpp"
#include "io/system_calls.hpp"

#include <pthread.h>

#include <cerrno>
#include <chrono>
#include <system_error>

namespace coex::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t default_most_helpers = 16;
constexpr std::size_t absolute_most_helpers = 64;
constexpr auto keep_alive = 2s;

}  // namespace

helper_backend::helper_backend(io_service& service) noexcept
    : service_(service),
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
    int failed = 0;
    {
        const std::lock_guard lock(mutex_);
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
    if (failed != 0) service_.finish(operation, failed);
}

bool helper_backend::cancel(io_operation& operation) noexcept {
    const std::lock_guard lock(mutex_);
    // Not waiting: either a helper has it, and a blocking call cannot be called back, or it has not come here yet.
    io_operation_access::refused(operation) = true;
    if (!waiting_.remove(operation)) return false;
    --waiting_count_;
    return true;
}

void helper_backend::cancel_all() noexcept {
    for (;;) {
        io_operation* operation = nullptr;
        {
            const std::lock_guard lock(mutex_);
            operation = waiting_.pop_front();
            if (operation == nullptr) return;
            --waiting_count_;
        }
        service_.finish(*operation, -ECANCELED);
    }
}

bool helper_backend::start_helper() noexcept {
    try {
        const auto place = helpers_.emplace(helpers_.end());
        try {
            *place = std::thread([this, place] { help(place); });
        } catch (const std::system_error&) {
            helpers_.erase(place);
            return false;
        }
        pthread_setname_np(place->native_handle(), "coex-io");
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

void helper_backend::help(std::list<std::thread>::iterator self) noexcept {
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
        lock.unlock();
        const int result = call_and_wait(io_operation_access::request(*operation));
        service_.finish(*operation, result);
        lock.lock();
    }
    ended_.splice(ended_.end(), helpers_, self);
    changed_.notify_all();
}

void helper_backend::join_ended() noexcept {
    std::list<std::thread> ended;
    {
        const std::lock_guard lock(mutex_);
        ended.splice(ended.end(), ended_);
    }
    for (std::thread& helper : ended) helper.join();
}

std::unique_ptr<io_backend> make_helper_backend(io_service& service) {
    return std::make_unique<helper_backend>(service);
}

}  // namespace coex::inline v0::detail
