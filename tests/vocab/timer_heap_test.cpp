#include "vocab/timer_heap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using coex::detail::timer_heap;

struct node final : coex::timer_node {
    explicit node(int at) noexcept : timer_node(nullptr) { deadline += std::chrono::milliseconds(at); }
};

bool armed(const node& which) {
    return which.position != coex::timer_node::not_armed;
}

TEST(timer_heap, smoke_gives_the_earliest_first) {
    timer_heap heap;
    EXPECT_TRUE(heap.empty());
    node late(30);
    node early(10);
    node middle(20);
    for (node* each : {&late, &early, &middle}) heap.insert(*each);
    for (node* each : {&early, &middle, &late}) {
        ASSERT_EQ(heap.earliest(), each);
        heap.remove(*each);
        EXPECT_FALSE(armed(*each));
    }
    EXPECT_TRUE(heap.empty());
}

TEST(timer_heap, removing_any_node_leaves_the_others_in_order) {
    constexpr int count = 40;
    for (int gone = 0; gone < count; ++gone) {
        timer_heap heap;
        std::vector<std::unique_ptr<node>> nodes;
        // A multiplication permutes the numbers: deadlines are neither sorted nor equal.
        for (int i = 0; i < count; ++i) nodes.push_back(std::make_unique<node>(i * 7 % 41));
        for (const auto& each : nodes) heap.insert(*each);
        heap.remove(*nodes[static_cast<std::size_t>(gone)]);
        auto last = coex::timer_clock::time_point::min();
        for (int left = count - 1; left > 0; --left) {
            ASSERT_FALSE(heap.empty());
            ASSERT_LE(last, heap.earliest()->deadline);
            last = heap.earliest()->deadline;
            heap.remove(*heap.earliest());
        }
        ASSERT_TRUE(heap.empty());
    }
}

TEST(timer_heap, no_loss_no_duplicate_in_a_random_sequence_with_equal_deadlines) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    std::vector<std::unique_ptr<node>> nodes;
    for (int i = 0; i < 300; ++i) nodes.push_back(std::make_unique<node>(0));
    timer_heap heap;
    for (int step = 0; step < 20'000; ++step) {
        node& one = *nodes[random() % nodes.size()];
        if (armed(one)) {
            heap.remove(one);
        } else {
            one.deadline = coex::timer_clock::time_point(std::chrono::milliseconds(random() % 50));
            heap.insert(one);
        }
        const auto is_armed = [](const auto& each) { return armed(*each); };
        ASSERT_EQ(heap.empty(), std::none_of(nodes.begin(), nodes.end(), is_armed));
        if (heap.empty()) continue;
        for (const auto& each : nodes) {
            if (!armed(*each)) continue;
            ASSERT_LE(heap.earliest()->deadline, each->deadline);
        }
    }
}

}  // namespace
