#include "pool/ready_queue.hpp"

#include "support/counted_item.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace {

using coex::detail::ready_queue;
using coex_test::counted_item;
using coex_test::run;

coex::work_item* pop(ready_queue& queue) {
    bool contended = false;
    return queue.pop(contended);
}

TEST(ready_queue, smoke_first_in_first_out) {
    const auto queue = std::make_unique<ready_queue>();
    counted_item items[3];
    for (counted_item& each : items) EXPECT_TRUE(queue->try_push(&each));
    for (counted_item& each : items) EXPECT_EQ(pop(*queue), &each);
    EXPECT_EQ(pop(*queue), nullptr);
}

TEST(ready_queue, a_full_queue_refuses_until_something_was_taken) {
    const auto queue = std::make_unique<ready_queue>();
    std::vector<counted_item> items(ready_queue::capacity + 1);
    for (std::size_t i = 0; i < ready_queue::capacity; ++i) ASSERT_TRUE(queue->try_push(&items[i]));
    EXPECT_FALSE(queue->try_push(&items.back()));
    EXPECT_EQ(pop(*queue), &items[0]);
    EXPECT_TRUE(queue->try_push(&items.back()));
    EXPECT_EQ(queue->size(), ready_queue::capacity);
}

TEST(ready_queue, steal_from_empty_queue_returns_empty_and_tells_no_contention) {
    const auto queue = std::make_unique<ready_queue>();
    bool contended = false;
    EXPECT_EQ(queue->pop(contended), nullptr);
    EXPECT_FALSE(contended);
    EXPECT_TRUE(queue->empty());
}

TEST(ready_queue, one_owner_one_thief_keep_the_order) {
    const auto queue = std::make_unique<ready_queue>();
    std::vector<counted_item> items(50'000);
    std::atomic<bool> done{false};
    std::vector<coex::work_item*> stolen;
    std::thread thief([&] {
        while (!done.load() || !queue->empty()) {
            if (coex::work_item* const item = pop(*queue)) {
                stolen.push_back(item);
                run(item);
            } else {
                std::this_thread::yield();
            }
        }
    });
    std::vector<coex::work_item*> own;
    for (std::size_t i = 0; i < items.size(); ++i) {
        while (!queue->try_push(&items[i])) std::this_thread::yield();
        if (i % 3 != 0) continue;
        if (coex::work_item* const item = pop(*queue)) {
            own.push_back(item);
            run(item);
        }
    }
    done.store(true);
    thief.join();
    for (const counted_item& each : items) ASSERT_EQ(each.taken.load(), 1);
    // Each party saw a part of one sequence, in its order.
    const auto place = [&](coex::work_item* item) { return static_cast<counted_item*>(item) - items.data(); };
    const auto earlier = [&](coex::work_item* a, coex::work_item* b) { return place(a) < place(b); };
    EXPECT_TRUE(std::is_sorted(stolen.begin(), stolen.end(), earlier));
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end(), earlier));
}

TEST(ready_queue, no_loss_no_duplicate_with_a_stampede_of_thieves) {
    const auto queue = std::make_unique<ready_queue>();
    std::vector<counted_item> items(50'000);
    std::atomic<bool> done{false};
    std::vector<std::thread> thieves;
    for (int i = 0; i < 3; ++i) {
        thieves.emplace_back([&] {
            while (!done.load()) {
                if (!run(pop(*queue))) std::this_thread::yield();
            }
        });
    }
    for (counted_item& each : items) {
        while (!queue->try_push(&each)) run(pop(*queue));
    }
    while (!queue->empty()) run(pop(*queue));
    done.store(true);
    for (std::thread& each : thieves) each.join();
    for (const counted_item& each : items) ASSERT_EQ(each.taken.load(), 1);
}

}  // namespace
