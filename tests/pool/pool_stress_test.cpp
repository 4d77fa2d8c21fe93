#include <exec/pool/static_thread_pool.hpp>

#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

// Random programs on pools that come and go. Everything that is started counts itself once when it ends.

namespace {

using coex::static_thread_pool;

struct world {
    std::vector<std::unique_ptr<static_thread_pool>> pools;
    std::atomic<int> started{0};
    std::atomic<int> ended{0};

    static_thread_pool& any(std::minstd_rand& random) { return *pools[random() % pools.size()]; }
};

coex::task<int> hop(world& everything, unsigned seed) {
    std::minstd_rand random(seed);
    for (int i = 0; i < 3; ++i) {
        static_thread_pool& next = everything.any(random);
        co_await next.schedule();
        if (!next.this_thread_index()) co_return -1;
        static_thread_pool& other = everything.any(random);
        auto handle = other.submit([&other] { return other.this_thread_index() ? 1 : -100; });
        const int answer = co_await std::move(handle);
        if (answer != 1 || !next.this_thread_index()) co_return -1;
    }
    co_return 3;
}

void act(world& everything, unsigned seed, int depth) {
    std::minstd_rand random(seed);
    static_thread_pool& pool = everything.any(random);
    const auto next = static_cast<unsigned>(random());
    everything.started.fetch_add(1);
    const auto body = [&everything, next, depth] {
        if (depth > 0) {
            act(everything, next, depth - 1);
            act(everything, next + 1, depth - 1);
        }
        everything.ended.fetch_add(1);
    };
    switch (random() % 4) {
        case 0:
            pool.submit(body).get();
            break;
        case 1:
            static_cast<void>(pool.submit(body));
            break;
        default:
            pool.post(body);
            break;
    }
}

TEST(pool_stress, no_loss_no_duplicate_in_random_programs_on_three_pools) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (unsigned round = 0; round < 60; ++round) {
        world everything;
        for (unsigned i = 0; i < 3; ++i) {
            everything.pools.push_back(std::make_unique<static_thread_pool>(coex::pool_options{.threads = 1 + i % 2}));
        }
        std::vector<std::thread> outside;
        for (unsigned t = 0; t < 2; ++t) {
            outside.emplace_back([&everything, number = seed + round * 8 + t] {
                for (unsigned i = 0; i < 5; ++i) act(everything, number * 31 + i, 4);
            });
        }
        EXPECT_EQ(coex::block_on(hop(everything, seed + round)), 3);
        for (std::thread& each : outside) each.join();
        // The pools post to each other: all must be at rest before the first goes.
        while (everything.ended.load() != everything.started.load()) std::this_thread::yield();
        ASSERT_EQ(everything.started.load(), 2 * 5 * 31) << "each of the ten trees has 31 nodes";
    }
}

TEST(pool_stress, a_tree_of_posts_is_run_to_its_last_leaf_by_a_pool_that_is_being_destroyed) {
    for (unsigned round = 0; round < 40; ++round) {
        world everything;
        everything.pools.push_back(std::make_unique<static_thread_pool>(coex::pool_options{.threads = 1 + round % 3}));
        for (unsigned i = 0; i < 4; ++i) act(everything, round * 4 + i, 6);
        // The unique_ptr must stay set while the pool drains: its tasks still find the pool through it.
        everything.pools.front()->~static_thread_pool();
        ::operator delete(everything.pools.front().release());
        ASSERT_EQ(everything.started.load(), 4 * 127);
        ASSERT_EQ(everything.ended.load(), 4 * 127);
    }
}

}  // namespace
