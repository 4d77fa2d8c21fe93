#include <exec/sync/ring_buffer.hpp>

#include "coro/support.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>

namespace {

using coex::detail::ring_buffer;
using coex_test::counted;

TEST(ring_buffer, gives_back_in_order_what_was_put_in_however_it_grows_and_wraps) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::minstd_rand random(seed);
    ring_buffer<std::unique_ptr<int>> ring;
    std::deque<int> model;
    for (int i = 0; i < 20'000; ++i) {
        // Longer and shorter in turns.
        if (random() % 100 < (i / 1'000 % 2 == 0 ? 60U : 40U)) {
            ring.push_back(std::make_unique<int>(i));
            model.push_back(i);
        } else if (!model.empty()) {
            ASSERT_EQ(*ring.front(), model.front());
            ring.pop_front();
            model.pop_front();
        }
        ASSERT_EQ(ring.size(), model.size());
        ASSERT_EQ(ring.empty(), model.empty());
    }
}

TEST(ring_buffer, destructors_run_once) {
    {
        ring_buffer<counted> ring;
        for (int i = 0; i < 100; ++i) ring.push_back(counted(i));
        EXPECT_EQ(counted::live.load(), 100);
        ring.pop_front();
        EXPECT_EQ(counted::live.load(), 99);
        ring_buffer<counted> other;
        ring.swap(other);
        EXPECT_TRUE(ring.empty());
        EXPECT_EQ(other.front().value, 1);
        other.clear();
        EXPECT_EQ(counted::live.load(), 0);
        other.push_back(counted(7));
    }
    EXPECT_EQ(counted::live.load(), 0);
}

}  // namespace
