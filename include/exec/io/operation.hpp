#pragma once

#include <exec/coro/awaitable_sender.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/vocab/result.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

struct statx;

namespace coex::inline v0 {

class static_thread_pool;

namespace detail {

class io_service;

enum class io_opcode : unsigned char {
    open,
    open_below,
    read,
    write,
    read_blocks,
    write_blocks,
    statx,
    fsync,
    close,
    // What waits until a descriptor is ready, as long as that may take:
    receive,
    send,
    receive_message,
    send_message,
    accept,
    connect,
    poll,
    // The same, and delivers many parts (io/multishot.hpp); only for rings.
    receive_many,
    receive_messages,
    poll_many,
};

[[nodiscard]] constexpr bool is_multishot(io_opcode opcode) noexcept {
    return opcode >= io_opcode::receive_many;
}

/// The parts come in buffers that were lent to the kernel.
[[nodiscard]] constexpr bool takes_buffers(io_opcode opcode) noexcept {
    return opcode == io_opcode::receive_many || opcode == io_opcode::receive_messages;
}

[[nodiscard]] constexpr bool waits_for_readiness(io_opcode opcode) noexcept {
    return opcode >= io_opcode::receive;
}

/// What an operation asks of the kernel: plain data, understood by every backend. Which members count depends on
/// `opcode`.
struct io_request {
    io_opcode opcode = io_opcode::close;
    bool read_only = false;  // close: nothing was written, so there is nothing to wait for
    bool direct = false;     // read: the file was opened past the page cache
    bool in_thread = false;  // transfers: the call itself may wait, whatever it is told: not on a worker
    bool whole = false;      // receive, send: not done before `length` bytes, or the end of the stream
    int descriptor = -1;     // all but open and statx of a path; open_below: the directory
    int waiting_end = -1;    // open: of a named pipe, whose other end nobody has; closed when the operation ends
    int flags = 0;           // open: O_*; write: RWF_*; fsync: 1 for data only; statx: AT_*; poll*: POLL*
    unsigned mode = 0;       // open: permissions of a created file; receive_*: the number of the buffers at the ring
    const char* path = nullptr;  // open, open_below, statx
    void* buffer = nullptr;  // transfers (sending only reads from it); *_blocks: iovec; *_message, receive_messages:
                             // msghdr; connect: sockaddr; open_below: open_how
    std::size_t length = 0;  // transfers; *_blocks: how many; connect: of the address
    std::size_t transferred = 0;     // with `whole`: bytes so far
    std::uint64_t offset = 0;        // read, write, *_blocks
    struct statx* status = nullptr;  // statx

    /// What is left of a transfer.
    [[nodiscard]] void* rest() const noexcept { return static_cast<std::byte*>(buffer) + transferred; }
    [[nodiscard]] std::size_t rest_bytes() const noexcept { return length - transferred; }
};

/// An input/output operation in the frame of the coroutine that awaits it: handed to the pool that it is bound to,
/// admitted, started by a backend, finished once. Its protocol is told in src/io/service.hpp.
class io_operation : public work_item {
public:
    io_operation(const io_operation&) = delete;
    io_operation& operator=(const io_operation&) = delete;

protected:
    explicit io_operation(static_thread_pool& pool) noexcept;
    ~io_operation() = default;

    /// Starts the operation for `coroutine`. Returns false when it is complete already.
    ///
    /// Errors: std::invalid_argument for a malformed `COEX_IO`; std::system_error when a backend that was forced is
    ///         missing.
    [[nodiscard]] bool start(coroutine_base& coroutine);

    /// The kernel's answer: not negative, or a negated errno. To be called once the coroutine has resumed.
    [[nodiscard]] int take_result() noexcept {
        stop_callback_.reset();
        return result_;
    }

    io_request request_;

private:
    friend class io_service;
    friend struct io_operation_access;

    struct cancel_request {
        io_operation* operation;
        void operator()() const noexcept;
    };

    static_thread_pool* pool_;
    io_service* service_ = nullptr;
    coroutine_base* coroutine_ = nullptr;
    void* home_ = nullptr;               // OWNER: the backend, from its prepare() on
    io_operation* following_ = nullptr;  // OWNER: the lock of the list that holds the operation
    io_operation* preceding_ = nullptr;  // OWNER: the same
    bool listed_ = false;                // OWNER: the same
    bool refused_ = false;               // OWNER: the helper backend's lock; cancelled: it must not wait any more
    bool asked_ = false;                 // OWNER: the ring's inbox lock; its cancellation was sent, and it is listed
    bool admitted_ = false;              // OWNER: who advances the operation
    std::uint16_t generation_ = 0;       // OWNER: the backend
    int result_ = 0;                     // OWNER: who finishes it, then the coroutine
    std::atomic<unsigned> state_{0};
    std::optional<inplace_stop_callback<cancel_request>> stop_callback_;
};

/// Awaits an operation. `Finish` prepares the request and turns the kernel's answer into a `result`; of a transfer that
/// was to be whole the answer is 0 and the request says how far it came.
template <class Finish>
class io_awaiter : io_operation {
public:
    io_awaiter(static_thread_pool& pool, Finish&& finish) noexcept : io_operation(pool), finish_(std::move(finish)) {}

    [[nodiscard]] static bool await_ready() noexcept { return false; }
    template <std::derived_from<coroutine_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        finish_.prepare(request_);
        return start(coroutine.promise());
    }
    decltype(auto) await_resume() { return await_result().value(); }
    /// The same, with the error as it is instead of thrown: for those who would only catch it.
    auto await_result() {
        const int answer = take_result();
        if constexpr (requires { finish_.result(answer, request_); }) {
            return finish_.result(answer, request_);
        } else {
            return finish_.result(answer);
        }
    }

private:
    Finish finish_;
};

/// An operation that was asked for and not yet awaited.
template <class Finish>
class [[nodiscard]] io_sender : public awaitable_sender<io_sender<Finish>> {
public:
    io_sender(static_thread_pool& pool, Finish finish) noexcept : pool_(&pool), finish_(std::move(finish)) {}
    [[nodiscard]] io_awaiter<Finish> operator co_await() && noexcept { return {*pool_, std::move(finish_)}; }

private:
    static_thread_pool* pool_;
    Finish finish_;
};

}  // namespace detail
}  // namespace coex::inline v0
