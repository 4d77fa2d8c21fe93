#include <exec/pool/broadcast.hpp>
#include <exec/pool/current_pool.hpp>
#include <exec/pool/scope.hpp>
#include <exec/pool/scope_fifo.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstdint>
#include <future>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace {

using coex::broadcast_context;
using coex::scope;
using coex::static_thread_pool;

constexpr unsigned seven = 7;

std::vector<unsigned> first_numbers(unsigned count) {
    std::vector<unsigned> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0U);
    return numbers;
}

unsigned index_of(broadcast_context context) {
    return context.index();
}

/// How often each worker ran something.
struct counts {
    std::vector<std::atomic<unsigned>> of = std::vector<std::atomic<unsigned>>(seven);

    void expect(unsigned each) const {
        for (const auto& count : of) EXPECT_EQ(count.load(), each);
    }
};

TEST(broadcast, gives_the_results_in_the_order_of_the_indices) {
    static_thread_pool pool{{.threads = seven}};
    EXPECT_EQ(pool.broadcast(index_of), first_numbers(seven));
    EXPECT_EQ(pool.broadcast([](broadcast_context c) { return c.index() * c.index(); }),
              (std::vector<unsigned>{0, 1, 4, 9, 16, 25, 36}));
    EXPECT_EQ(pool.broadcast([] { return true; }), std::vector<bool>(seven, true));
    EXPECT_EQ(*pool.broadcast([](broadcast_context c) { return std::make_unique<unsigned>(c.index()); })[3], 3U);
    static_assert(std::is_void_v<decltype(pool.broadcast([](broadcast_context) {}))>);
}

TEST(broadcast, of_the_current_pool_is_that_of_the_default_pool_outside) {
    EXPECT_EQ(coex::broadcast(index_of), first_numbers(coex::default_pool().thread_count()));
    std::vector<std::atomic<int>> ran(coex::thread_count());
    std::atomic<unsigned> ended{0};
    coex::post_broadcast([&](broadcast_context c) {
        ran[c.index()].fetch_add(1);
        ended.fetch_add(1);
    });
    while (ended.load() != ran.size()) std::this_thread::yield();
    for (const auto& count : ran) EXPECT_EQ(count.load(), 1);
}

TEST(broadcast, runs_once_on_the_worker_that_it_names) {
    static_thread_pool pool{{.threads = seven}};
    counts ran;
    pool.broadcast([&](broadcast_context c) {
        EXPECT_EQ(pool.this_thread_index(), c.index());
        EXPECT_EQ(c.thread_count(), seven);
        ran.of[c.index()].fetch_add(1);
    });
    ran.expect(1);
}

TEST(broadcast, runs_on_all_workers_at_the_same_time) {
    static_thread_pool pool{{.threads = seven}};
    std::barrier meeting(seven);
    for (int round = 0; round < 50; ++round) pool.broadcast([&] { meeting.arrive_and_wait(); });
}

TEST(broadcast, from_inside_the_pool_includes_the_caller) {
    static_thread_pool pool{{.threads = seven}};
    EXPECT_EQ(pool.install([&] { return pool.broadcast(index_of); }), first_numbers(seven));
    EXPECT_EQ(pool.install([] { return coex::broadcast(index_of); }), first_numbers(seven));
    static_thread_pool single{{.threads = 1}};
    EXPECT_EQ(single.install([&] { return single.broadcast(index_of); }), first_numbers(1));
}

TEST(broadcast, nests) {
    static_thread_pool pool{{.threads = 3}};
    std::atomic<int> ran{0};
    pool.broadcast([&] { pool.broadcast([&] { ran.fetch_add(1); }); });
    EXPECT_EQ(ran.load(), 9);
}

TEST(broadcast, across_two_pools_and_back_ends) {
    std::atomic<int> ran{0};
    static_thread_pool a{{.threads = 3}};
    static_thread_pool b{{.threads = seven}};
    a.install([&] { b.broadcast([&] { a.broadcast([&] { ran.fetch_add(1); }); }); });
    EXPECT_EQ(ran.load(), 3 * static_cast<int>(seven));
}

