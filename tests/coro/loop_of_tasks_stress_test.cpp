// Loops of coroutines whose parts are taken by other workers, suspended, moved, stopped and failed at random.

#include "coro/support.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/fork_task.hpp>
#include <exec/coro/parallel_for.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::block_on;
using coex::fork_task;
using coex::parallel_for;
using coex::static_thread_pool;
using coex::task;
using coex_test::counted;

constexpr bool slow = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER;

fork_task<> tree(int depth, int width, std::atomic<long>& leaves) {
    if (depth == 0) {
        leaves.fetch_add(1, std::memory_order_relaxed);  // ORDER: relaxed; read after the end
        co_return;
    }
    co_await parallel_for(0, width, [=, &leaves](int) { return tree(depth - 1, width, leaves); });
}

task<> tree_on(static_thread_pool& pool, int depth, int width, std::atomic<long>& leaves) {
    co_await pool.schedule();
    co_await tree(depth, width, leaves);
}

TEST(loop_of_tasks_stress, smoke_a_tree_is_visited_by_any_number_of_workers) {
    for (const unsigned threads : {1U, 2U, 3U, 16U}) {
        static_thread_pool pool{{.threads = threads}};
        std::atomic<long> leaves{0};
        block_on(tree_on(pool, slow ? 4 : 6, 7, leaves));
        EXPECT_EQ(leaves.load(), slow ? 2'401 : 117'649);
    }
}

TEST(loop_of_tasks_stress, no_loss_no_duplicate_in_long_loops_of_nothing) {
    constexpr std::size_t length = slow ? 20'000 : 1'000'000;
    static_thread_pool pool{{.threads = 4}};
    for (int round = 0; round < 5; ++round) {
        std::vector<std::atomic<unsigned char>> cells(length);
        const auto body = [&]() -> task<> {
            co_await pool.schedule();
            co_await parallel_for(cells, [](std::atomic<unsigned char>& cell) -> fork_task<> {
                cell.fetch_add(1);
                co_return;
            });
        };
        block_on(body());
        std::size_t wrong = 0;
        for (const auto& each : cells) wrong += each.load() == 1 ? 0 : 1;
        EXPECT_EQ(wrong, 0U);
    }
}

// A loop whose coroutines at random suspend, move to another pool or back, loop themselves and fail.
struct mixed {
    static_thread_pool& here;
    static_thread_pool& there;
    unsigned fails_in;
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};

    fork_task<> node(int depth, unsigned seed) {
        begun.fetch_add(1);
        const counted held(depth);
        std::minstd_rand random(seed);
        random.discard(3);
        switch (random() % 16) {
            case 0:
                co_await coex::sleep_for(std::chrono::microseconds(random() % 50));
                break;
            case 1:
                co_await there.schedule();
                break;
            case 2:
                co_await here.schedule();
                break;
            default:
                break;
        }
        if (fails_in != 0 && random() % fails_in == 0) throw std::runtime_error("a node");
        if (depth != 0) {
            const auto base = static_cast<unsigned>(random());
            const auto width = static_cast<int>(random() % 9);
            co_await parallel_for(
                0, width, [this, depth, base](int i) { return node(depth - 1, base + static_cast<unsigned>(i)); });
        }
        ended.fetch_add(1);
    }
    task<> root(int depth, unsigned seed) {
        co_await here.schedule();
        co_await node(depth, seed);
    }
};

TEST(loop_of_tasks_stress, counts_are_exact_when_coroutines_suspend_and_move) {
    const unsigned seed = std::random_device()() % 1'000'000;
    SCOPED_TRACE("seed " + std::to_string(seed));
    static_thread_pool here{{.threads = 3}};
    static_thread_pool there{{.threads = 1}};
    for (unsigned round = 0; round < (slow ? 20U : 200U); ++round) {
        int nodes[2];
        for (int& count : nodes) {
            mixed loops{here, there, 0};
            block_on(loops.root(5, seed + round));
            EXPECT_EQ(loops.begun.load(), loops.ended.load());
            count = loops.ended.load();
        }
        EXPECT_EQ(nodes[0], nodes[1]) << "what is run does not depend on who runs it";
        EXPECT_EQ(counted::live, 0);
    }
}

TEST(loop_of_tasks_stress, nothing_is_left_behind_when_coroutines_fail) {
    const unsigned seed = std::random_device()() % 1'000'000;
    SCOPED_TRACE("seed " + std::to_string(seed));
    static_thread_pool here{{.threads = 3}};
    static_thread_pool there{{.threads = 1}};
    int failed = 0;
    for (unsigned round = 0; round < (slow ? 50U : 500U); ++round) {
        mixed loops{here, there, 40};
        try {
            block_on(loops.root(4, seed + round));
            EXPECT_EQ(loops.begun.load(), loops.ended.load());
        } catch (const std::runtime_error&) {
            ++failed;
            EXPECT_LT(loops.ended.load(), loops.begun.load());
        }
        EXPECT_EQ(counted::live, 0);
    }
    EXPECT_GT(failed, 0);
}

TEST(loop_of_tasks_stress, a_stop_races_with_the_beginning_and_the_end) {
    static_thread_pool pool{{.threads = 3}};
    for (int round = 0; round < (slow ? 50 : 500); ++round) {
        coex::inplace_stop_source source;
        std::atomic<int> begun{0};
        const auto body = [&]() -> task<> {
            co_await pool.schedule();
            co_await parallel_for(0, 50, [&begun](int i) -> task<> {
                const counted held(i);
                begun.fetch_add(1);
                co_await coex::sleep_for(std::chrono::microseconds(i % 20));
            });
        };
        std::thread stopper([&] {
            while (begun.load() < round % 50) std::this_thread::yield();
            source.request_stop();
        });
        static_cast<void>(coex::sync_wait(body(), source.get_token()));
        stopper.join();
        EXPECT_EQ(counted::live, 0);
    }
}

// One awaiter after the other in the same memory, while another thread still leaves the one before.
task<> loops_again_and_again(static_thread_pool& pool, static_thread_pool& other, int rounds, std::atomic<int>& hops) {
    co_await pool.schedule();
    const auto hop = [&other, &hops](int) -> fork_task<> {
        co_await other.schedule();
        hops.fetch_add(1);
    };
    for (int round = 0; round < rounds; ++round) co_await parallel_for(0, 3, hop);
}

TEST(loop_of_tasks_stress, waiting_again_and_again_for_coroutines_that_end_elsewhere) {
    constexpr int rounds = slow ? 1'000 : 10'000;
    static_thread_pool pool{{.threads = 3}};
    static_thread_pool other{{.threads = 2}};
    std::atomic<int> hops{0};
    std::vector<task<>> loops;
    for (int i = 0; i < 4; ++i) loops.push_back(loops_again_and_again(pool, other, rounds, hops));
    block_on(coex::when_all(std::move(loops)));
    EXPECT_EQ(hops.load(), 4 * 3 * rounds);
}

// Many roots at once: thieves find work everywhere, and parts are taken from those who took them.
TEST(loop_of_tasks_stress, stampede_of_many_roots_on_few_workers) {
    static_thread_pool pool{{.threads = 4}};
    std::atomic<long> leaves{0};
    std::vector<task<>> roots;
    for (int i = 0; i < 64; ++i) roots.push_back(tree_on(pool, 3, slow ? 4 : 10, leaves));
    block_on(coex::when_all(std::move(roots)));
    EXPECT_EQ(leaves.load(), 64 * (slow ? 64 : 1000));
}

}  // namespace
