#pragma once

#include <exec/vocab/timer.hpp>

namespace coex::inline v0::detail {

/// How a worker sleeps. The default sleeps on a futex; one that does I/O sleeps in its ring.
class parker {
public:
    parker() = default;
    parker(const parker&) = delete;
    parker& operator=(const parker&) = delete;
    virtual ~parker() = default;

    /// Sleeps until `unpark()` was called (also before: at most one call is remembered), `deadline` has passed, or
    /// something that this parker watches became ready. May return early. Called by its worker only.
    virtual void park(timer_clock::time_point deadline) noexcept = 0;

    /// Ends the present or the next `park()`. Any thread.
    virtual void unpark() noexcept = 0;

    /// What a poll() does with what was begun and not yet submitted.
    enum class submission : unsigned char {
        now,
        may_wait  // for the park() that probably follows, or the next poll(), if it is to wait most likely anyway
    };
    /// Hands over what became ready without sleeping, and passes on what was begun and not yet submitted. Returns true
    /// when work may have become available to the worker. Called by its worker only.
    virtual bool poll(submission when) noexcept = 0;

    /// True while something was begun here whose end will end a park(). Called by its worker only.
    [[nodiscard]] virtual bool awaits_something() const noexcept { return false; }

    /// False while something that was begun here needs the thread to stay. Called by its worker only.
    [[nodiscard]] virtual bool lets_thread_end() const noexcept { return true; }
};

}  // namespace coex::inline v0::detail
