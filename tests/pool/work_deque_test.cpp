#include "pool/work_deque.hpp"

#include "support/counted_item.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

using coex::detail::work_deque;
using coex_test::counted_item;
using coex_test::run;

coex::work_item* steal(work_deque& deque) {
    bool contended = false;
    return deque.steal(contended);
}

TEST(work_deque, smoke_owner_takes_the_newest_and_thief_the_oldest) {
    work_deque deque;
    counted_item items[3];
    for (counted_item& each : items) deque.push(&each);
    EXPECT_EQ(deque.size(), 3U);
    EXPECT_EQ(steal(deque), &items[0]);
    EXPECT_EQ(deque.pop(), &items[2]);
    EXPECT_EQ(deque.pop(), &items[1]);
    EXPECT_EQ(deque.pop(), nullptr);
    EXPECT_TRUE(deque.empty());
}

TEST(work_deque, steal_from_empty_deque_returns_empty) {
    work_deque deque;
    bool contended = false;
    EXPECT_EQ(deque.steal(contended), nullptr);
    EXPECT_FALSE(contended);
    EXPECT_EQ(deque.pop(), nullptr);
}

TEST(work_deque, push_after_empty_pop_is_found) {
    work_deque deque;
    counted_item item;
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(deque.pop(), nullptr);
        deque.push(&item);
        EXPECT_EQ(i % 2 == 0 ? deque.pop() : steal(deque), &item);
    }
}

TEST(work_deque, growing_keeps_items_and_order) {
    work_deque deque;
    std::vector<counted_item> items(10'000);
    for (counted_item& each : items) deque.push(&each);
    EXPECT_EQ(steal(deque), &items[0]);
    for (std::size_t i = items.size() - 1; i > 0; --i) ASSERT_EQ(deque.pop(), &items[i]);
    EXPECT_TRUE(deque.empty());
}

/// Owner pushes and pops in bursts, thieves steal; every item must be taken exactly once.
void torture(unsigned thieves, std::size_t count, std::size_t burst) {
    work_deque deque;
    std::vector<counted_item> items(count);
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < thieves; ++i) {
        threads.emplace_back([&] {
            while (!done.load()) {
                if (!run(steal(deque))) std::this_thread::yield();
            }
        });
    }
    for (std::size_t next = 0; next < count;) {
        for (std::size_t i = 0; i < burst && next < count; ++i) deque.push(&items[next++]);
        for (std::size_t i = 0; i < burst / 2 + 1; ++i) run(deque.pop());
    }
    while (run(deque.pop())) {
    }
    done.store(true);
    for (std::thread& each : threads) each.join();
    while (run(steal(deque))) {
    }
    for (const counted_item& each : items) ASSERT_EQ(each.taken.load(), 1);
}

TEST(work_deque, a_thief_of_a_long_deque_meets_the_items_in_the_order_of_their_pushes) {
    work_deque deque;
    std::vector<counted_item> items(20'000);
    std::vector<coex::work_item*> stolen;
    std::atomic<bool> done{false};
    std::thread thief([&] {
        while (!done.load() || !deque.empty()) {
            if (coex::work_item* const item = steal(deque)) {
                stolen.push_back(item);
            } else {
                std::this_thread::yield();
            }
        }
    });
    for (counted_item& each : items) deque.push(&each);
    done.store(true);
    thief.join();
    ASSERT_EQ(stolen.size(), items.size());
    for (std::size_t i = 0; i < items.size(); ++i) ASSERT_EQ(stolen[i], &items[i]);
}

TEST(work_deque, one_owner_one_thief_fight_for_the_last_item) {
    torture(1, 50'000, 1);
}
TEST(work_deque, stampede_of_thieves_takes_each_item_once) {
    torture(4, 30'000, 3);
}
TEST(work_deque, no_loss_no_duplicate_in_bursts) {
    torture(2, 50'000, 64);
}
TEST(work_deque, grow_while_stealing_loses_nothing) {
    torture(2, 50'000, 2'000);
}

}  // namespace
