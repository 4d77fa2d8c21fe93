#include "pool/pool_core.hpp"

#include "pool/pool_access.hpp"

#include "support/counted_item.hpp"

#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;
using coex::detail::extension_kind;
using coex::detail::pool_access;
using coex::detail::pool_core;
using coex::detail::pool_extension;
using coex_test::counted_item;

/// Input and output that is in flight until the test says it ended, but only after the pool asked it to stop.
struct pending final : pool_extension {
    explicit pending(std::atomic<int>& stops) noexcept : stopped(stops) {}
    void stop() noexcept override { stopped.fetch_add(1); }
    bool quiet() noexcept override { return in_flight.load() == 0; }

    std::atomic<int>& stopped;
    std::atomic<int> in_flight{0};
};

TEST(pool_core, an_item_submitted_from_any_thread_is_run_once) {
    constexpr std::size_t per_thread = 5'000;
    std::vector<counted_item> items(4 * per_thread);
    {
        static_thread_pool pool{{.threads = 2}};
        std::vector<std::thread> threads;
        for (std::size_t part = 0; part < 4; ++part) {
            threads.emplace_back([&, part] {
                for (std::size_t i = 0; i < per_thread; ++i)
                    pool_access::core(pool).submit(&items[part * per_thread + i]);
            });
        }
        for (std::thread& each : threads) each.join();
    }
    for (const counted_item& each : items) ASSERT_EQ(each.taken.load(), 1);
}

TEST(pool_core, more_ready_items_than_a_worker_can_queue_are_all_run) {
    std::vector<counted_item> items(5 * coex::detail::ready_queue::capacity);
    {
        static_thread_pool pool{{.threads = 2}};
        pool.post([&] {
            for (counted_item& each : items) pool_access::core(pool).submit(&each);
        });
    }
    for (const counted_item& each : items) ASSERT_EQ(each.taken.load(), 1);
}

TEST(pool_core, the_extension_is_made_once_and_found_by_all) {
    std::atomic<int> made{0};
    std::atomic<int> stops{0};
    {
        static_thread_pool pool{{.threads = 1}};
        std::atomic<pool_extension*> seen{nullptr};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                pool_extension& mine = pool_access::core(pool).extension(extension_kind::io, [&](pool_core&) {
                    made.fetch_add(1);
                    return std::make_unique<pending>(stops);
                });
                pool_extension* before = seen.exchange(&mine);
                EXPECT_TRUE(before == nullptr || before == &mine);
            });
        }
        for (std::thread& each : threads) each.join();
        EXPECT_EQ(made.load(), 1);
        EXPECT_EQ(stops.load(), 0);
    }
    EXPECT_EQ(stops.load(), 1);
}

TEST(pool_core, a_pool_ends_only_after_its_extension_is_quiet) {
    for (int round = 0; round < 200; ++round) {
        std::atomic<int> stops{0};
        counted_item last;
        std::thread helper;
        {
            static_thread_pool pool{{.threads = 2}};
            pool_core& core = pool_access::core(pool);
            auto& extension = static_cast<pending&>(
                core.extension(extension_kind::io, [&](pool_core&) { return std::make_unique<pending>(stops); }));
            extension.in_flight.store(1);
            helper = std::thread([&core, &extension, &stops, &last] {
                const pool_core::visit visit(core);
                while (stops.load() == 0) std::this_thread::yield();
                core.submit(&last);  // what the operation hands over before it counts as ended
                extension.in_flight.store(0);
                core.nudge();
            });
        }
        ASSERT_EQ(last.taken.load(), 1);
        helper.join();
    }
}

TEST(pool_core, an_extension_made_while_the_pool_shuts_down_is_stopped) {
    std::atomic<int> stops{0};
    {
        static_thread_pool pool{{.threads = 1}};
        pool.post([&] {
            pool_core& core = pool_access::core(pool);
            while (!core.draining()) std::this_thread::yield();
            static_cast<void>(
                core.extension(extension_kind::io, [&](pool_core&) { return std::make_unique<pending>(stops); }));
        });
    }
    EXPECT_GE(stops.load(), 1);
}

TEST(pool_core, a_visitor_keeps_the_pool_after_its_workers_ended) {
    for (int round = 0; round < 100; ++round) {
        std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 1});
        pool_core& core = pool_access::core(*pool);
        std::atomic<bool> visiting{false};
        std::atomic<bool> leaves{false};
        std::thread visitor([&] {
            const pool_core::visit visit(core);
            visiting.store(true);
            while (!core.terminated()) std::this_thread::yield();
            leaves.store(true);
        });
        while (!visiting.load()) std::this_thread::yield();
        pool.reset();
        ASSERT_TRUE(leaves.load());
        visitor.join();
    }
}

struct armed_timer final : coex::timer_node {
    armed_timer() noexcept : timer_node(&armed_timer::count) {
        deadline = coex::timer_clock::now() + std::chrono::hours(1);
    }
    static void count(coex::timer_node* self) noexcept { static_cast<armed_timer*>(self)->ended.fetch_add(1); }

    std::atomic<int> ended{0};
};

TEST(pool_core, shutting_down_stops_the_timers_that_are_armed) {
    armed_timer timers[3];
    {
        static_thread_pool pool{{.threads = 2}};
        pool.submit([&] {
                for (armed_timer& each : timers) EXPECT_TRUE(pool_access::core(pool).timers().arm(each));
            })
            .get();
    }
    for (armed_timer& each : timers) {
        EXPECT_EQ(each.ended.load(), 1);
        EXPECT_TRUE(each.stopped);
    }
}

}  // namespace
