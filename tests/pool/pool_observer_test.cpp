#include <exec/pool/pool_observer.hpp>

#include "observer_protocol.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/pool/broadcast.hpp>
#include <exec/pool/current_pool.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <latch>
#include <map>
#include <semaphore>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;

using coex_test::expect_whole_lives;
using coex_test::protocol;
using kind = protocol::kind;

TEST(pool_observer, every_task_is_posted_then_started_then_ended) {
    protocol seen;
    constexpr std::size_t count = 300;
    {
        static_thread_pool pool{{.threads = 2, .observer = &seen}};
        for (std::size_t i = 0; i < count; ++i) pool.post([&pool] { pool.post([] {}); });
        pool.post_batch(std::vector<std::function<void()>>(count, [] {}));
        ASSERT_EQ(pool.submit([] { return 7; }).get(), 7);
        ASSERT_EQ(pool.install([] { return 8; }), 8);
    }
    EXPECT_EQ(seen.count(kind::posted), 3 * count + 2);
    EXPECT_EQ(seen.count(kind::started), 3 * count + 2);
    expect_whole_lives(seen.entries());
}

// Those that reach the queues of a pool by other ways than a plain post.
TEST(pool_observer, tasks_in_order_shares_of_broadcasts_and_batches_are_told_whole_too) {
    protocol seen;
    constexpr std::size_t count = 200;
    constexpr std::size_t tasks = 7 * count + 2 + 3 * 2;
    {
        static_thread_pool pool{{.threads = 2, .observer = &seen}};
        const std::vector<std::function<void()>> nothing(count, [] {});
        pool.post_batch(coex::priority::low, nothing);
        pool.install([&pool] {
            for (std::size_t i = 0; i < count; ++i) {
                coex::post_fifo([] {});
                pool.post([] {});
            }
            pool.post_broadcast([] {});
        });
        for (std::size_t i = 0; i < count; ++i) pool.post_fifo([] {});
        pool.broadcast([] {});
        const auto spawn = [](coex::scope_fifo& s) {
            for (std::size_t i = 0; i < count; ++i) s.spawn_fifo([] {});
        };
        pool.scope_fifo([&spawn](coex::scope_fifo& s) {
            spawn(s);
            s.spawn_broadcast([] {});
        });
        pool.in_place_scope_fifo(spawn);
        for (std::size_t i = 0; i < count; ++i) pool.post([] {});
    }
    expect_whole_lives(seen.entries());
    EXPECT_EQ(seen.count(kind::posted), tasks);
    EXPECT_EQ(seen.count(kind::started), tasks);
}

TEST(pool_observer, a_coroutine_that_was_posted_to_the_current_pool_resumes_as_a_task_of_it) {
    protocol seen;
    std::binary_semaphore gate{0};
    {
        static_thread_pool other{{.threads = 1}};
        static_thread_pool pool{{.threads = 1, .observer = &seen}};
        other.post([&gate] { gate.acquire(); });
        const auto wait_for_other = [&other]() -> coex::task<> { co_await other.submit([] {}); };
        pool.post([wait_for_other] {
            coex::post(wait_for_other);
            coex::post_fifo(wait_for_other);
        });
        while (seen.count(kind::ended) != 3) std::this_thread::yield();  // both wait
        gate.release();
        while (seen.count(kind::ended) != 5) std::this_thread::yield();  // the pool must outlive them
    }
    EXPECT_EQ(seen.count(kind::posted), 1U + 2 * 2) << "each is posted, and resumes once";
    expect_whole_lives(seen.entries());
}

TEST(pool_observer, a_pool_begins_with_its_start_and_ends_with_its_stop) {
    protocol seen;
    {
        const static_thread_pool pool{{.name = "watched", .threads = 2, .observer = &seen}};
    }
    const std::vector<protocol::entry> all = seen.entries();
    ASSERT_GE(all.size(), 3U);
    EXPECT_EQ(all.front().what, kind::pool_started);
    EXPECT_EQ(all.back().what, kind::pool_stopped);
    EXPECT_EQ(seen.count(kind::pool_draining), 1U);
    EXPECT_EQ(seen.pools().at(all.front().pool), "watched with 2");
}

