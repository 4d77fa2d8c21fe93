#pragma once

#include <exec/io/backend_kind.hpp>

#include <memory>

namespace coex::inline v0::detail {

class io_operation;
class io_service;
class worker;

/// Carries out the operations bound to one pool: through io_uring, or through helper threads.
class io_backend {
public:
    io_backend() = default;
    io_backend(const io_backend&) = delete;
    io_backend& operator=(const io_backend&) = delete;
    virtual ~io_backend() = default;

    /// Gives the operation its home on `here`, so that `cancel()` can find it from now on. Returns 0 or a negated
    /// errno.
    [[nodiscard]] virtual int prepare(worker& here, io_operation& operation) noexcept = 0;

    /// Begins it. Must call `io_service::finish()` once, later or before it returns.
    virtual void start(io_operation& operation) noexcept = 0;

    /// Asks for an early end of a prepared, unfinished operation. Any thread. Returns true when the operation was taken
    /// out before it began and now belongs to the caller.
    [[nodiscard]] virtual bool cancel(io_operation& operation) noexcept = 0;

    /// Forgets what `cancel()` noted of the operation, which is about to finish.
    virtual void forget(io_operation& operation) noexcept = 0;

    /// Ends everything in flight, as far as possible.
    virtual void cancel_all() noexcept = 0;
};

[[nodiscard]] std::unique_ptr<io_backend> make_ring_backend(io_service& service);
[[nodiscard]] std::unique_ptr<io_backend> make_helper_backend(io_service& service);

}  // namespace coex::inline v0::detail
