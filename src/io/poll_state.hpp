#pragma once

#include "io/sequence_state.hpp"

#include <exec/base/counted.hpp>
#include <exec/coro/task.hpp>
#include <exec/io/poll_sequence.hpp>
#include <exec/io/socket_operations.hpp>

#include <cstddef>
#include <cstdint>

namespace coex::inline v0::detail {

/// What a sequence of polls is. Through io_uring: a multishot poll, which tells of every edge, and of what is there
/// when it begins.
///
/// **Level** [P1]. The task forgets the edges so far, looks (a poll that does not wait), and waits for an edge when it
/// sees nothing. What came before the look is seen by it; what comes after it makes an edge that is not forgotten.
///
/// **Edge.** The events of the edges are kept until the task takes them.
///
/// **Edges that nobody takes** would fill the ring with completions. So after some of them the multishot poll is ended.
/// The task that waits next begins it anew, and it then tells of what there is: more than what has come since,
/// never less.
///
/// Without io_uring: at the level a `poll` each time; for edges an epoll of its own, which is waited for by `poll`.
class poll_state final : public sequence_state {
public:
    poll_state(static_thread_pool& pool, int descriptor, poll_events events, poll_trigger trigger);

    [[nodiscard]] static task<poll_events> next(counted_ptr<poll_state> self);

private:
    static constexpr unsigned most_untaken = 16;

    void prepare(io_request& request) const noexcept override;
    [[nodiscard]] bool has_news() const noexcept override { return untaken_ != 0 || failed_ != 0; }
    [[nodiscard]] bool keep(int events, std::uint16_t number) noexcept override;
    void note_end(int result) noexcept override;
    void drop_all() noexcept override {}

    void watch_edges();
    [[nodiscard]] int take() noexcept;
    [[nodiscard]] int take_edges() noexcept;

    const int descriptor_;
    const poll_events events_;
    poll_trigger trigger_;  // constant once it is made
    const bool through_ring_;
    owned_descriptor epoll_;  // for edges, without io_uring

    // All below, OWNER: the mutex.
    unsigned untaken_ = 0;  // edges
    int came_ = 0;          // their events
    int failed_ = 0;        // a negated errno
};

}  // namespace coex::inline v0::detail
