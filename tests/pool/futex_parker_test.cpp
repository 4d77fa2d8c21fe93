#include "pool/futex_parker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace {

using coex::timer_clock;
using coex::detail::futex_parker;

constexpr timer_clock::time_point never = timer_clock::time_point::max();

TEST(futex_parker, smoke_an_unpark_that_came_first_is_remembered) {
    futex_parker parker;
    parker.unpark();
    parker.park(never);
    EXPECT_FALSE(parker.poll(coex::detail::parker::submission::now));
}

TEST(futex_parker, park_returns_at_its_deadline) {
    futex_parker parker;
    parker.park(timer_clock::now() - std::chrono::seconds(1));
    const auto deadline = timer_clock::now() + std::chrono::milliseconds(2);
    // It may return early: so, like a worker, again until the deadline has passed.
    while (timer_clock::now() < deadline) parker.park(deadline);
}

TEST(futex_parker, an_unpark_is_used_up_by_one_park) {
    futex_parker parker;
    parker.unpark();
    parker.unpark();
    parker.park(never);
    std::atomic<bool> woken{false};
    std::thread sleeper([&] {
        while (!woken.load()) parker.park(never);
    });
    woken.store(true);
    parker.unpark();
    sleeper.join();
}

TEST(futex_parker, wake_is_not_lost_between_two_threads_that_wake_each_other) {
    futex_parker parkers[2];
    std::atomic<int> turn{0};
    constexpr int rounds = 10'000;
    const auto play = [&](int me) {
        for (int round = 0; round < rounds; ++round) {
            while (turn.load() != me) parkers[me].park(never);
            turn.store(1 - me);
            parkers[1 - me].unpark();
        }
    };
    std::thread other([&] { play(1); });
    play(0);
    other.join();
    EXPECT_EQ(turn.load(), 0);
}

TEST(futex_parker, what_a_waker_wrote_is_visible_after_park_in_a_stampede_of_wakers) {
    futex_parker parker;
    constexpr int per_thread = 5'000;
    std::atomic<int> posted{0};
    std::vector<std::thread> wakers;
    for (int i = 0; i < 3; ++i) {
        wakers.emplace_back([&] {
            for (int k = 0; k < per_thread; ++k) {
                posted.fetch_add(1);
                parker.unpark();
            }
        });
    }
    while (posted.load() < 3 * per_thread) parker.park(never);
    for (std::thread& each : wakers) each.join();
    EXPECT_EQ(posted.load(), 3 * per_thread);
}

}  // namespace
