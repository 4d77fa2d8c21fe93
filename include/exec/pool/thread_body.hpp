#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace coex::inline v0 {

namespace detail {

class pool_core;
class worker;

}  // namespace detail

/// What a thread has to do to be a worker of a pool: given to `pool_options::spawn_thread`, which gets it a thread.
/// Move-only.
///
/// Lifetime: `run()` must be called, on a thread of its own, or the body be destroyed before `spawn_thread` returns:
///           then the constructor of the pool fails. A body that is dropped later aborts, as the pool counts on it.
class thread_body {
public:
    thread_body(thread_body&& other) noexcept : worker_(std::exchange(other.worker_, nullptr)) {}
    thread_body& operator=(thread_body&&) = delete;
    ~thread_body();

    [[nodiscard]] unsigned index() const noexcept;
    /// What the pool would name the thread. The thread is the user's: nobody does it for him.
    [[nodiscard]] const std::string& name() const noexcept;
    /// `pool_options::stack_bytes`.
    [[nodiscard]] std::size_t stack_bytes() const noexcept;

    /// Works for the pool until it ends; from then on the thread is no worker any more. Once. On the thread that makes
    /// the pool it would never return: there, and on any worker, it aborts with a message.
    void run() noexcept;

private:
    friend class detail::pool_core;
    explicit thread_body(detail::worker& which) noexcept : worker_(&which) {}

    detail::worker* worker_;  // null once it was moved from or run
};

}  // namespace coex::inline v0
