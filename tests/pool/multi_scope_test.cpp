#include <exec/pool/multi_scope.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <numeric>
#include <semaphore>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using coex::scope;
using coex::static_thread_pool;
using scopes = std::span<scope* const>;

TEST(multi_scope, runs_each_task_on_the_pool_of_its_scope) {
    static_thread_pool first{{.threads = 2}};
    static_thread_pool second{{.threads = 1}};
    const std::vector<static_thread_pool*> pools{&first, &second};
    std::vector<int> hits(2);
    coex::multi_scope(pools, [&](scopes all) {
        ASSERT_EQ(all.size(), 2U);
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i]->spawn([&hits, &pools, i](scope&) { hits[i] = pools[i]->this_thread_index().has_value() ? 1 : -1; });
        }
    });
    EXPECT_EQ(hits, (std::vector<int>{1, 1}));
}

TEST(multi_scope, of_any_number_of_pools_ends_after_all_tasks) {
    std::vector<std::unique_ptr<static_thread_pool>> owned;
    std::vector<static_thread_pool*> pools;
    for (unsigned count = 1; count <= 10; ++count) {
        owned.push_back(std::make_unique<static_thread_pool>(coex::pool_options{.threads = 1}));
        pools.push_back(owned.back().get());
        std::atomic<unsigned> ran{0};
        coex::multi_scope(pools, [&](scopes all) {
            for (scope* each : all) {
                each->spawn([&](scope& again) { again.spawn([&] { ran.fetch_add(1); }); });
            }
        });
        EXPECT_EQ(ran.load(), count);
    }
}

TEST(multi_scope, gives_what_its_body_returns) {
    static_thread_pool pool{{.threads = 1}};
    static_thread_pool* const pools[] = {&pool};
    EXPECT_EQ(*coex::multi_scope(pools, [](scopes) { return std::make_unique<int>(7); }), 7);
}

TEST(multi_scope, without_pools_is_a_plain_call) {
    const auto here = std::this_thread::get_id();
    EXPECT_EQ(coex::multi_scope({},
                                [](scopes all) {
                                    EXPECT_TRUE(all.empty());
                                    return std::this_thread::get_id();
                                }),
              here);
    EXPECT_THROW(coex::multi_scope({}, [](scopes) { throw std::logic_error("body"); }), std::logic_error);
}

TEST(multi_scope, with_a_pool_listed_twice_runs_the_tasks_of_both_scopes_there) {
    static_thread_pool pool{{.threads = 1}};
    static_thread_pool* const pools[] = {&pool, &pool};
    std::atomic<int> ran{0};
    coex::multi_scope(pools, [&](scopes all) {
        ASSERT_EQ(all.size(), 2U);
        for (scope* each : all) each->spawn([&] { ran.fetch_add(pool.this_thread_index().has_value() ? 1 : 100); });
    });
    EXPECT_EQ(ran.load(), 2);
}

TEST(multi_scope, lets_its_body_wait_for_tasks_on_pools_of_one_thread) {
    static_thread_pool first{{.threads = 1}};
    static_thread_pool last{{.threads = 1}};
    static_thread_pool* const pools[] = {&first, &last};
    EXPECT_EQ(coex::multi_scope(pools,
                                [](scopes all) {
                                    int sum = 0;
                                    for (scope* each : all) {
                                        std::promise<int> promise;
                                        each->spawn([&] { promise.set_value(1); });
                                        sum += promise.get_future().get();
                                    }
                                    return sum;
                                }),
              2);
}

