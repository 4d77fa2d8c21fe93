#include <exec/pool/fork_join.hpp>
#include <exec/pool/pool_options.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/pool/yield_result.hpp>

#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::static_thread_pool;
using coex::thread_body;
using coex_test::name_of_this_thread;

TEST(use_current_thread, makes_it_worker_0_which_works_while_it_waits) {
    std::vector<unsigned> started;
    std::mutex mutex;
    int ran = 0;
    static_thread_pool pool{{.threads = 1,
                             .on_thread_start =
                                 [&](unsigned index) {
                                     const std::lock_guard lock(mutex);
                                     started.push_back(index);
                                 },
                             .use_current_thread = true}};
    EXPECT_EQ(pool.this_thread_index(), 0U);
    const auto here = std::this_thread::get_id();
    pool.post([&ran, here] { ran += std::this_thread::get_id() == here ? 1 : 0; });
    EXPECT_EQ(ran, 0) << "it does not work until it waits";
    EXPECT_EQ(pool.submit([&ran] { return ran; }).get(), 0) << "the last posted starts first";
    EXPECT_EQ(pool.install([&] { return std::this_thread::get_id() == here; }), true);
    auto [one, two] = coex::fork_join([] { return 1; }, [] { return 2; });
    EXPECT_EQ(one + two, 3);
    EXPECT_TRUE(started.empty());
}

TEST(use_current_thread, keeps_its_name_and_gives_it_no_thread_nor_handler) {
    std::vector<unsigned> named;
    std::vector<unsigned> spawned;
    std::mutex mutex;
    std::multiset<unsigned> handled;
    const auto handle = [&](unsigned index) {
        const std::lock_guard lock(mutex);
        handled.insert(index);
    };
    const std::string before = name_of_this_thread();
    {
        static_thread_pool pool{{.threads = 3,
                                 .on_thread_start = handle,
                                 .on_thread_stop = handle,
                                 .thread_name =
                                     [&](unsigned index) {
                                         named.push_back(index);
                                         return "worker-" + std::to_string(index);
                                     },
                                 .spawn_thread =
                                     [&](thread_body body) {
                                         spawned.push_back(body.index());
                                         std::thread([body = std::move(body)]() mutable { body.run(); }).detach();
                                     },
                                 .use_current_thread = true}};
        EXPECT_EQ(name_of_this_thread(), before);
    }
    EXPECT_EQ(named, (std::vector<unsigned>{0, 1, 2})) << "asked for all the same";
    EXPECT_EQ(spawned, (std::vector<unsigned>{1, 2}));
    EXPECT_EQ(handled, (std::multiset<unsigned>{1, 1, 2, 2}));
}

TEST(use_current_thread, lets_the_others_run_what_it_posted_while_it_blocks) {
    std::binary_semaphore ran{0};
    std::atomic<unsigned> index{0};
    static_thread_pool pool{{.threads = 2, .use_current_thread = true}};
    pool.post([&] {
        index.store(pool.this_thread_index().value());
        ran.release();
    });
    ran.acquire();
    EXPECT_EQ(index.load(), 1U);
}

TEST(use_current_thread, serves_others_when_it_yields) {
    static_thread_pool pool{{.threads = 1, .use_current_thread = true}};
    std::atomic<bool> served{false};
    std::thread other([&] {
        pool.install([] {});
        served.store(true);
    });
    int items = 0;
    while (!served.load()) items += pool.yield_now() == coex::yield_result::executed ? 1 : 0;
    other.join();
    EXPECT_EQ(items, 1);
}

TEST(use_current_thread, ends_with_the_destructor_of_the_pool_and_it_can_make_another) {
    for (int i = 0; i < 20; ++i) {
        std::atomic<int> ran{0};
        {
            static_thread_pool pool{{.threads = 1U + static_cast<unsigned>(i % 3), .use_current_thread = true}};
            for (int k = 0; k < 100; ++k) {
                pool.post([&ran, &pool] {
                    ran.fetch_add(1);
                    pool.post([&ran] { ran.fetch_add(1); });
                });
            }
        }
        EXPECT_EQ(ran.load(), 200);
        EXPECT_FALSE(coex::detail::on_a_worker());
    }
}

TEST(use_current_thread, runs_what_others_give_it_when_it_waits) {
    std::atomic<int> value{0};
    static_thread_pool pool{{.threads = 1, .use_current_thread = true}};
    std::thread other([&] { value.store(pool.install([] { return 5; })); });
    std::binary_semaphore done{0};
    static_thread_pool elsewhere{{.threads = 1}};
    // While this thread waits for the other pool it works for its own.
    elsewhere
        .submit([&value] {
            while (value.load() == 0) std::this_thread::yield();
        })
        .get();
    other.join();
    EXPECT_EQ(value.load(), 5);
}

TEST(use_current_thread, is_refused_on_a_thread_that_is_a_worker_already) {
    static_thread_pool pool{{.name = "first", .threads = 1, .use_current_thread = true}};
    try {
        static_thread_pool second{{.name = "second", .threads = 2, .use_current_thread = true}};
        FAIL();
    } catch (const std::invalid_argument& error) {
        EXPECT_NE(std::string(error.what()).find("'first'"), std::string::npos) << error.what();
    }
    coex_test::wait_for_no_thread_named("second");
}

}  // namespace
