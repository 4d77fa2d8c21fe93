#include "io/reactor.hpp"

#include "io/helper_backend.hpp"
#include "io/named_pipes.hpp"
#include "io/pollable_calls.hpp"
#include "io/service.hpp"
#include "io/socket_calls.hpp"

#include <exec/base/exceptions.hpp>

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <new>
#include <system_error>

namespace coex::inline v0::detail {
namespace {

constexpr unsigned events_of_readers = POLLIN | POLLRDHUP;
constexpr unsigned events_of_writers = POLLOUT;
constexpr unsigned events_for_all = POLLERR | POLLHUP;
static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLPRI == EPOLLPRI && POLLRDHUP == EPOLLRDHUP &&
              POLLERR == EPOLLERR && POLLHUP == EPOLLHUP);

// Of one descriptor, before the others have their turn.
constexpr unsigned most_in_turn = 64;

constexpr int longest_retry_milliseconds = 20;
constexpr unsigned retries_to_longest = 5;

// A local socket whose listener has no room does not tell when there is some.
bool is_local_connect(const io_request& request) noexcept {
    return request.opcode == io_opcode::connect && static_cast<const sockaddr*>(request.buffer)->sa_family == AF_UNIX;
}

bool is_retried(const io_request& request) noexcept {
    return may_wait_for_partner(request) || is_local_connect(request);
}

// -EAGAIN: it has to wait; -EOPNOTSUPP, of a transfer: a helper has to make it.
int attempt(io_request& request) noexcept {
    if (is_transfer(request.opcode)) return transfer_if_ready(request);
    return may_wait_for_partner(request) ? open_if_partner(request) : call_if_ready(request);
}

bool is_for_helper(const io_request& request, int result) noexcept {
    return result == -EOPNOTSUPP && is_transfer(request.opcode);
}

}  // namespace

unsigned reactor::watched::events() const noexcept {
    return (readers.empty() || reader_away ? 0U : events_of_readers) |
           (writers.empty() || writer_away ? 0U : events_of_writers) | (pollers.empty() ? 0U : poll_events);
}

io_list& reactor::watched::list_of(const io_request& request) noexcept {
    if (request.opcode == io_opcode::poll) return pollers;
    return readiness_of(request) == POLLOUT ? writers : readers;
}

reactor::~reactor() {
    if (thread_.joinable()) {
        ending_.store(true);
        wake();
        thread_.join();
    }
    if (wake_descriptor_ >= 0) ::close(wake_descriptor_);
    if (epoll_descriptor_ >= 0) ::close(epoll_descriptor_);
}