TEST(post_broadcast, across_two_pools_and_back_runs_once_on_each_worker_for_each) {
    std::atomic<int> ran{0};
    {
        std::atomic<unsigned> reached{0};
        static_thread_pool a{{.threads = 3}};  // ends last: b's tasks use it
        static_thread_pool b{{.threads = seven}};
        a.post([&] {
            b.post_broadcast([&] {
                a.post_broadcast([&] { ran.fetch_add(1); });
                reached.fetch_add(1);
            });
        });
        while (reached.load() != seven) std::this_thread::yield();
    }
    EXPECT_EQ(ran.load(), 3 * static_cast<int>(seven));
}

// Waits until workers have fallen asleep more than so many times.
void wait_for_sleeper(const static_thread_pool& pool, std::uint64_t before) {
    while (pool.stats().parked <= before) std::this_thread::yield();
}

TEST(broadcast, across_two_pools_and_back_wakes_waiters_that_sleep) {
    std::atomic<int> ran{0};
    static_thread_pool a{{.threads = 3}};
    static_thread_pool b{{.threads = seven}};
    wait_for_sleeper(a, 2);  // nothing was posted yet: each worker falls asleep once
    wait_for_sleeper(b, seven - 1);
    a.install([&] {
        // While this worker waits for b, it falls asleep, and b's workers find it so; then the same the other way
        // round.
        const auto a_parked = a.stats().parked;
        b.broadcast([&](broadcast_context c) {
            if (c.index() == 0) wait_for_sleeper(a, a_parked);
            const auto b_parked = b.stats().parked;
            a.broadcast([&](broadcast_context inner) {
                if (c.index() == 0 && inner.index() == 0) wait_for_sleeper(b, b_parked);
                ran.fetch_add(1);
            });
        });
    });
    EXPECT_EQ(ran.load(), 3 * static_cast<int>(seven));
}

TEST(post_broadcast, across_two_pools_and_back_wakes_pools_that_sleep) {
    std::atomic<int> ran{0};
    {
        std::atomic<unsigned> reached{0};
        static_thread_pool a{{.threads = 3}};  // ends last: b's tasks use it
        static_thread_pool b{{.threads = seven}};
        wait_for_sleeper(a, 2);  // nothing was posted yet: each worker falls asleep once
        wait_for_sleeper(b, seven - 1);
        a.post([&] {
            b.post_broadcast([&] {
                if (reached.fetch_add(1) == 0) wait_for_sleeper(a, 3);  // the one who ran the post, again
                a.post_broadcast([&] { ran.fetch_add(1); });
                reached.fetch_add(1);
            });
        });
        while (reached.load() != 2 * seven) std::this_thread::yield();
    }
    EXPECT_EQ(ran.load(), 3 * static_cast<int>(seven));
}

TEST(post_broadcast, runs_once_on_each_worker_before_the_pool_is_gone) {
    counts ran;
    {
        static_thread_pool pool{{.threads = seven}};
        pool.post_broadcast([&](broadcast_context c) { ran.of[c.index()].fetch_add(1); });
        pool.post([&] {
            pool.post_broadcast([&](broadcast_context c) { ran.of[c.index()].fetch_add(1); });
            coex::post_broadcast([&](broadcast_context c) { ran.of[c.index()].fetch_add(1); });
        });
    }
    ran.expect(3);
}

TEST(post_broadcast, destroys_the_function_once_after_its_last_call) {
    const auto held = std::make_shared<std::atomic<int>>(0);
    {
        static_thread_pool pool{{.threads = seven}};
        pool.post_broadcast([held] { held->fetch_add(1); });
    }
    EXPECT_EQ(held->load(), static_cast<int>(seven));
    EXPECT_EQ(held.use_count(), 1);
}

TEST(broadcast, comes_after_the_posted_broadcasts_of_its_thread) {
    static_thread_pool pool{{.threads = seven}};
    counts ran;
    for (unsigned round = 1; round <= 100; ++round) {
        pool.post_broadcast([&](broadcast_context c) { ran.of[c.index()].fetch_add(1); });
        pool.broadcast([] {});
        ran.expect(round);
    }
}

TEST(broadcast, comes_after_what_the_worker_posted_before) {
    static_thread_pool pool{{.threads = 1}};
    pool.install([&] {
        int ran = 0;
        for (int i = 0; i < 10; ++i) coex::post([&] { ++ran; });
        pool.broadcast([&] { EXPECT_EQ(ran, 10); });
    });
}

