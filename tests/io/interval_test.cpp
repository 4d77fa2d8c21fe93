#include <exec/io/interval.hpp>

#include "io/socket_support.hpp"

#include <chrono>

namespace {

using namespace std::chrono_literals;
using coex::interval;
using coex::static_thread_pool;
using coex::task;
using coex::timer_clock;

TEST(interval, ticks_lie_on_a_grid_and_missed_ones_are_left_out) {
    const timer_clock::time_point start(100s);
    const interval every(10ms, start);
    EXPECT_EQ(every.next_tick(start - 1s), start + 10ms);
    EXPECT_EQ(every.next_tick(start), start + 10ms);
    EXPECT_EQ(every.next_tick(start + 9ms), start + 10ms);
    EXPECT_EQ(every.next_tick(start + 10ms), start + 20ms);
    EXPECT_EQ(every.next_tick(start + 57ms), start + 60ms);
}

task<void> tick_five_times(timer_clock::time_point start) {
    interval every(2ms, start);
    for (int i = 0; i < 5; ++i) co_await every.tick();
}

TEST(interval, a_tick_never_comes_early) {
    static_thread_pool pool{{.threads = 1}};
    const auto start = timer_clock::now();
    coex_test::run_on(pool, tick_five_times(start));
    EXPECT_GE(timer_clock::now(), start + 10ms);
}

}  // namespace
