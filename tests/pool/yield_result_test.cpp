#include <exec/pool/current_pool.hpp>
#include <exec/pool/fork_context.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/pool/yield_result.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::static_thread_pool;
using coex::yield_result;

TEST(yield_now, runs_one_item_and_tells) {
    static_thread_pool pool{{.threads = 1}};
    pool.install([] {
        int ran = 0;
        coex::post([&] { ++ran; });
        coex::post([&] { ++ran; });
        EXPECT_EQ(coex::yield_now(), yield_result::executed);
        EXPECT_EQ(ran, 1);
        EXPECT_EQ(coex::yield_now(), yield_result::executed);
        EXPECT_EQ(ran, 2);
        EXPECT_EQ(coex::yield_now(), yield_result::idle);
    });
}

TEST(yield_now, finds_what_came_from_outside) {
    static_thread_pool pool{{.threads = 1}};
    pool.install([&] {
        std::atomic<bool> ran{false};
        std::thread([&] { pool.post([&] { ran.store(true); }); }).join();
        EXPECT_EQ(coex::yield_local(), yield_result::idle) << "not this worker's own";
        EXPECT_EQ(coex::this_thread_has_pending_tasks(), false);
        EXPECT_EQ(coex::yield_now(), yield_result::executed);
        EXPECT_TRUE(ran.load());
    });
}

TEST(yield_now, takes_from_a_worker_that_is_busy) {
    std::atomic<bool> posted{false};
    std::atomic<bool> ran{false};
    static_thread_pool pool{{.threads = 2}};
    pool.post([&] {
        coex::post([&] { ran.store(true); });
        posted.store(true);
        while (!ran.load()) std::this_thread::yield();
    });
    pool.install([&] {
        while (!posted.load()) std::this_thread::yield();
        while (!ran.load()) {
            const auto did = coex::yield_now();
            ASSERT_TRUE(did.has_value());
        }
    });
}

TEST(yield_local, runs_own_tasks_newest_first_and_then_a_share_of_a_broadcast) {
    static_thread_pool pool{{.threads = 1}};
    pool.install([] {
        std::vector<int> order;
        coex::post_broadcast([&] { order.push_back(3); });
        EXPECT_EQ(coex::this_thread_has_pending_tasks(), false) << "a share of a broadcast is no task of its own";
        coex::post([&] { order.push_back(2); });
        coex::post([&] { order.push_back(1); });
        EXPECT_EQ(coex::this_thread_has_pending_tasks(), true);
        EXPECT_EQ(coex::yield_local(), yield_result::executed);
        EXPECT_EQ(coex::yield_local(), yield_result::executed);
        EXPECT_EQ(coex::this_thread_has_pending_tasks(), false);
        EXPECT_EQ(coex::yield_local(), yield_result::executed);
        EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
        EXPECT_EQ(coex::yield_local(), yield_result::idle);
        EXPECT_EQ(coex::yield_now(), yield_result::idle);
    });
}

TEST(yield, outside_of_pools_and_on_other_pools_does_nothing_and_tells_nothing) {
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 1}};
    EXPECT_EQ(coex::yield_now(), std::nullopt);
    EXPECT_EQ(coex::yield_local(), std::nullopt);
    EXPECT_EQ(coex::this_thread_has_pending_tasks(), std::nullopt);
    EXPECT_EQ(a.yield_now(), std::nullopt);
    a.install([&] {
        int ran = 0;
        coex::post([&] { ++ran; });
        EXPECT_EQ(b.yield_now(), std::nullopt);
        EXPECT_EQ(b.yield_local(), std::nullopt);
        EXPECT_EQ(b.this_thread_has_pending_tasks(), std::nullopt);
        EXPECT_EQ(ran, 0);
        EXPECT_EQ(a.this_thread_has_pending_tasks(), true);
        EXPECT_EQ(a.yield_local(), yield_result::executed);
        EXPECT_EQ(ran, 1);
        EXPECT_EQ(a.yield_now(), yield_result::idle);
    });
}

// Unlike Rayon, where a function counts as migrated whenever it was taken from the deque.
TEST(yield_now, runs_the_other_half_of_a_fork_which_has_not_migrated) {
    static_thread_pool pool{{.threads = 1}};
    pool.install([] {
        const auto caller = std::this_thread::get_id();
        const auto [during, migrated] = coex::fork_join(
            [] {
                EXPECT_EQ(coex::this_thread_has_pending_tasks(), true);
                return coex::yield_now();
            },
            [=](coex::fork_context context) {
                EXPECT_EQ(std::this_thread::get_id(), caller);
                return context.migrated();
            });
        EXPECT_EQ(during, yield_result::executed);
        EXPECT_FALSE(migrated);
    });
}

TEST(yield, in_a_loop_waits_for_what_it_posted_elsewhere) {
    static_thread_pool pool{{.threads = 1}};
    EXPECT_EQ(pool.install([] {
        std::promise<int> promise;
        auto result = promise.get_future();
        coex::default_pool().post([promise = std::move(promise)]() mutable { promise.set_value(22); });
        while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) coex::yield_now();
        coex::post([] {});
        while (coex::yield_local() != yield_result::idle) {
        }
        return result.get();
    }),
              22);
}

TEST(yield_local, lets_another_pool_work_on_what_it_was_given) {
    static_thread_pool pool{{.threads = 1}};
    std::promise<int> promise;
    auto result = promise.get_future();
    coex::post([promise = std::move(promise)]() mutable { promise.set_value(22); });  // to the default pool
    pool.install([&] {
        while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
            EXPECT_EQ(coex::yield_local(), yield_result::idle) << "not of this pool";
        }
    });
    EXPECT_EQ(result.get(), 22);
}

TEST(yield, in_a_handler_for_the_start_of_a_thread_finds_nothing) {
    std::atomic<int> idle{0};
    {
        static_thread_pool pool{{.threads = 2, .on_thread_start = [&](unsigned) {
                                     if (coex::yield_now() == yield_result::idle) idle.fetch_add(1);
                                 }}};
    }
    EXPECT_EQ(idle.load(), 2);
}

TEST(current_pool, tells_the_number_and_the_index_of_workers) {
    static_thread_pool pool{{.threads = 22}};
    EXPECT_EQ(pool.this_thread_index(), std::nullopt);
    EXPECT_EQ(coex::this_thread_index(), std::nullopt);
    EXPECT_EQ(coex::thread_count(), coex::default_pool().thread_count());
    pool.install([&] {
        EXPECT_EQ(coex::thread_count(), 22U);
        EXPECT_LT(coex::this_thread_index().value(), 22U);
        EXPECT_EQ(coex::this_thread_index(), pool.this_thread_index());
        EXPECT_EQ(coex::default_pool().this_thread_index(), std::nullopt);
    });
}

TEST(current_pool, is_still_the_pool_in_the_handlers_for_start_and_stop) {
    std::atomic<int> with_index{0};
    {
        const auto count = [&](unsigned index) { with_index.fetch_add(coex::this_thread_index() == index ? 1 : 0); };
        static_thread_pool pool{{.threads = 3, .on_thread_start = count, .on_thread_stop = count}};
    }
    EXPECT_EQ(with_index.load(), 6);
}

}  // namespace