TEST(pool_observer, a_worker_is_told_on_its_own_thread_from_start_to_stop) {
    protocol seen;
    std::array<std::atomic<std::thread::id>, 2> threads{};
    {
        static_thread_pool pool{{.threads = 2,
                                 .on_thread_start = [&](unsigned i) { threads[i].store(std::this_thread::get_id()); },
                                 .observer = &seen}};
        for (int i = 0; i < 100; ++i) pool.post([] {});
    }
    const std::set<kind> by_the_worker{kind::worker_started, kind::worker_stopped, kind::parked, kind::woken,
                                       kind::stolen,         kind::started,        kind::ended};
    for (std::size_t worker = 0; worker < 2; ++worker) {
        std::vector<kind> own;
        for (const protocol::entry& each : seen.entries()) {
            if (by_the_worker.count(each.what) == 0 || each.worker != worker) continue;
            EXPECT_EQ(each.thread, threads[worker].load());
            own.push_back(each.what);
        }
        ASSERT_GE(own.size(), 2U);
        EXPECT_EQ(own.front(), kind::worker_started);
        EXPECT_EQ(own.back(), kind::worker_stopped);
    }
}

TEST(pool_observer, each_parked_is_followed_by_woken_on_the_same_worker) {
    protocol seen;
    {
        static_thread_pool pool{{.threads = 2, .observer = &seen}};
        for (int i = 0; i < 50; ++i) {
            const std::uint64_t before = pool.stats().parked;
            pool.submit([] {}).get();
            while (pool.stats().parked == before) std::this_thread::yield();
        }
    }
    std::array<bool, 2> asleep{};
    for (const protocol::entry& each : seen.entries()) {
        if (each.what == kind::parked) {
            EXPECT_FALSE(asleep[each.worker]);
            asleep[each.worker] = true;
        } else if (each.what == kind::woken) {
            EXPECT_TRUE(asleep[each.worker]);
            asleep[each.worker] = false;
        } else if (each.what == kind::started) {
            EXPECT_FALSE(asleep[each.worker]) << "runs a task in its sleep";
        }
    }
    EXPECT_FALSE(asleep[0] || asleep[1]);
    EXPECT_GE(seen.count(kind::parked), 50U);
    EXPECT_GE(seen.count(kind::notified), 1U);
}

TEST(pool_observer, a_stolen_task_names_thief_and_victim) {
    protocol seen;
    std::size_t poster = 0;
    std::size_t thief = 0;
    {
        static_thread_pool pool{{.threads = 2, .observer = &seen}};
        pool.submit([&] {
                poster = pool.this_thread_index().value();
                std::latch taken(1);
                pool.post([&] {
                    thief = pool.this_thread_index().value();
                    taken.count_down();
                });
                taken.wait();
            })
            .get();
    }
    ASSERT_NE(poster, thief);
    const std::vector<protocol::entry> all = seen.entries();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const protocol::entry& each) {
        return each.what == kind::stolen && each.worker == thief && each.victim == poster;
    }));
    expect_whole_lives(all);
}

TEST(pool_observer, a_forked_function_is_told_of_only_when_it_was_taken) {
    protocol seen;
    {
        static_thread_pool pool{{.threads = 1, .observer = &seen}};
        pool.install([] { coex::fork_join([] {}, [] {}, [] {}); });
    }
    EXPECT_EQ(seen.count(kind::started), 1U) << "what nobody took is part of its caller's task";
    protocol taken;
    {
        static_thread_pool pool{{.threads = 2, .observer = &taken}};
        pool.install([] {
            std::latch both(2);
            coex::fork_join([&] { both.arrive_and_wait(); }, [&] { both.arrive_and_wait(); });
        });
    }
    EXPECT_GE(taken.count(kind::stolen), 1U) << "the task itself may be stolen, too";
    EXPECT_EQ(taken.count(kind::started), 2U);
    expect_whole_lives(taken.entries());
}

