#include "pool/idle_set.hpp"

#include "pool/pool_access.hpp"
#include "pool/pool_core.hpp"
#include "pool/worker.hpp"
#include "vocab/timer_set.hpp"

#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

namespace {

using coex::timer_clock;
using coex::detail::idle_set;
using coex::detail::timer_set;
using coex::detail::worker;

constexpr timer_clock::time_point never = timer_clock::time_point::max();

struct counting_parker final : coex::detail::parker {
    explicit counting_parker(int& count) noexcept : unparked(count) {}
    void park(timer_clock::time_point) noexcept override {}
    void unpark() noexcept override { ++unparked; }
    bool poll(submission /*when*/) noexcept override { return false; }

    int& unparked;
};

struct idle_timer final : coex::timer_node {
    explicit idle_timer(timer_clock::time_point at) noexcept : timer_node([](timer_node*) noexcept {}) {
        deadline = at;
    }
};

/// An idle set whose workers have no thread: the test does by hand what their loops would.
class idle_set_test : public ::testing::Test {
protected:
    static constexpr unsigned count = 3;

    idle_set_test() {
        for (unsigned i = 0; i < count; ++i) {
            workers_.push_back(std::make_unique<worker>(coex::detail::pool_access::core(pool_), i));
            workers_[i]->install_parker(std::make_unique<counting_parker>(unparked_[i]));
        }
    }

    timer_clock::time_point fall_asleep(unsigned which) {
        idle_.begin_search();
        return idle_.announce_sleep(*workers_[which], timers_);
    }
    /// The worker is awake again, found something, and says whether it was the last that searched.
    bool wake_up(unsigned which) {
        idle_.retract_sleep(*workers_[which]);
        return idle_.end_search();
    }
    [[nodiscard]] int unparked() const { return unparked_[0] + unparked_[1] + unparked_[2]; }

