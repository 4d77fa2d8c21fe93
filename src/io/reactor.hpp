#pragma once

#include "io/operation_access.hpp"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace coex::inline v0::detail {

class helper_backend;
class io_service;

/// Waits with epoll until descriptors are ready, for operations that would otherwise hold a helper thread each: what
/// sockets, pipes, terminals and the like do where io_uring is missing. An operation is tried at once; if it would have
/// to wait it joins those of its descriptor, which is then watched. When the descriptor is ready the operations are
/// tried again, in their order, by the reactor's thread, which lives from the first wait on.
///
/// **What goes to a helper.** A transfer that epoll does not watch (a file), and one that cannot be tried without
/// waiting (`transfer_if_ready()`). The latter goes when the descriptor is ready, one reader and one writer of a
/// descriptor at a time, so that no two of this pool's want the same bytes. Another process that is quicker makes the
/// helper wait: for readiness, in which it can be cancelled; only between that and the call it cannot.
///
/// **What is asked again and again.** The other end of a named pipe and room in the queue of a local listener show in
/// no descriptor. Such operations are tried anew by the same thread, ever more seldom.
///
/// **No readiness is lost.** A descriptor is watched level-triggered, once (EPOLLONESHOT), and anew by whoever adds an
/// operation to it or leaves one waiting, after that one is in the list, under the same lock. So what became ready
/// between the attempt and the watch is reported at once. An event that finds nobody does nothing.
///
/// **Who has an operation.** begin(), the list of its descriptor, a helper, or the thread that took it from there.
/// take_out() takes it out of a list; when it is in none the backend marks it as refused, and whoever has it sees that
/// before it puts it into a list.
///
/// Thread-safe: yes. `mutex` is the backend's: an operation moves between its lists and those in here.
class reactor {
public:
    reactor(io_service& service, helper_backend& helpers, std::mutex& mutex) noexcept
        : service_(service), helpers_(helpers), mutex_(mutex) {}
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;
    ~reactor();

    /// Carries the operation out, or keeps it until its descriptor is ready. Finishes it, now or later, or leaves it to
    /// a helper.
    void begin(io_operation& operation) noexcept;

    /// Takes out an operation that waits here: it belongs to the caller then. Under the mutex.
    void take_out(io_operation& operation) noexcept;

    /// A helper has made the transfer that was left to it: the next one of the descriptor may have its turn. Under the
    /// mutex. Returns what cannot be waited for any more, to be finished with `failed` without the mutex.
    [[nodiscard]] work_queue come_back(const io_request& transfer, int& failed) noexcept;

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
        bool reader_away = false;  // with a helper: the others wait, and nobody takes the entry away
        bool writer_away = false;

        [[nodiscard]] bool empty() const noexcept { return readers.empty() && writers.empty() && pollers.empty(); }
        [[nodiscard]] bool is_done() const noexcept { return empty() && !in_turn && !reader_away && !writer_away; }
        [[nodiscard]] unsigned events() const noexcept;
        [[nodiscard]] io_list& list_of(const io_request& request) noexcept;
    };

    enum class direction : unsigned char { reading, writing };

    [[nodiscard]] int keep(io_operation& operation) noexcept;
    [[nodiscard]] int keep_watched(io_operation& operation);
    [[nodiscard]] int keep_retried(io_operation& operation) noexcept;
    [[nodiscard]] int watch(int descriptor, unsigned events) noexcept;
    [[nodiscard]] int start_thread() noexcept;
    void wake() const noexcept;
    void react() noexcept;
    void retry() noexcept;
    void handle(int descriptor, unsigned events) noexcept;
    void try_in_turn(watched& place, direction which) noexcept;
    [[nodiscard]] bool leave_to_helper(io_operation& operation, bool& away) noexcept;
    void tell_pollers(watched& place, unsigned events) noexcept;
    void watch_rest(int descriptor, watched& place) noexcept;
    [[nodiscard]] work_queue settle(std::unordered_map<int, watched>::iterator place, int& failed) noexcept;
    void finish_all(work_queue operations, int result) noexcept;
    [[nodiscard]] io_operation* take_from(std::unordered_map<int, watched>::iterator place) noexcept;
    void erase_if_done(std::unordered_map<int, watched>::iterator place) noexcept;

    io_service& service_;
    helper_backend& helpers_;
    std::mutex& mutex_;
    std::atomic<bool> ending_{false};
    int epoll_descriptor_ = -1;  // written under mutex_, before the thread begins
    int wake_descriptor_ = -1;   // the same
    std::thread thread_;         // the same

    std::unordered_map<int, watched> watched_;  // OWNER: mutex_
    io_list retried_;                           // OWNER: mutex_; what is asked again and again
    std::size_t retried_count_ = 0;             // OWNER: mutex_
    unsigned retries_ = 0;                      // OWNER: mutex_; since something came new
    bool closed_ = false;                       // OWNER: mutex_; nothing may wait any more
};

}  // namespace coex::inline v0::detail
