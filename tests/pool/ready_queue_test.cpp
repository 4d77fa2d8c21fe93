#include "pool/ready_queue.hpp"

#include "support/counted_item.hpp"

#include <gtest/gtest.h>

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