    coex::static_thread_pool pool_{{.name = "none", .threads = 1}};
    int unparked_[count] = {};
    std::vector<std::unique_ptr<worker>> workers_;
    std::atomic<std::uint64_t> counts_{0};
    idle_set idle_{counts_, count};
    timer_set timers_;
};

TEST_F(idle_set_test, smoke_work_wakes_the_last_that_fell_asleep) {
    for (unsigned i = 0; i < count; ++i) EXPECT_EQ(fall_asleep(i), never);
    idle_.notify_one();
    EXPECT_EQ(unparked_[2], 1);
    EXPECT_EQ(unparked(), 1);
}

TEST_F(idle_set_test, nobody_is_woken_while_somebody_searches) {
    fall_asleep(0);
    idle_.begin_search();
    idle_.notify_one();
    EXPECT_EQ(unparked(), 0);
    EXPECT_TRUE(idle_.end_search()) << "it was the last: it must look for more work";
    idle_.notify_one();
    EXPECT_EQ(unparked_[0], 1);
}

TEST_F(idle_set_test, no_crowd_is_woken_before_the_one_that_was_woken_finds_something) {
    for (unsigned i = 0; i < count; ++i) fall_asleep(i);
    for (int i = 0; i < 100; ++i) idle_.notify_one();
    EXPECT_EQ(unparked(), 1);
    EXPECT_TRUE(wake_up(2));
    for (int i = 0; i < 100; ++i) idle_.notify_one();
    EXPECT_EQ(unparked(), 2);
    EXPECT_EQ(unparked_[1], 1);
}

TEST_F(idle_set_test, a_sleeper_that_wakes_by_itself_searches_until_it_found_something) {
    fall_asleep(0);
    fall_asleep(1);
    idle_.retract_sleep(*workers_[0]);
    idle_.notify_one();
    EXPECT_EQ(unparked(), 0);
    EXPECT_TRUE(idle_.end_search());
    idle_.notify_one();
    EXPECT_EQ(unparked_[1], 1);
}

TEST_F(idle_set_test, a_sleeper_woken_twice_at_once_is_counted_once) {
    fall_asleep(0);
    fall_asleep(1);
    idle_.notify_one();  // takes worker 1 off the list, which then wakes by itself before the unpark
    EXPECT_TRUE(wake_up(1));
    idle_.notify_one();
    EXPECT_FALSE(wake_up(0)) << "the last that searched, but nobody sleeps";
    idle_.notify_one();
    EXPECT_EQ(unparked(), 2) << "nobody sleeps: nobody is woken";
    fall_asleep(0);
    idle_.begin_search();
    EXPECT_TRUE(idle_.end_search()) << "the count of searchers is back at none";
}

TEST_F(idle_set_test, the_last_that_searched_looks_again_only_when_somebody_sleeps) {
    idle_.begin_search();
    EXPECT_FALSE(idle_.end_search());
    fall_asleep(0);
    idle_.begin_search();
    idle_.begin_search();
    EXPECT_FALSE(idle_.end_search()) << "another one searches";
    EXPECT_TRUE(idle_.end_search());
}

TEST_F(idle_set_test, one_sleeper_keeps_the_time_and_the_others_sleep_without_limit) {
    const timer_clock::time_point soon{std::chrono::milliseconds(10)};
    idle_timer timer(soon);
    static_cast<void>(timers_.arm(timer));
    EXPECT_EQ(fall_asleep(0), soon);
    EXPECT_EQ(fall_asleep(1), never);
    timers_.close();
}

TEST_F(idle_set_test, work_wakes_another_than_the_timekeeper_if_it_can) {
    fall_asleep(0);
    idle_timer timer(timer_clock::time_point(std::chrono::milliseconds(10)));
    static_cast<void>(timers_.arm(timer));
    fall_asleep(1);
    idle_.notify_one();
    EXPECT_EQ(unparked_[0], 1);
    EXPECT_TRUE(wake_up(0));
    idle_.notify_one();
    EXPECT_EQ(unparked_[1], 1) << "the timekeeper is the last that is left";
    timers_.close();
}

TEST_F(idle_set_test, a_timekeeper_that_wakes_and_finds_work_passes_the_office_on) {
    const timer_clock::time_point soon{std::chrono::milliseconds(10)};
    idle_timer timer(soon);
    static_cast<void>(timers_.arm(timer));
    fall_asleep(0);
    fall_asleep(1);
    EXPECT_TRUE(wake_up(0));
    EXPECT_EQ(unparked(), 0) << "it has searched: meanwhile the time was kept";
    idle_.keep_time(timers_);
    EXPECT_EQ(unparked_[1], 1) << "a successor is told";
    EXPECT_FALSE(wake_up(1)) << "nobody sleeps who could keep the time";
    EXPECT_EQ(fall_asleep(1), soon);
    timers_.close();
}

TEST_F(idle_set_test, a_timer_armed_while_all_sleep_reaches_a_sleeper) {
    fall_asleep(0);
    fall_asleep(1);
    idle_timer timer(timer_clock::time_point(std::chrono::milliseconds(10)));
    static_cast<void>(timers_.arm(timer));
    idle_.notify_deadline();
    EXPECT_EQ(unparked(), 1);
    timers_.close();
}

TEST_F(idle_set_test, an_earlier_timer_reaches_the_timekeeper) {
    idle_timer timer(timer_clock::time_point(std::chrono::milliseconds(10)));
    static_cast<void>(timers_.arm(timer));
    fall_asleep(0);
    fall_asleep(1);
    idle_timer earlier(timer_clock::time_point(std::chrono::milliseconds(5)));
    static_cast<void>(timers_.arm(earlier));
    idle_.notify_deadline();
    EXPECT_EQ(unparked_[0], 1);
    EXPECT_EQ(unparked_[1], 0);
    timers_.close();
}

TEST_F(idle_set_test, the_time_is_kept_by_another_when_a_sleeper_that_was_told_of_it_finds_work) {
    fall_asleep(0);
    fall_asleep(1);
    idle_timer timer(timer_clock::time_point(std::chrono::milliseconds(10)));
    static_cast<void>(timers_.arm(timer));
    idle_.notify_deadline();
    EXPECT_EQ(unparked_[0], 1);
    EXPECT_TRUE(wake_up(0)) << "the last that searched must look whether somebody keeps the time";
    idle_.keep_time(timers_);
    EXPECT_EQ(unparked_[1], 1);
    timers_.close();
}

TEST_F(idle_set_test, nobody_is_woken_for_the_time_when_it_is_kept_or_a_searcher_sees_to_it_or_no_timer_is_armed) {
    const timer_clock::time_point soon{std::chrono::milliseconds(10)};
    idle_timer timer(soon);
    fall_asleep(0);
    idle_.keep_time(timers_);
    static_cast<void>(timers_.arm(timer));
    idle_.begin_search();
    idle_.keep_time(timers_);
    EXPECT_TRUE(idle_.end_search());
    EXPECT_EQ(fall_asleep(1), soon);
    idle_.keep_time(timers_);
    EXPECT_EQ(unparked(), 0);
    timers_.close();
}

TEST_F(idle_set_test, waking_all_makes_every_sleeper_look_again) {
    for (unsigned i = 0; i < count; ++i) fall_asleep(i);
    idle_.wake_all();
    for (const int each : unparked_) EXPECT_EQ(each, 1);
    for (unsigned i = 0; i < count; ++i) EXPECT_EQ(wake_up(i), i + 1 < count) << "all but the last leave sleepers";
}

}  // namespace
