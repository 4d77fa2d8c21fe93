#include "vocab/timer_set.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace {

using coex::timer_clock;
using coex::detail::timer_set;
using arm_result = timer_set::arm_result;

constexpr timer_clock::time_point never = timer_clock::time_point::max();

timer_clock::time_point at(int milliseconds) {
    return timer_clock::time_point(std::chrono::milliseconds(milliseconds));
}

struct node final : coex::timer_node {
    explicit node(int milliseconds = 0) noexcept : timer_node(&node::count) { deadline = at(milliseconds); }
    static void count(coex::timer_node* self) noexcept { static_cast<node*>(self)->ended.fetch_add(1); }

    std::atomic<int> ended{0};
};

TEST(timer_set, smoke_expires_what_is_due_and_tells_the_next_deadline) {
    timer_set timers;
    EXPECT_EQ(timers.next_deadline(), never);
    node late(20);
    node early(10);
    EXPECT_EQ(timers.arm(late), arm_result::armed_earliest);
    EXPECT_EQ(timers.arm(early), arm_result::armed_earliest);
    node latest(30);
    EXPECT_EQ(timers.arm(latest), arm_result::armed);
    EXPECT_EQ(timers.next_deadline(), at(10));
    EXPECT_EQ(timers.expire(at(9)), 0U);
    EXPECT_EQ(timers.expire(at(20)), 2U);
    EXPECT_EQ(early.ended.load() + late.ended.load(), 2);
    EXPECT_FALSE(early.stopped);
    EXPECT_EQ(timers.next_deadline(), at(30));
    EXPECT_FALSE(timers.empty());
    EXPECT_EQ(timers.expire(at(30)), 1U);
    EXPECT_TRUE(timers.empty());
    EXPECT_EQ(timers.next_deadline(), never);
}

TEST(timer_set, a_cancelled_timer_ends_at_once_and_once) {
    timer_set timers;
    node one(10);
    node other(20);
    static_cast<void>(timers.arm(one));
    static_cast<void>(timers.arm(other));
    timers.cancel(one);
    EXPECT_TRUE(one.stopped);
    EXPECT_EQ(timers.next_deadline(), at(20));
    timers.cancel(one);
    EXPECT_EQ(timers.expire(at(20)), 1U);
    EXPECT_EQ(one.ended.load(), 1);
    EXPECT_EQ(other.ended.load(), 1);
}

TEST(timer_set, a_timer_cancelled_before_it_is_armed_is_refused) {
    timer_set timers;
    node one(10);
    timers.cancel(one);
    EXPECT_EQ(timers.arm(one), arm_result::refused);
    EXPECT_EQ(one.ended.load(), 0);
    EXPECT_TRUE(timers.empty());
}

TEST(timer_set, an_expired_timer_is_not_ended_again_by_a_late_cancel) {
    timer_set timers;
    node one(10);
    static_cast<void>(timers.arm(one));
    EXPECT_EQ(timers.expire(at(10)), 1U);
    timers.cancel(one);
    EXPECT_EQ(one.ended.load(), 1);
}

TEST(timer_set, closing_stops_all_and_refuses_what_comes_later) {
    timer_set timers;
    node nodes[3];
    for (node& each : nodes) static_cast<void>(timers.arm(each));
    timers.close();
    for (node& each : nodes) {
        EXPECT_EQ(each.ended.load(), 1);
        EXPECT_TRUE(each.stopped);
    }
    EXPECT_EQ(timers.next_deadline(), never);
    node late;
    EXPECT_EQ(timers.arm(late), arm_result::refused);
    EXPECT_EQ(late.ended.load(), 0);
}

TEST(timer_set, stampede_of_arming_cancelling_and_expiring_ends_each_timer_once) {
    timer_set timers;
    constexpr std::size_t count = 6'000;
    std::vector<std::unique_ptr<node>> nodes;
    for (std::size_t i = 0; i < count; ++i) nodes.push_back(std::make_unique<node>(static_cast<int>(i * 7 % 100)));
    std::vector<std::atomic<bool>> refused(count);
    std::atomic<std::size_t> arming{2};
    std::vector<std::thread> threads;
    for (std::size_t part = 0; part < 2; ++part) {
        threads.emplace_back([&, part] {
            for (std::size_t i = part; i < count; i += 2) {
                if (timers.arm(*nodes[i]) == arm_result::refused) refused[i].store(true);
            }
            arming.fetch_sub(1);
        });
    }
    threads.emplace_back([&] {
        for (std::size_t i = 0; i < count; i += 3) timers.cancel(*nodes[i]);
    });
    threads.emplace_back([&] {
        while (arming.load() != 0) {
            timers.expire(at(50));
            std::this_thread::yield();
        }
    });
    for (std::thread& each : threads) each.join();
    timers.expire(at(50));
    timers.close();
    for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(nodes[i]->ended.load(), refused[i].load() ? 0 : 1) << i;
    }
}

}  // namespace
