// The children of a when_all are left for idle workers of the awaiter's pool.

#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
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
using coex::static_thread_pool;
using coex::task;
using coex::when_all;

constexpr bool slow = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER;

template <class T>
task<T> on(static_thread_pool& pool, task<T> work) {
    co_await pool.schedule();
    co_return co_await std::move(work);
}

// Occupies its thread until all `count` of them run at once.
task<> meet(std::atomic<int>& arrived, int count) {
    arrived.fetch_add(1);
    while (arrived.load() < count) std::this_thread::yield();
    co_return;
}

task<> meet_three(std::atomic<int>& arrived) {
    co_await when_all(meet(arrived, 3), meet(arrived, 3), meet(arrived, 3));
}

TEST(when_all_forks, idle_workers_take_children_while_the_first_computes) {
    static_thread_pool pool{{.threads = 3}};
    for (int round = 0; round < (slow ? 20 : 200); ++round) {
        std::atomic<int> arrived{0};
        block_on(on(pool, meet_three(arrived)));
        EXPECT_EQ(arrived.load(), 3);
    }
}

task<> meet_many(std::atomic<int>& arrived, int count) {
    std::vector<task<>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(meet(arrived, count));
    co_await when_all(std::move(tasks));
}

TEST(when_all_forks, idle_workers_take_children_of_a_vector) {
    static_thread_pool pool{{.threads = 5}};
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> arrived{0};
        block_on(on(pool, meet_many(arrived, 5)));
    }
}

task<> where(const static_thread_pool& pool, std::atomic<int>& right) {
    if (pool.this_thread_index().has_value()) right.fetch_add(1);
    co_return;
}

task<> many_places(const static_thread_pool& pool, std::atomic<int>& right, int count) {
    std::vector<task<>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(where(pool, right));
    co_await when_all(std::move(tasks));
    co_await where(pool, right);
}

TEST(when_all_forks, children_and_what_follows_run_on_the_pool_of_the_awaiter) {
    static_thread_pool pool{{.threads = 3}};
    std::atomic<int> right{0};
    block_on(on(pool, many_places(pool, right, 10'000)));
    EXPECT_EQ(right.load(), 10'001);
}

TEST(when_all_forks, children_of_a_loop_on_a_worker_stay_with_the_loop) {
    static_thread_pool pool{{.threads = 3}};
    pool.install([] {
        const auto own = std::this_thread::get_id();
        std::atomic<int> elsewhere{0};
        const auto check = [&]() -> task<> {
            if (std::this_thread::get_id() != own) elsewhere.fetch_add(1);
            co_return;
        };
        const auto several = [&]() -> task<> { co_await when_all(check(), check(), check()); };
        for (int i = 0; i < 100; ++i) block_on(several());
        EXPECT_EQ(elsewhere.load(), 0);
    });
}

task<long> fib(long n) {
    if (n < 2) co_return n;
    auto [a, b] = co_await when_all(fib(n - 1), fib(n - 2));
    co_return a + b;
}

TEST(when_all_forks, a_tree_is_summed_by_any_number_of_workers) {
    for (const unsigned threads : {1U, 2U, 3U, 16U}) {
        static_thread_pool pool{{.threads = threads}};
        EXPECT_EQ(block_on(on(pool, fib(slow ? 16 : 22))), slow ? 987 : 17711);
    }
}

// A tree whose nodes at random suspend, move to another pool, fail or ask who failed.
struct mixed {
    static_thread_pool& here;
    static_thread_pool& there;
    std::atomic<int> left{0};

    task<int> node(int depth, unsigned seed) {
        std::minstd_rand random(seed);
        random.discard(3);
        switch (random() % 24) {
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
        left.fetch_add(1);
        if (depth == 0) {
            if (random() % 40 == 0) throw std::runtime_error("leaf");
            co_return 1;
        }
        const auto first = static_cast<unsigned>(random());
        const auto second = static_cast<unsigned>(random());
        if (random() % 3 == 0) {
            std::vector<task<int>> tasks;
            for (unsigned i = 0; i < 5; ++i) tasks.push_back(node(depth - 1, first + 77 * i));
            int sum = 1;
            for (const int each : co_await when_all(std::move(tasks))) sum += each;
            co_return sum;
        }
        int sum = 1;
        try {
            auto [a, b] = co_await when_all(node(depth - 1, first), node(depth - 1, second));
            sum += a + b;
        } catch (const std::runtime_error&) {
            sum += 1000;
        }
        co_return sum;
    }
};

TEST(when_all_forks, no_loss_no_duplicate_when_nodes_suspend_move_and_fail) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    static_thread_pool here{{.threads = 3}};
    static_thread_pool there{{.threads = 1}};
    for (unsigned round = 0; round < (slow ? 15U : 150U); ++round) {
        mixed tree{here, there};
        std::vector<int> sums;
        for (int repetition = 0; repetition < 2; ++repetition) {
            try {
                sums.push_back(block_on(on(here, tree.node(6, seed + round))));
            } catch (const std::runtime_error&) {
                sums.push_back(-1);
            }
        }
        EXPECT_EQ(sums[0], sums[1]) << "what a tree gives does not depend on who runs it";
    }
}

// Which nodes of this tree get as far as to be stopped is a matter of luck; that all ends, and nothing leaks, is not.
task<> stops(int depth, std::atomic<int>& live) {
    live.fetch_add(1);
    struct leaving {
        std::atomic<int>& live;
        ~leaving() { live.fetch_sub(1); }
    } const on_exit{live};
    if (depth == 0) {
        co_await coex::sleep_for(std::chrono::hours(1));
    } else {
        co_await when_all(stops(depth - 1, live), stops(depth - 1, live), stops(depth - 1, live));
    }
}

TEST(when_all_forks, a_stop_reaches_every_leaf_through_all_levels) {
    static_thread_pool pool{{.threads = 3}};
    for (int round = 0; round < (slow ? 10 : 100); ++round) {
        coex::inplace_stop_source source;
        std::atomic<int> live{0};
        std::thread stopper([&] {
            while (live.load() < round) std::this_thread::yield();
            source.request_stop();
        });
        EXPECT_FALSE(coex::sync_wait(on(pool, stops(5, live)), source.get_token()).has_value());
        stopper.join();
        EXPECT_EQ(live.load(), 0);
    }
}

// One awaiter after the other in the same memory, while another thread still leaves the one before.
task<> waits_again_and_again(static_thread_pool& other, int rounds, std::atomic<int>& hops) {
    const auto hop = [&other, &hops]() -> task<> {
        co_await other.schedule();
        hops.fetch_add(1);
    };
    for (int round = 0; round < rounds; ++round) co_await when_all(hop(), hop());
}

TEST(when_all_forks, stress_waiting_in_a_loop_for_children_that_end_elsewhere) {
    constexpr int rounds = slow ? 2'000 : 20'000;
    static_thread_pool pool{{.threads = 3}};
    static_thread_pool other{{.threads = 2}};
    std::atomic<int> hops{0};
    std::vector<task<>> loops;
    for (int i = 0; i < 4; ++i) loops.push_back(on(pool, waits_again_and_again(other, rounds, hops)));
    block_on(when_all(std::move(loops)));
    EXPECT_EQ(hops.load(), 4 * 2 * rounds);
}

}  // namespace
