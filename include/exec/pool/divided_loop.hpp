#pragma once

#include <exec/base/std_chrono.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/fork_deque.hpp>

#include <cstddef>
#include <utility>

namespace coex::inline v0::detail {

/// How many elements of a loop a thread handles at once: as many as take some 10 us, so that dividing the loop costs
/// nothing that counts, and no element waits long behind others while a worker is idle.
class loop_pace {
public:
    [[nodiscard]] std::size_t step() const noexcept { return step_; }

    /// Call after each step.
    void made_a_step() noexcept {
        const clock::time_point now = clock::now();
        const clock::duration took = now - before_;
        before_ = now;
        if (took < shortest) {
            step_ = step_ < most / 2 ? step_ * 2 : most;
        } else if (took > longest) {
            step_ = step_ > 1 ? step_ / 2 : 1;
        }
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr std::chrono::microseconds shortest{5};
    static constexpr std::chrono::microseconds longest{20};
    // Elements that take next to no time need no more, and those behind them may take long.
    static constexpr std::size_t most = 16384;

    std::size_t step_ = 1;  // nothing is known yet: nobody waits behind an element that takes long
    clock::time_point before_ = clock::now();
};

/// A loop over [first, last) that is halved by forks until a part is one step of the thread's pace. So everything but
/// the present step lies in the deque, the larger parts first; the first parts are single elements, and each further
/// one may be twice as large until it takes long enough: n cheap elements make some n / step + log2 n forks.
///
/// `Part` says what is done: `begin()` gives an empty result, `run(result, first, last)` adds elements to one,
/// `join(left, right)` adds the right result to the left, `cancelled()` tells that the rest is not wanted.
template <class Part>
class divided_loop {
public:
    explicit divided_loop(Part& part) noexcept : part_(&part) {}

    /// Called on a worker.
    auto run(std::size_t first, std::size_t last) const {
        loop_pace pace;
        return run(first, last, pace);
    }

private:
    auto run(std::size_t first, std::size_t last, loop_pace& pace) const {
        auto result = part_->begin();
        if (part_->cancelled()) return result;
        if (last - first > pace.step()) {
            fork(result, first, last, pace);
        } else {
            part_->run(result, first, last);
            pace.made_a_step();
            // Null in a handler for the start or stop of a thread.
            if (fork_deque* const forks = this_worker_forks; forks != nullptr && forks->has_jobs()) forks->answer();
        }
        return result;
    }

    template <class Result>
    void fork(Result& result, std::size_t first, std::size_t last, loop_pace& pace) const {
        const std::size_t middle = first + (last - first) / 2;
        fork_deque* const here = this_worker_forks;
        const auto left = [&, this] { return run(first, middle, pace); };
        const auto right = [&, this] {
            // Another thread goes at its own pace.
            return here == this_worker_forks ? run(middle, last, pace) : run(middle, last);
        };
        auto halves = fork_pair<const decltype(left)&, const decltype(right)&>(left, right);
        part_->join(result, std::move(halves.first));
        part_->join(result, std::move(halves.second));
    }

    Part* part_;
};

/// Runs all of a loop: on a worker in its pool, elsewhere in the default pool.
template <class Part>
auto run_loop_over(Part& part, std::size_t count) {
    const divided_loop<Part> loop(part);
    if (on_a_worker()) return loop.run(0, count);
    return default_pool().install([&] { return loop.run(0, count); });
}

}  // namespace coex::inline v0::detail
