#pragma once

#include <exec/io/operation.hpp>
#include <exec/vocab/result.hpp>

namespace coex::inline v0 {

/// What a descriptor may be ready for. Combine with `|`.
enum class poll_events : unsigned {
    readable = 0x1,          ///< a read would not wait
    urgent = 0x2,            ///< out-of-band data, or a change of a file in /proc or /sys
    writable = 0x4,          ///< a write would not wait
    error = 0x8,             ///< always told, also when it was not asked for
    hang_up = 0x10,          ///< the same
    peer_shut_down = 0x2000  ///< the peer has ended its stream
};

[[nodiscard]] constexpr poll_events operator|(poll_events a, poll_events b) noexcept {
    return static_cast<poll_events>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
[[nodiscard]] constexpr bool has(poll_events events, poll_events any) noexcept {
    return (static_cast<unsigned>(events) & static_cast<unsigned>(any)) != 0;
}

namespace detail {

class poll_request {
public:
    poll_request(int descriptor, poll_events events) noexcept : descriptor_(descriptor), events_(events) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<poll_events> result(int answer) const;

private:
    int descriptor_;
    poll_events events_;
};

}  // namespace detail

/// Waits until `descriptor` is ready for one of `events`, so that any library with a descriptor can be awaited.
///
/// Completes: with those of `events` that there are, and with error and hang_up if there are; at once if there are
///            some (level-triggered). To be told again, poll again.
/// Errors:    std::system_error "poll descriptor N: REASON".
/// Cancel:    by the stop token of the awaiting task; at once. Nothing was taken from the descriptor.
/// Lifetime:  the descriptor must stay open until then.
[[nodiscard]] inline auto poll(static_thread_pool& pool, int descriptor, poll_events events) noexcept {
    return detail::io_sender(pool, detail::poll_request(descriptor, events));
}

}  // namespace coex::inline v0