TEST(broadcast, is_served_within_64_items_by_a_worker_that_is_never_out_of_work) {
    std::atomic<bool> served{false};
    std::atomic<int> items{0};
    int after = -1;
    static_thread_pool pool{{.threads = 1}};  // last, as the chain may look once more when it has been served
    struct chain {
        std::atomic<bool>* served;
        std::atomic<int>* items;
        void operator()() const {
            items->fetch_add(1);
            if (!served->load()) coex::post(*this);
        }
    };
    pool.install([&] {
        coex::post(chain{&served, &items});
        coex::post_broadcast([&] {
            after = items.load();
            served.store(true);
        });
    });
    while (!served.load()) std::this_thread::yield();
    EXPECT_LE(after, 64);
}

TEST(broadcast, is_served_by_a_worker_that_waits_inside_a_task) {
    std::promise<void> told;
    static_thread_pool pool{{.threads = 1}};
    static_thread_pool other{{.threads = 1}};
    pool.install([&] {
        pool.post_broadcast([&] { told.set_value(); });
        other.install([&] { told.get_future().wait(); });
    });
}

TEST(broadcast, reaches_all_workers_in_the_same_order_from_several_threads) {
    // Shares that meet: with different orders on two workers they would wait for each other.
    static_thread_pool pool{{.threads = 3}};
    std::barrier meeting(3);
    std::atomic<int> ran{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&] {
            for (int round = 0; round < 100; ++round) {
                pool.broadcast([&] {
                    meeting.arrive_and_wait();
                    ran.fetch_add(1);
                });
            }
        });
    }
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(ran.load(), 4 * 100 * 3);
}

TEST(broadcast, wakes_everybody_at_whatever_moment_they_fall_asleep) {
    static_thread_pool pool{{.threads = 4}};
    std::atomic<unsigned> ran{0};
    constexpr unsigned rounds = 3000;
    unsigned seed = 7;
    for (unsigned round = 0; round < rounds; ++round) {
        pool.broadcast([&] { ran.fetch_add(1); });
        // Workers search a while before they sleep: hit every moment of that.
        seed = seed * 1664525U + 1013904223U;
        for (unsigned pause = 0; pause < (seed >> 16) % 2000; ++pause) static_cast<void>(ran.load());
    }
    EXPECT_EQ(ran.load(), rounds * 4);
}

TEST(broadcast, outlives_nothing_when_its_pool_is_destroyed_at_once) {
    std::atomic<int> ran{0};
    for (int round = 0; round < 200; ++round) {
        auto pool = std::make_unique<static_thread_pool>(coex::pool_options{.threads = 2});
        pool->post_broadcast([&] { ran.fetch_add(1); });
    }
    EXPECT_EQ(ran.load(), 400);
}

TEST(scope_broadcast, belongs_to_the_scope) {
    std::atomic<unsigned> sum{0};
    static_thread_pool pool{{.threads = seven}};
    pool.scope([&](scope& s) { s.spawn_broadcast([&](broadcast_context c) { sum.fetch_add(c.index()); }); });
    EXPECT_EQ(sum.exchange(0), seven * (seven - 1) / 2);
    pool.scope_fifo([&](coex::scope_fifo& s) {
        s.spawn_broadcast([&](coex::scope_fifo&, broadcast_context c) { sum.fetch_add(c.index()); });
    });
    EXPECT_EQ(sum.load(), seven * (seven - 1) / 2);
}

TEST(scope_broadcast, nests) {
    std::atomic<unsigned> sum{0};
    static_thread_pool pool{{.threads = seven}};
    pool.scope([&](scope& s) {
        s.spawn_broadcast([&](scope& inner, broadcast_context) {
            inner.spawn_broadcast([&](broadcast_context c) { sum.fetch_add(c.index()); });
        });
    });
    EXPECT_EQ(sum.load(), seven * seven * (seven - 1) / 2);
}

TEST(scope_broadcast, meets_its_body_in_place) {
    std::barrier meeting(seven + 1);
    static_thread_pool pool{{.threads = seven}};
    pool.in_place_scope([&](scope& s) {
        s.spawn_broadcast([&] { meeting.arrive_and_wait(); });
        meeting.arrive_and_wait();
    });
}

}  // namespace
