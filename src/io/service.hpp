#pragma once

#include "io/admission.hpp"
#include "io/backend.hpp"
#include "pool/pool_core.hpp"
#include "pool/pool_extension.hpp"

#include <exec/io/operation.hpp>

#include <atomic>
#include <memory>

namespace coex::inline v0::detail {

/// The input and output that is bound to one pool.
///
/// **An operation's road.** begin() counts it and asks admission; an admitted one goes to a worker of the pool (at once
/// when a coroutine of the pool begins it), which prepares it with the backend and starts it; the backend gives the
/// kernel's answer to finish(), which passes the slot on and hands the coroutine back to its own place. One that a
/// signal interrupted is started again, and so is the rest of a transfer that is to be whole.
///
/// **Who may finish it.** Exactly one party holds the operation at a time (admission's queue, the pool's queues, the
/// backend), and only the holder advances or finishes it.
///
/// **Cancelling** [I1]. A stop request may come on any thread, at any time between the registration of the callback and
/// its removal, which the resumed coroutine does; the removal waits for a callback in progress, so the operation
/// outlives cancel(). The word `state_` holds four bits:
///   - `started`: set by the worker when the backend knows the operation. Before: cancel() may take it out of
///   admission's queue;
///     if it is elsewhere on its road, the worker sees `stop` when it sets `started`, and finishes it as cancelled.
///   - `stop`: set by cancel(). If `started` came before, the backend is asked; if `finished` came before, nothing is
///   done.
///   - `sent`: set by cancel() when it will not touch service, admission or backend any more.
///   - `finished`: set by finish(). If `stop` came before, finish() waits for `sent`: the pool and its backend may be
///   destroyed
///     as soon as the operation is finished, so nobody may still be in there on its account. cancel() is short, takes
///     only leaf locks and never waits for finish(), so this wait ends.
/// All four are read-modify-write operations of one word, so of any two parties the second sees the first.
class io_service final : public pool_extension {
public:
    /// The service of `pool`, made at the first call. Errors: as active_io_backend().
    [[nodiscard]] static io_service& of(static_thread_pool& pool);

    explicit io_service(pool_core& pool);

    [[nodiscard]] pool_core& pool() const noexcept { return pool_; }

    /// Tries to carry the operation out without waiting, from cached data and where admission is free. Returns true
    /// when done.
    [[nodiscard]] bool try_at_once(io_operation& operation) noexcept;

    void begin(io_operation& operation) noexcept;
    /// The same for one that belongs to no coroutine, whose service is set, and for which announce_one() was called;
    /// `at_home`: it is begun by a coroutine of the pool.
    void begin_announced(io_operation& operation, bool at_home) noexcept;
    /// The pool goes on until the operation that is about to be begun has ended.
    void announce_one() noexcept { operations_.fetch_add(1); }
    void cancel(io_operation& operation) noexcept;
    void finish(io_operation& operation, int result) noexcept;

    /// The same for a backend whose answer may be a part of a transfer that is to be whole, or say that it is time to
    /// look again whether a named pipe has another end: begins the rest, or finishes.
    void finish_transfer(io_operation& operation, int result) noexcept;

    /// True once cancel() was called.
    [[nodiscard]] static bool is_stop_asked(const io_operation& operation) noexcept;

    void stop() noexcept override;
    [[nodiscard]] bool quiet() noexcept override { return operations_.load() == 0; }

private:
    static void run_advance(work_item* item) noexcept;
    void advance(worker& here, io_operation& operation) noexcept;
    void start(io_operation& operation) noexcept;
    [[nodiscard]] bool start_again(io_operation& operation) noexcept;
    [[nodiscard]] static int meaning_of(const io_operation& operation, int result, bool stopped) noexcept;
    void hand_back(io_operation& operation, int result) noexcept;

    pool_core& pool_;
    admission admission_;
    std::unique_ptr<io_backend> backend_;
    std::atomic<std::size_t> operations_{0};  // begun and not handed back
    std::atomic<bool> stopping_{false};
};

}  // namespace coex::inline v0::detail
