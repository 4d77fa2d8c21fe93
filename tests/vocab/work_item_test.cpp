#include <exec/vocab/work_item.hpp>

#include "support/counted_item.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using coex::work_queue;
using coex_test::counted_item;

TEST(work_queue, smoke_first_in_first_out) {
    work_queue queue;
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.pop_front(), nullptr);
    counted_item items[3];
    for (counted_item& each : items) queue.push_back(&each);
    EXPECT_FALSE(queue.empty());
    for (counted_item& each : items) EXPECT_EQ(queue.pop_front(), &each);
    EXPECT_TRUE(queue.empty());
}

TEST(work_queue, an_item_may_enter_again_after_it_left) {
    work_queue queue;
    counted_item items[2];
    for (int round = 0; round < 3; ++round) {
        queue.push_back(&items[0]);
        queue.push_back(&items[1]);
        EXPECT_EQ(queue.pop_front(), &items[0]);
        queue.push_back(&items[0]);
        EXPECT_EQ(queue.pop_front(), &items[1]);
        EXPECT_EQ(queue.pop_front(), &items[0]);
        EXPECT_EQ(queue.pop_front(), nullptr);
    }
}

TEST(work_queue, append_moves_everything_behind_what_is_there) {
    for (const std::size_t here : {0U, 1U, 3U}) {
        for (const std::size_t there : {0U, 1U, 3U}) {
            std::vector<counted_item> items(here + there + 1);
            work_queue first;
            work_queue second;
            for (std::size_t i = 0; i < here + there; ++i) (i < here ? first : second).push_back(&items[i]);
            first.append(second);
            EXPECT_TRUE(second.empty());
            first.push_back(&items.back());
            for (counted_item& each : items) EXPECT_EQ(first.pop_front(), &each);
            second.push_back(&items[0]);
            EXPECT_EQ(second.pop_front(), &items[0]);
        }
    }
}

}  // namespace