TEST(pool_observer, tasks_that_a_waiting_worker_runs_lie_inside_the_task_that_waits) {
    protocol seen;
    {
        static_thread_pool pool{{.threads = 1, .observer = &seen}};
        pool.submit([&] { pool.submit([&] { pool.submit([] {}).get(); }).get(); }).get();
    }
    std::vector<kind> order;
    for (const protocol::entry& each : seen.entries()) {
        if (each.what == kind::started || each.what == kind::ended) order.push_back(each.what);
    }
    EXPECT_EQ(order,
              (std::vector<kind>{kind::started, kind::started, kind::started, kind::ended, kind::ended, kind::ended}));
}

coex::task<int> hop(static_thread_pool& there, static_thread_pool& back, int times) {
    for (int i = 0; i < times; ++i) {
        co_await there.schedule();
        co_await back.schedule();
    }
    co_return times;
}

TEST(pool_observer, every_resumption_of_a_coroutine_is_a_task_of_the_pool_that_it_is_on) {
    protocol seen;
    {
        static_thread_pool a{{.threads = 1, .observer = &seen}};
        static_thread_pool b{{.threads = 1, .observer = &seen}};
        ASSERT_EQ(coex::block_on(hop(a, b, 100)), 100);
    }
    std::map<std::uint64_t, int> started;
    for (const protocol::entry& each : seen.entries()) {
        if (each.what == kind::started) ++started[each.pool];
    }
    ASSERT_EQ(started.size(), 2U);
    EXPECT_EQ(started.begin()->second, 100);
    EXPECT_EQ(started.rbegin()->second, 100);
}

coex::task<int> leaf(int value) {
    co_return value;
}
coex::task<int> sum_of_two(static_thread_pool& pool) {
    co_await pool.schedule();
    const auto [a, b] = co_await coex::when_all(leaf(1), leaf(2));
    co_return a + b;
}

TEST(pool_observer, children_of_when_all_are_left_for_others_in_an_observed_pool_too) {
    protocol seen;
    {
        static_thread_pool pool{{.threads = 1, .observer = &seen}};
        ASSERT_EQ(coex::block_on(sum_of_two(pool)), 3);
    }
    EXPECT_EQ(seen.count(kind::posted), 1U) << "only the parent arrived";
}

TEST(pool_observer, a_pool_that_could_not_be_started_is_stopped) {
    protocol seen;
    EXPECT_THROW(static_thread_pool({.threads = 2, .cpus = {65'000}, .observer = &seen}), std::system_error);
    EXPECT_EQ(seen.count(kind::pool_started), 1U);
    EXPECT_EQ(seen.count(kind::pool_stopped), 1U);
    EXPECT_EQ(seen.count(kind::worker_started), seen.count(kind::worker_stopped));
}

TEST(pool_observer, an_observer_that_overrides_nothing_is_told_nothing) {
    struct nothing final : coex::pool_observer {
    } observer;
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 2, .observer = &observer}};
        for (int i = 0; i < 100; ++i) pool.post([&] { ran.fetch_add(1); });
    }
    EXPECT_EQ(ran.load(), 100);
}

TEST(pool_observer, stampede_of_posters_workers_and_forks_is_told_whole) {
    protocol seen;
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 3, .observer = &seen}};
        std::vector<std::thread> posters;
        for (int t = 0; t < 3; ++t) {
            posters.emplace_back([&] {
                for (int i = 0; i < 300; ++i) {
                    pool.post([&] {
                        coex::fork_join([&] { ran.fetch_add(1); }, [&] { ran.fetch_add(1); });
                        pool.post([&] { ran.fetch_add(1); });
                    });
                }
            });
        }
        for (std::thread& each : posters) each.join();
    }
    EXPECT_EQ(ran.load(), 3 * 300 * 3);
    EXPECT_EQ(seen.count(kind::posted), 3U * 300 * 2);
}

}  // namespace
