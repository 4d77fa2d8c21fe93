// Coroutines that are forked, taken by other workers, suspended, moved, stopped and failed at random.

#include "coro/support.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/fork_join.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::block_on;
using coex::fork_join;
using coex::fork_task;
using coex::static_thread_pool;
using coex::task;
using coex_test::counted;

constexpr bool slow = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER;

fork_task<long> fib(long n) {
    if (n < 2) co_return n;
    const auto [a, b] = co_await fork_join([=] { return fib(n - 1); }, [=] { return fib(n - 2); });
    co_return a + b;
}

task<long> fib_on(static_thread_pool& pool, long n) {
    co_await pool.schedule();
    co_return co_await fib(n);
}

TEST(fork_tasks_stress, smoke_a_tree_is_summed_by_any_number_of_workers) {
    for (const unsigned threads : {1U, 2U, 3U, 16U}) {
        static_thread_pool pool{{.threads = threads}};
        EXPECT_EQ(block_on(fib_on(pool, slow ? 17 : 24)), slow ? 1597 : 46368);
    }
}

// Occupies its thread until all `count` of them run at once.
fork_task<> meet(std::atomic<int>& arrived, int count) {
    arrived.fetch_add(1);
    while (arrived.load() < count) std::this_thread::yield();
    co_return;
}

task<> meet_three(static_thread_pool& pool, std::atomic<int>& arrived) {
    co_await pool.schedule();
    const auto one = [&arrived] { return meet(arrived, 3); };
    co_await fork_join(one, one, one);
}

TEST(fork_tasks_stress, wake_is_not_lost_and_idle_workers_take_functions_while_the_first_coroutine_computes) {
    static_thread_pool pool{{.threads = 3}};
    for (int round = 0; round < (slow ? 20 : 200); ++round) {
        std::atomic<int> arrived{0};
        block_on(meet_three(pool, arrived));
        EXPECT_EQ(arrived.load(), 3);
    }
}

// A tree whose nodes at random suspend, move to another pool or back, and fail, in frames that hold something.
struct mixed {
    static_thread_pool& here;
    static_thread_pool& there;
    std::atomic<int> nodes{0};

    fork_task<int> node(int depth, unsigned seed) {
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
        nodes.fetch_add(1);
        if (random() % 60 == 0) throw std::runtime_error(std::to_string(seed));
        if (depth == 0) co_return 1;
        const auto first = static_cast<unsigned>(random());
        const auto second = static_cast<unsigned>(random());
        int sum = 1;
        try {
            if (random() % 3 == 0) {
                auto [a, b, c, d] = co_await fork_join([this, depth, first] { return node(depth - 1, first); },
                                                       [this, depth, first] { return lazy(depth - 1, first + 1); },
                                                       [this, depth, second] { return node(depth - 1, second); },
                                                       [this, depth, second] { return node(depth - 1, second + 1); });
                sum += a + b + c + d;
            } else {
                auto [a, b] = co_await fork_join([this, depth, first] { return node(depth - 1, first); },
                                                 [this, depth, second] { return node(depth - 1, second); });
                sum += a + b;
            }
        } catch (const std::runtime_error& error) {
            sum += std::stoi(error.what()) % 1000;  // whose error it was: always the leftmost
        }
        co_return sum;
    }
    task<int> lazy(int depth, unsigned seed) { co_return co_await node(depth, seed); }

    task<int> root(int depth, unsigned seed) {
        co_await here.schedule();
        co_return co_await node(depth, seed);
    }
};

TEST(fork_tasks_stress, no_loss_no_duplicate_when_nodes_suspend_move_and_fail) {
    const unsigned seed = std::random_device()() % 1'000'000;
    SCOPED_TRACE("seed " + std::to_string(seed));
    static_thread_pool here{{.threads = 3}};
    static_thread_pool there{{.threads = 1}};
    for (unsigned round = 0; round < (slow ? 20U : 200U); ++round) {
        std::vector<int> sums;
        std::vector<int> nodes;
        for (int repetition = 0; repetition < 2; ++repetition) {
            mixed tree{here, there};
            try {
                sums.push_back(block_on(tree.root(6, seed + round)));
            } catch (const std::runtime_error&) {
                sums.push_back(-1);
            }
            nodes.push_back(tree.nodes.load());
        }
        EXPECT_EQ(sums[0], sums[1]) << "what a tree gives does not depend on who runs it";
        EXPECT_EQ(nodes[0], nodes[1]) << "every coroutine runs to its end, whoever fails";
        EXPECT_EQ(counted::live, 0);
    }
}

fork_task<> stops(int depth, std::atomic<int>& live) {
    live.fetch_add(1);
    struct leaving {
        std::atomic<int>& live;
        ~leaving() { live.fetch_sub(1); }
    } const on_exit{live};
    if (depth == 0) {
        co_await coex::sleep_for(std::chrono::hours(1));
    } else {
        const auto below = [depth, &live] { return stops(depth - 1, live); };
        co_await fork_join(below, below, below);
    }
}

task<> stops_on(static_thread_pool& pool, std::atomic<int>& live) {
    co_await pool.schedule();
    co_await stops(5, live);
}

TEST(fork_tasks_stress, a_stop_reaches_every_leaf_through_all_levels) {
    static_thread_pool pool{{.threads = 3}};
    for (int round = 0; round < (slow ? 10 : 100); ++round) {
        coex::inplace_stop_source source;
        std::atomic<int> live{0};
        std::thread stopper([&] {
            while (live.load() < round) std::this_thread::yield();
            source.request_stop();
        });
        EXPECT_FALSE(coex::sync_wait(stops_on(pool, live), source.get_token()).has_value());
        stopper.join();
        EXPECT_EQ(live.load(), 0);
    }
}

// One awaiter after the other in the same memory, while another thread still leaves the one before.
task<> waits_again_and_again(static_thread_pool& pool, static_thread_pool& other, int rounds, std::atomic<int>& hops) {
    co_await pool.schedule();
    const auto hop = [&other, &hops]() -> fork_task<> {
        co_await other.schedule();
        hops.fetch_add(1);
    };
    for (int round = 0; round < rounds; ++round) co_await fork_join(hop, hop);
}

TEST(fork_tasks_stress, waiting_in_a_loop_for_children_that_end_elsewhere) {
    constexpr int rounds = slow ? 2'000 : 20'000;
    static_thread_pool pool{{.threads = 3}};
    static_thread_pool other{{.threads = 2}};
    std::atomic<int> hops{0};
    std::vector<task<>> loops;
    for (int i = 0; i < 4; ++i) loops.push_back(waits_again_and_again(pool, other, rounds, hops));
    block_on(coex::when_all(std::move(loops)));
    EXPECT_EQ(hops.load(), 4 * 2 * rounds);
}

// Many roots at once, all forking: thieves find work everywhere, and children are taken from those who took them.
TEST(fork_tasks_stress, stampede_of_many_roots_on_few_workers) {
    static_thread_pool pool{{.threads = 4}};
    std::vector<task<long>> roots;
    for (int i = 0; i < 64; ++i) roots.push_back(fib_on(pool, slow ? 10 : 16));
    for (const long each : block_on(coex::when_all(std::move(roots)))) EXPECT_EQ(each, slow ? 55 : 987);
}

}  // namespace
