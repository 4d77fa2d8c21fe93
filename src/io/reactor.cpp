#include "io/reactor.hpp"

#include "io/service.hpp"
#include "io/socket_calls.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
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

}  // namespace

unsigned reactor::watched::events() const noexcept {
    return (readers.empty() ? 0U : events_of_readers) | (writers.empty() ? 0U : events_of_writers) |
           (pollers.empty() ? 0U : poll_events);
}

io_list& reactor::watched::list_of(const io_request& request) noexcept {
    if (request.opcode == io_opcode::poll) return pollers;
    return readiness_of(request) == POLLOUT ? writers : readers;
}

reactor::~reactor() {
    if (thread_.joinable()) {
        ending_.store(true);
        const std::uint64_t one = 1;
        while (::write(wake_descriptor_, &one, sizeof one) < 0 && errno == EINTR) {
        }
        thread_.join();
    }
    if (wake_descriptor_ >= 0) ::close(wake_descriptor_);
    if (epoll_descriptor_ >= 0) ::close(epoll_descriptor_);
}

void reactor::begin(io_operation& operation) noexcept {
    int result = call_if_ready(io_operation_access::request(operation));
    if (result == -EAGAIN) result = keep(operation);
    // LIFETIME: an operation that is kept may be gone.
    if (result != -EAGAIN) service_.finish(operation, result);
}

// Returns -EAGAIN when the operation is kept.
int reactor::keep(io_operation& operation) noexcept {
    const io_request& request = io_operation_access::request(operation);
    const std::lock_guard lock(mutex_);
    if (closed_ || io_operation_access::refused(operation)) return -ECANCELED;
    if (!thread_.joinable()) {
        if (const int failed = start_thread(); failed != 0) return failed;
    }
    try {
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
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
}

int reactor::watch(int descriptor, unsigned events) noexcept {
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
    try {
        thread_ = std::thread([this] { react(); });
    } catch (const std::system_error&) {
        return -ENOMEM;  // too many threads, which io_uring would not need
    }
    pthread_setname_np(thread_.native_handle(), "coex-epoll");
    return 0;
}

bool reactor::cancel(io_operation& operation) noexcept {
    const std::lock_guard lock(mutex_);
    io_operation_access::refused(operation) = true;
    if (!io_operation_access::listed(operation)) return false;
    const io_request& request = io_operation_access::request(operation);
    const auto place = watched_.find(request.descriptor);
    place->second.list_of(request).remove(operation);
    erase_if_done(place);
    return true;
}

void reactor::cancel_all() noexcept {
    for (;;) {
        io_operation* operation = nullptr;
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
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
        const int count = ::epoll_wait(epoll_descriptor_, events.data(), most, -1);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            if (event.data.fd != wake_descriptor_) handle(event.data.fd, event.events);
        }
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
    if (for_all || (events & events_of_readers) != 0) try_in_turn(place->readers);
    if (for_all || (events & events_of_writers) != 0) try_in_turn(place->writers);
    tell_pollers(*place, events);
    watch_rest(descriptor, *place);
}

void reactor::try_in_turn(io_list& waiting) noexcept {
    for (unsigned i = 0; i < most_in_turn; ++i) {
        io_operation* operation = nullptr;
        {
            const std::lock_guard lock(mutex_);
            operation = waiting.pop_front();
            if (operation == nullptr) return;
        }
        int result = call_if_ready(io_operation_access::request(*operation));
        if (result == -EAGAIN) {
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
    {
        const std::lock_guard lock(mutex_);
        place.in_turn = false;
        if (!place.empty()) failed = watch(descriptor, place.events());
        if (failed == 0) {
            if (place.empty()) watched_.erase(descriptor);
            return;
        }
    }
    // The descriptor was closed under what waits for it, or the kernel has no memory to watch it.
    while (io_operation* operation = take_any(descriptor)) service_.finish(*operation, failed);
}

io_operation* reactor::take_any(int descriptor) noexcept {
    const std::lock_guard lock(mutex_);
    const auto place = watched_.find(descriptor);
    return place == watched_.end() ? nullptr : take_from(place);
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
    if (place->second.empty() && !place->second.in_turn) watched_.erase(place);
}

}  // namespace coex::inline v0::detail
