#include "pool/injector.hpp"

#include "support/counted_item.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

using coex::detail::injector;
using coex_test::counted_item;
using coex_test::run;

TEST(injector, smoke_first_in_first_out_in_batches) {
    injector queue;
    counted_item items[5];
    for (counted_item& each : items) queue.push(&each);
    coex::work_queue taken;
    EXPECT_EQ(queue.pop(taken, 3), 3U);
    EXPECT_EQ(queue.size(), 2U);
    EXPECT_EQ(queue.pop(taken, 9), 2U);
    for (counted_item& each : items) EXPECT_EQ(taken.pop_front(), &each);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.pop(taken, 1), 0U);
}

TEST(injector, one_pusher_one_taker_keep_the_order) {
    injector queue;
    std::vector<counted_item> items(30'000);
    std::thread pusher([&] {
        for (counted_item& each : items) queue.push(&each);
    });
    for (std::size_t next = 0; next < items.size();) {
        coex::work_queue taken;
        if (queue.pop(taken, 5) == 0) std::this_thread::yield();
        while (coex::work_item* const item = taken.pop_front()) ASSERT_EQ(item, &items[next++]);
    }
    pusher.join();
    EXPECT_TRUE(queue.empty());
}

TEST(injector, no_loss_no_duplicate_with_many_on_both_sides) {
    injector queue;
    constexpr std::size_t per_thread = 10'000;
    std::vector<counted_item> items(3 * per_thread);
    std::atomic<std::size_t> left{items.size()};
    std::vector<std::thread> threads;
    for (std::size_t producer = 0; producer < 3; ++producer) {
        threads.emplace_back([&, producer] {
            for (std::size_t i = 0; i < per_thread; ++i) queue.push(&items[producer * per_thread + i]);
        });
    }
    for (int consumer = 0; consumer < 2; ++consumer) {
        threads.emplace_back([&] {
            while (left.load() != 0) {
                coex::work_queue taken;
                left.fetch_sub(queue.pop(taken, 7));
                while (run(taken.pop_front())) {
                }
            }
        });
    }
    for (std::thread& each : threads) each.join();
    for (const counted_item& each : items) ASSERT_EQ(each.taken.load(), 1);
}

}  // namespace
