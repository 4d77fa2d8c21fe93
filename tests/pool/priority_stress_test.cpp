#include <exec/pool/static_thread_pool.hpp>

#include <exec/vocab/priority.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::priority;
using coex::static_thread_pool;

/// Passes a random, short while, so that the rounds of a test meet at different points.
void dither(std::minstd_rand& random, unsigned most) {
    for (unsigned left = static_cast<unsigned>(random()) % most; left > 0; --left) {
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
}

TEST(priority_stress, wake_is_not_lost_when_two_posts_of_any_priority_need_each_other) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    static_thread_pool pool{{.threads = 2}};
    constexpr priority levels[] = {priority::low, priority::high, priority::normal};
    for (int i = 0; i < 2'000; ++i) {
        const auto meeting = std::make_shared<std::latch>(3);  // outlives whoever leaves it last
        pool.post(levels[random() % 3], [] {});
        dither(random, 3'000);
        pool.post(levels[random() % 3], [meeting] { meeting->arrive_and_wait(); });
        pool.post(levels[random() % 3], [meeting] { meeting->arrive_and_wait(); });
        meeting->arrive_and_wait();
    }
}

TEST(priority_stress, a_low_post_wakes_an_idle_pool) {
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 500; ++i) {
        const std::uint64_t parked = pool.stats().parked;
        ASSERT_EQ(pool.submit(priority::low, [i] { return i; }).get(), i);
        while (pool.stats().parked == parked) std::this_thread::yield();
    }
}

TEST(priority_stress, stampede_of_posters_of_all_levels_loses_and_repeats_nothing) {
    constexpr int per_thread = 2'000;
    std::vector<std::atomic<int>> runs(4 * per_thread * 2);
    {
        static_thread_pool pool{{.threads = 3}};
        std::vector<std::thread> posters;
        for (int t = 0; t < 4; ++t) {
            posters.emplace_back([&, t] {
                std::minstd_rand random(static_cast<unsigned>(t) + 1);
                for (int i = 0; i < per_thread; ++i) {
                    const auto level = static_cast<priority>(random() % 3);
                    const auto inner = static_cast<priority>(random() % 3);
                    const auto index = static_cast<std::size_t>(2 * (t * per_thread + i));
                    pool.post(level, [&runs, &pool, inner, index] {
                        runs[index].fetch_add(1);
                        pool.post(inner, [&runs, index] { runs[index + 1].fetch_add(1); });
                    });
                }
            });
        }
        for (std::thread& each : posters) each.join();
    }
    EXPECT_TRUE(std::all_of(runs.begin(), runs.end(), [](const std::atomic<int>& each) { return each.load() == 1; }));
}

}  // namespace