void reactor::wake() const noexcept {
    const std::uint64_t one = 1;
    while (::write(wake_descriptor_, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void reactor::begin(io_operation& operation) noexcept {
    io_request& request = io_operation_access::request(operation);
    int result = attempt(request);
    if (result == -EAGAIN || is_for_helper(request, result)) {
        const bool transfers = is_transfer(request.opcode);
        result = keep(operation);
        // LIFETIME: an operation that is kept may be gone.
        if (result == -EAGAIN) return;
        if (transfers && result == -EPERM) {  // what epoll does not watch never waits for long
            helpers_.carry_out_later(operation);
            return;
        }
    }
    service_.finish(operation, result);
}

// Returns -EAGAIN when the operation is kept.
int reactor::keep(io_operation& operation) noexcept {
    const std::lock_guard lock(mutex_);
    if (closed_ || io_operation_access::refused(operation)) return -ECANCELED;
    io_operation_access::home(operation) = this;
    if (!thread_.joinable()) {
        if (const int failed = start_thread(); failed != 0) return failed;
    }
    if (is_retried(io_operation_access::request(operation))) return keep_retried(operation);
    COEX_TRY {
        return keep_watched(operation);
    }
    COEX_CATCH(const std::bad_alloc&) {
        return -ENOMEM;
    }
}

int reactor::keep_watched(io_operation& operation) {
    const io_request& request = io_operation_access::request(operation);
    watched& place = watched_[request.descriptor];
    io_list& list = place.list_of(request);
    if (request.opcode == io_opcode::poll) {
        place.poll_events = readiness_of(request) | (list.empty() ? 0U : place.poll_events);
    }
    list.push_back(operation);
    const int failed = watch(request.descriptor, place.events());
    if (failed == 0) return -EAGAIN;
    list.remove(operation);
    erase_if_done(watched_.find(request.descriptor));
    return failed;
}

int reactor::keep_retried(io_operation& operation) noexcept {
    const bool asleep = retried_.empty();
    retries_ = 0;
    retried_.push_back(operation);
    ++retried_count_;
    if (asleep) wake();
    return -EAGAIN;
}

int reactor::watch(int descriptor, unsigned events) noexcept {
    // Those that wait have one with a helper before them. Errors, which are always told, would be told without end.
    if (events == 0) return 0;
    epoll_event wanted{};
    wanted.events = events | EPOLLONESHOT;
    wanted.data.fd = descriptor;
    if (::epoll_ctl(epoll_descriptor_, EPOLL_CTL_MOD, descriptor, &wanted) == 0) return 0;
    // Unknown: new, or closed and opened anew since.
    if (errno == ENOENT && ::epoll_ctl(epoll_descriptor_, EPOLL_CTL_ADD, descriptor, &wanted) == 0) return 0;
    return -errno;
}

int reactor::start_thread() noexcept {
    if (epoll_descriptor_ < 0) epoll_descriptor_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (wake_descriptor_ < 0) wake_descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll_descriptor_ < 0 || wake_descriptor_ < 0) return -errno;
    epoll_event wake{};
    wake.events = EPOLLIN;
    wake.data.fd = wake_descriptor_;
    if (::epoll_ctl(epoll_descriptor_, EPOLL_CTL_ADD, wake_descriptor_, &wake) != 0 && errno != EEXIST) return -errno;
    COEX_TRY {
        thread_ = std::thread([this] { react(); });
    }
    COEX_CATCH(const std::system_error&) {
        return -ENOMEM;  // too many threads, which io_uring would not need
    }
    pthread_setname_np(thread_.native_handle(), "coex-epoll");
    return 0;
}

void reactor::take_out(io_operation& operation) noexcept {
    const io_request& request = io_operation_access::request(operation);
    if (is_retried(request)) {
        if (retried_.remove(operation)) --retried_count_;
        return;
    }
    const auto place = watched_.find(request.descriptor);
    place->second.list_of(request).remove(operation);
    erase_if_done(place);
}

void reactor::cancel_all() noexcept {
    for (;;) {
        io_operation* operation = nullptr;
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
            operation = retried_.pop_front();
            if (operation != nullptr) --retried_count_;
            for (auto place = watched_.begin(); operation == nullptr && place != watched_.end();) {
                operation = take_from(place++);
            }
        }
        if (operation == nullptr) return;
        service_.finish(*operation, -ECANCELED);
    }
}

void reactor::react() noexcept {
    constexpr int most = 64;
    std::array<epoll_event, most> events{};
    while (!ending_.load()) {
        int milliseconds = -1;
        {
            const std::lock_guard lock(mutex_);
            if (!retried_.empty()) {
                milliseconds = std::min(1 << std::min(retries_, retries_to_longest), longest_retry_milliseconds);
            }
        }
        const int count = ::epoll_wait(epoll_descriptor_, events.data(), most, milliseconds);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            if (event.data.fd != wake_descriptor_) {
                handle(event.data.fd, event.events);
                continue;
            }
            std::uint64_t ignored = 0;
            static_cast<void>(::read(wake_descriptor_, &ignored, sizeof ignored) < 0);
        }
        retry();
    }
}

void reactor::retry() noexcept {
    std::size_t left = 0;
    {
        const std::lock_guard lock(mutex_);
        left = retried_count_;
        ++retries_;
    }
    for (; left != 0; --left) {
        io_operation* operation = nullptr;
        {
            const std::lock_guard lock(mutex_);
            operation = retried_.pop_front();
            if (operation == nullptr) return;
            --retried_count_;
        }
        int result = attempt(io_operation_access::request(*operation));
        if (result == -EAGAIN) {
            const std::lock_guard lock(mutex_);
            if (!closed_ && !io_operation_access::refused(*operation)) {
                retried_.push_back(*operation);
                ++retried_count_;
                continue;
            }
            result = -ECANCELED;
        }
        service_.finish(*operation, result);
    }
}

