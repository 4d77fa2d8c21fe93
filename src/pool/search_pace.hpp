#pragma once

#include <exec/base/config.hpp>

#include <algorithm>

namespace coex::inline v0::detail {

/// Whether a worker that sleeps in a ring should look around for a while before it falls asleep.
///
/// Who posts to a worker that looks around need not wake it, so it does as a rule. But where work comes as completions,
/// longer after each other than a worker looks around, looking is wasted: with one connection it took a third of the
/// server's processor time. A completion wakes a sleeper without anybody's system call. So a worker that waits for
/// completions looks around only as long as that finds something in a third of all cases, and tries it again now and
/// then. PERF: bench echo, 1 connection.
///
/// OWNER: its worker.
class search_pace {
public:
    static constexpr unsigned most_credit = 8;
    static constexpr unsigned searches_before_trial = 64;

    [[nodiscard]] bool should_look_around() const noexcept {
        return credit_ != 0 || left_out_ >= searches_before_trial;
    }

    /// While the worker looked around something came.
    void note_success() noexcept {
        credit_ = std::min(credit_ + 2, most_credit);
        left_out_ = 0;
    }
    /// Nothing came.
    void note_failure() noexcept {
        credit_ -= std::min(credit_, 1U);
        left_out_ = 0;
    }
    /// The worker is about to sleep without having looked around.
    void note_left_out() noexcept { ++left_out_; }

private:
    unsigned credit_ = most_credit;
    unsigned left_out_ = 0;
};

}  // namespace coex::inline v0::detail