// A feeder a pool, which waits when eight tasks a thread are on their way; what the tasks use is the caller's.
TEST(multi_scope, lets_a_feeder_of_each_pool_wait_for_its_own_tasks) {
    static_thread_pool slow{{.threads = 1}};
    static_thread_pool fast{{.threads = 8}};
    static_thread_pool* const pools[] = {&slow, &fast};
    constexpr int tasks = 500;
    struct {
        std::counting_semaphore<> room{0};
        std::atomic<int> inside{0};
        std::atomic<int> most{0};
        std::vector<int> order;  // of the pool of one thread
    } of[2];
    coex::multi_scope(pools, [&](scopes all) {
        std::vector<std::thread> feeders;
        for (std::size_t p = 0; p < 2; ++p) {
            of[p].room.release(8 * static_cast<int>(pools[p]->thread_count()));
            feeders.emplace_back([&, p] {
                for (int i = 0; i < tasks; ++i) {
                    of[p].room.acquire();
                    all[p]->spawn([&here = of[p], p, i] {
                        const int now = here.inside.fetch_add(1) + 1;
                        for (int seen = here.most.load(); now > seen && !here.most.compare_exchange_weak(seen, now);) {
                        }
                        if (p == 0) here.order.push_back(i);
                        here.inside.fetch_sub(1);
                        here.room.release();
                    });
                }
            });
        }
        for (std::thread& each : feeders) each.join();
    });
    std::vector<int> in_order(tasks);
    std::iota(in_order.begin(), in_order.end(), 0);
    EXPECT_EQ(of[0].order, in_order);
    EXPECT_EQ(of[0].most.load(), 1) << "one thread";
    EXPECT_LE(of[1].most.load(), 8);
}

TEST(multi_scope, does_not_let_a_slow_pool_hold_up_another) {
    static_thread_pool slow{{.threads = 1}};
    static_thread_pool fast{{.threads = 2}};
    static_thread_pool* const pools[] = {&slow, &fast};
    std::atomic<int> ran{0};
    coex::multi_scope(pools, [&](scopes all) {
        all[0]->spawn([&] {
            while (ran.load() != 100) std::this_thread::yield();
        });
        for (int i = 0; i < 100; ++i) all[1]->spawn([&] { ran.fetch_add(1); });
    });
    EXPECT_EQ(ran.load(), 100);
}

TEST(multi_scope, on_a_worker_of_one_of_its_pools_ends) {
    static_thread_pool first{{.threads = 1}};
    static_thread_pool second{{.threads = 1}};
    static_thread_pool* const pools[] = {&first, &second, &first};
    std::atomic<int> ran{0};
    second.install([&] {
        coex::multi_scope(pools, [&](scopes all) {
            for (scope* each : all) each->spawn([&] { ran.fetch_add(1); });
        });
    });
    EXPECT_EQ(ran.load(), 3);
}

TEST(multi_scope, lets_a_task_spawn_into_another_pools_scope) {
    static_thread_pool first{{.threads = 1}};
    static_thread_pool second{{.threads = 1}};
    static_thread_pool* const pools[] = {&first, &second};
    int hops = 0;
    struct ball {
        scopes all;
        int* hops;
        void operator()() const {
            if (++*hops < 1000) all[static_cast<std::size_t>(*hops % 2)]->spawn(*this);
        }
    };
    coex::multi_scope(pools, [&](scopes all) { all[0]->spawn(ball{all, &hops}); });
    EXPECT_EQ(hops, 1000);
}

TEST(multi_scope, rethrows_the_first_exception_of_all_pools_after_all_tasks_have_run) {
    static_thread_pool first{{.threads = 1}};
    static_thread_pool second{{.threads = 1}};
    static_thread_pool* const pools[] = {&first, &second};
    struct at_end {
        std::promise<void>* told;
        ~at_end() { told->set_value(); }
    };
    for (std::size_t early = 0; early < 2; ++early) {
        std::promise<void> has_failed;
        std::atomic<int> ran{0};
        try {
            coex::multi_scope(pools, [&](scopes all) {
                all[early]->spawn([&, end = std::make_shared<at_end>(&has_failed)] {
                    ran.fetch_add(1);
                    throw std::runtime_error("early");
                });
                all[1 - early]->spawn([&] {
                    has_failed.get_future().wait();
                    ran.fetch_add(1);
                    throw std::runtime_error("late");
                });
            });
            FAIL() << "nothing was thrown";
        } catch (const std::runtime_error& error) {
            EXPECT_STREQ(error.what(), "early");
        }
        EXPECT_EQ(ran.load(), 2);
    }
}

TEST(multi_scope_death, of_a_null_pool_is_told) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    static_thread_pool* const pools[] = {nullptr};
    EXPECT_DEATH(coex::multi_scope(pools, [](scopes) {}), "multi_scope: one of the pools is null");
}

}  // namespace
