#include <exec/pool/fork_join.hpp>
#include <exec/pool/parallel_for.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;

TEST(install, runs_on_a_worker_and_gives_the_result) {
    static_thread_pool pool{{.threads = 2}};
    EXPECT_TRUE(pool.install([&] { return pool.this_thread_index().has_value(); }));
    auto moved = pool.install([own = std::make_unique<int>(3)]() mutable { return std::move(own); });
    EXPECT_EQ(*moved, 3);
    int variable = 0;
    EXPECT_EQ(&pool.install([&]() -> int& { return variable; }), &variable);
}

TEST(install, throws_what_the_function_throws) {
    static_thread_pool pool{{.threads = 1}};
    EXPECT_THROW(pool.install([] { throw std::runtime_error("inside"); }), std::runtime_error);
    EXPECT_EQ(pool.install([] { return 1; }), 1) << "the worker survived";
}

TEST(install, on_a_worker_of_the_pool_is_a_plain_call) {
    static_thread_pool pool{{.threads = 2}};
    pool.install([&] {
        const auto outer = std::this_thread::get_id();
        EXPECT_EQ(pool.install([] { return std::this_thread::get_id(); }), outer);
    });
}

int descend(static_thread_pool& here, static_thread_pool& there, int depth) {
    if (depth == 0) return 0;
    return there.install([&] { return descend(there, here, depth - 1) + 1; });
}

TEST(install, across_two_pools_nests_a_thousand_deep) {
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 1}};
    EXPECT_EQ(descend(a, b, 1000), 1000);
}

TEST(install, a_worker_that_waits_for_another_pool_works_for_its_own) {
    std::atomic<bool> ran{false};
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 1}};
    a.install([&] {
        a.post([&] { ran.store(true); });
        b.install([&] {
            while (!ran.load()) std::this_thread::yield();
        });
    });
    EXPECT_TRUE(ran.load());
}

// Waits until a worker of `other` has fallen asleep since it was counted: only then its wake-up is a real one.
void wait_until_asleep(static_thread_pool& other, std::uint64_t before) {
    while (other.stats().parked == before) std::this_thread::yield();
}

TEST(install, to_a_pool_and_back_wakes_waiters_that_sleep) {
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 1}};
    std::atomic<bool> ran{false};
    a.install([&] {
        const auto a_parked = a.stats().parked;
        b.install([&] {
            wait_until_asleep(a, a_parked);
            const auto b_parked = b.stats().parked;
            a.install([&] {
                wait_until_asleep(b, b_parked);
                ran.store(true);
            });
        });
    });
    EXPECT_TRUE(ran.load());
}

TEST(install, nests_on_a_worker_without_running_what_is_queued) {
    bool ran = false;
    static_thread_pool pool{{.threads = 1}};
    pool.install([&] {
        pool.post([&] { ran = true; });
        const auto outer = std::this_thread::get_id();
        EXPECT_EQ(pool.install([&] { return pool.install([] { return std::this_thread::get_id(); }); }), outer);
        EXPECT_FALSE(ran);
    });
    pool.install([] {});
    EXPECT_TRUE(ran);
}

TEST(install, in_another_pool_lets_the_other_half_of_a_fork_begin) {
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 4}};
    std::vector<int> log;  // written by the one worker of a
    std::atomic<int> begun{0};
    const auto half = [&] {
        log.push_back(1);
        begun.fetch_add(1);
        b.install([&] {
            while (begun.load() != 2) std::this_thread::yield();
        });
        log.push_back(2);
    };
    a.install([&] { coex::fork_join(half, half); });
    EXPECT_EQ(log, (std::vector<int>{1, 1, 2, 2}));
}

// Each install ends on a thread of the other pool, at once with the object on the stack that it waits in.
TEST(install, from_a_hundred_elements_of_a_loop_into_a_pool_of_one_thread_ends) {
    static_thread_pool first{{.threads = 1}};
    static_thread_pool second{{.threads = 1}};
    std::atomic<int> sum{0};
    first.install(
        [&] { coex::parallel_for(0, 100, [&](int i) { sum.fetch_add(second.install([i] { return i; })); }); });
    EXPECT_EQ(sum.load(), 4950);
}

thread_local int of_this_thread = 0;

TEST(install, does_not_show_the_callers_thread_local_data) {
    static_thread_pool pool{{.threads = 1}};
    of_this_thread = 5;
    EXPECT_EQ(pool.install([] { return of_this_thread; }), 0);
}

TEST(install, is_served_while_the_pool_has_enough_of_its_own_work) {
    std::atomic<bool> enough{false};
    static_thread_pool pool{{.threads = 1}};
    struct chain {
        static_thread_pool* pool;
        std::atomic<bool>* enough;
        void operator()() const {
            if (!enough->load()) pool->post(*this);
        }
    };
    pool.post(chain{&pool, &enough});
    EXPECT_EQ(pool.install([] { return 1; }), 1) << "a chain of tasks that never ends does not starve it";
    enough.store(true);
}

TEST(install_death, of_an_empty_function_is_told) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    static_thread_pool pool{{.threads = 1}};
    EXPECT_DEATH(pool.install(std::function<void()>()), "given an empty function");
}

#ifndef NDEBUG
TEST(install_death, on_a_destroyed_pool_is_told_in_debug_builds) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    alignas(static_thread_pool) std::byte memory[sizeof(static_thread_pool)];
    auto* const pool = ::new (memory) static_thread_pool(coex::pool_options{.threads = 1});
    pool->~static_thread_pool();
    EXPECT_DEATH(pool->install([] {}), "install\\(\\) on a pool that has been destroyed");
}
#endif

}  // namespace