void reactor::handle(int descriptor, unsigned events) noexcept {
    watched* place = nullptr;
    {
        const std::lock_guard lock(mutex_);
        const auto found = watched_.find(descriptor);
        if (found == watched_.end()) return;
        place = &found->second;
        place->in_turn = true;
    }
    const bool for_all = (events & events_for_all) != 0;
    if (for_all || (events & events_of_readers) != 0) try_in_turn(*place, direction::reading);
    if (for_all || (events & events_of_writers) != 0) try_in_turn(*place, direction::writing);
    tell_pollers(*place, events);
    watch_rest(descriptor, *place);
}

void reactor::try_in_turn(watched& place, direction which) noexcept {
    io_list& waiting = which == direction::reading ? place.readers : place.writers;
    bool& away = which == direction::reading ? place.reader_away : place.writer_away;
    for (unsigned i = 0; i < most_in_turn; ++i) {
        io_operation* operation = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (away) return;
            operation = waiting.pop_front();
            if (operation == nullptr) return;
        }
        io_request& request = io_operation_access::request(*operation);
        int result = attempt(request);
        if (is_for_helper(request, result)) {
            if (leave_to_helper(*operation, away)) return;
            result = -ECANCELED;
        } else if (result == -EAGAIN) {
            const std::lock_guard lock(mutex_);
            if (!closed_ && !io_operation_access::refused(*operation)) {
                waiting.push_front(*operation);
                return;
            }
            result = -ECANCELED;
        }
        service_.finish(*operation, result);
    }
}

// Returns false when it was cancelled.
bool reactor::leave_to_helper(io_operation& operation, bool& away) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (closed_ || io_operation_access::refused(operation)) return false;
        away = true;
    }
    helpers_.carry_out_later(operation);
    return true;
}

void reactor::tell_pollers(watched& place, unsigned events) noexcept {
    work_queue ready;
    {
        const std::lock_guard lock(mutex_);
        io_list rest;
        place.poll_events = 0;
        while (io_operation* operation = place.pollers.pop_front()) {
            const unsigned wanted = readiness_of(io_operation_access::request(*operation));
            if ((events & (wanted | events_for_all)) != 0) {
                ready.push_back(operation);
            } else {
                place.poll_events |= wanted;
                rest.push_back(*operation);
            }
        }
        place.pollers = rest;
    }
    while (work_item* item = ready.pop_front()) {
        auto& operation = static_cast<io_operation&>(*item);
        const unsigned wanted = readiness_of(io_operation_access::request(operation));
        service_.finish(operation, static_cast<int>(events & (wanted | events_for_all)));
    }
}

void reactor::watch_rest(int descriptor, watched& place) noexcept {
    int failed = 0;
    work_queue lost;
    {
        const std::lock_guard lock(mutex_);
        place.in_turn = false;
        lost = settle(watched_.find(descriptor), failed);
    }
    finish_all(lost, failed);
}

// Watches for those that are left; takes the entry away when nobody is. Returns those that cannot be waited for:
// the descriptor was closed under them, or the kernel has no memory to watch it.
work_queue reactor::settle(std::unordered_map<int, watched>::iterator place, int& failed) noexcept {
    work_queue lost;
    if (!place->second.empty()) failed = watch(place->first, place->second.events());
    if (failed != 0) {
        for (io_list* list : {&place->second.readers, &place->second.writers, &place->second.pollers}) {
            while (io_operation* operation = list->pop_front()) lost.push_back(operation);
        }
    }
    erase_if_done(place);
    return lost;
}

void reactor::finish_all(work_queue operations, int result) noexcept {
    while (work_item* item = operations.pop_front()) service_.finish(static_cast<io_operation&>(*item), result);
}

work_queue reactor::come_back(const io_request& transfer, int& failed) noexcept {
    const auto place = watched_.find(transfer.descriptor);
    if (place == watched_.end()) return {};
    (readiness_of(transfer) == POLLOUT ? place->second.writer_away : place->second.reader_away) = false;
    // Otherwise the reactor's thread settles it, which is at it.
    return place->second.in_turn ? work_queue() : settle(place, failed);
}

// Takes one operation out, and the entry with its last one.
io_operation* reactor::take_from(std::unordered_map<int, watched>::iterator place) noexcept {
    io_operation* operation = nullptr;
    for (io_list* list : {&place->second.readers, &place->second.writers, &place->second.pollers}) {
        if (operation == nullptr) operation = list->pop_front();
    }
    erase_if_done(place);
    return operation;
}

void reactor::erase_if_done(std::unordered_map<int, watched>::iterator place) noexcept {
    if (place->second.is_done()) watched_.erase(place);
}

}  // namespace coex::inline v0::detail
