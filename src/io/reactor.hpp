#pragma once

#include "io/operation_access.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace coex::inline v0::detail {

class io_service;

/// Waits with epoll until descriptors are ready, for operations that would otherwise hold a helper thread each: what
/// sockets do where io_uring is missing. An operation is tried at once; if it would have to wait it joins those of its
/// descriptor, which is then watched. When the descriptor is ready the operations are tried again, in their order, by
/// the reactor's thread, which lives from the first wait on.
///
/// **No readiness is lost.** A descriptor is watched level-triggered, once (EPOLLONESHOT), and anew by whoever adds an
/// operation to it or leaves one waiting, after that one is in the list, under the same lock. So what became ready
/// between the attempt and the watch is reported at once. An event that finds nobody does nothing.
///
/// **Who has an operation.** begin(), the list of its descriptor, or the thread that took it from there. cancel() takes
/// it out of a list; when it is in none it marks it as refused, and whoever has it sees that before it puts it into a
/// list.
///
/// Thread-safe: yes.
class reactor {
public:
    explicit reactor(io_service& service) noexcept : service_(service) {}
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;
    ~reactor();

    /// Carries the operation out, or keeps it until its descriptor is ready. Finishes it, now or later.
    void begin(io_operation& operation) noexcept;

    /// Returns true when the operation waited here: it belongs to the caller now.
    [[nodiscard]] bool cancel(io_operation& operation) noexcept;

    /// Finishes what waits, and refuses to let anything wait from now on.
    void cancel_all() noexcept;

private:
    /// The operations that wait for one descriptor.
    struct watched {
        io_list readers;
        io_list writers;
        io_list pollers;
        unsigned poll_events = 0;  // at least the union of what `pollers` ask for
        bool in_turn = false;      // the reactor's thread is at it: nobody else takes the entry away

        [[nodiscard]] bool empty() const noexcept { return readers.empty() && writers.empty() && pollers.empty(); }
        [[nodiscard]] unsigned events() const noexcept;
        [[nodiscard]] io_list& list_of(const io_request& request) noexcept;
    };

    [[nodiscard]] int keep(io_operation& operation) noexcept;
    [[nodiscard]] int watch(int descriptor, unsigned events) noexcept;
    [[nodiscard]] int start_thread() noexcept;
    void react() noexcept;
    void handle(int descriptor, unsigned events) noexcept;
    void try_in_turn(io_list& waiting) noexcept;
    void tell_pollers(watched& place, unsigned events) noexcept;
    void watch_rest(int descriptor, watched& place) noexcept;
    [[nodiscard]] io_operation* take_any(int descriptor) noexcept;
    [[nodiscard]] io_operation* take_from(std::unordered_map<int, watched>::iterator place) noexcept;
    void erase_if_done(std::unordered_map<int, watched>::iterator place) noexcept;

    io_service& service_;
    std::atomic<bool> ending_{false};
    int epoll_descriptor_ = -1;  // written under mutex_, before the thread begins
    int wake_descriptor_ = -1;   // the same
    std::thread thread_;         // the same

    std::mutex mutex_;
    std::unordered_map<int, watched> watched_;  // OWNER: mutex_
    bool closed_ = false;                       // OWNER: mutex_; nothing may wait any more
};

}  // namespace coex::inline v0::detail
