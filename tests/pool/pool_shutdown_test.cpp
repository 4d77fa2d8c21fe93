#include <exec/pool/static_thread_pool.hpp>

#include <exec/base/config.hpp>
#include <exec/pool/fork_join.hpp>

#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::static_thread_pool;

/// Counts how often closures that hold it were destroyed: copies that were moved from don't count.
class witness {
public:
    explicit witness(std::atomic<int>& destroyed) noexcept : destroyed_(&destroyed) {}
    witness(witness&& other) noexcept : destroyed_(std::exchange(other.destroyed_, nullptr)) {}
    witness& operator=(witness&&) = delete;
    ~witness() {
        if (destroyed_ != nullptr) destroyed_->fetch_add(1);
    }

private:
    std::atomic<int>* destroyed_;
};

TEST(pool_shutdown, destructors_run_once_for_posted_closures) {
    std::atomic<int> destroyed{0};
    {
        static_thread_pool pool{{.threads = 2, .on_exception = [](std::exception_ptr) {}}};
        for (int i = 0; i < 2'000; ++i) {
            pool.post([held = witness(destroyed), i] {
                if (i % 3 == 0) throw std::runtime_error("thrown");
            });
        }
    }
    EXPECT_EQ(destroyed.load(), 2'000);
}

TEST(pool_shutdown, destructors_run_once_for_submitted_closures_and_their_results) {
    std::atomic<int> closures{0};
    std::atomic<int> results{0};
    {
        static_thread_pool pool{{.threads = 2}};
        for (int i = 0; i < 2'000; ++i) {
            auto handle = pool.submit([held = witness(closures), &results, i] {
                if (i % 4 == 0) throw std::runtime_error("thrown");
                return witness(results);
            });
            if (i % 3 != 0) continue;  // the others' handles are dropped
            if (i % 4 == 0) {
                EXPECT_THROW(static_cast<void>(handle.get()), std::runtime_error);
            } else {
                static_cast<void>(handle.get());
            }
        }
    }
    EXPECT_EQ(closures.load(), 2'000);
    EXPECT_EQ(results.load(), 1'500);
}

TEST(pool_shutdown, a_function_that_cannot_be_copied_in_leaves_nothing_behind) {
    struct refuses {
        refuses() = default;
        refuses(const refuses&) { throw std::runtime_error("not copied"); }
        void operator()() const {}
    };
    static_thread_pool pool{{.threads = 1}};
    const refuses function;
    EXPECT_THROW(pool.post(function), std::runtime_error);
    EXPECT_THROW(static_cast<void>(pool.submit(function)), std::runtime_error);
    EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
}

TEST(pool_shutdown, pools_of_one_worker_come_and_go_a_thousand_times) {
    std::atomic<int> ran{0};
    for (int i = 0; i < 1'000; ++i) {
        static_thread_pool pool{{.name = "come-and-go", .threads = 1}};
        pool.post([&pool, &ran] { pool.post([&ran] { ran.fetch_add(1); }); });
    }
    EXPECT_EQ(ran.load(), 1'000);
    coex_test::wait_for_no_thread_named("come-and-go");
}

// The one who ends a submission still wakes its waiter, while the waiter may already destroy the pool.
TEST(pool_shutdown, a_pool_may_be_destroyed_as_soon_as_its_only_result_was_taken) {
    for (int i = 0; i < 1'000; ++i) {
        auto pool =
            std::make_unique<static_thread_pool>(coex::pool_options{.threads = 1U + static_cast<unsigned>(i % 2)});
        ASSERT_EQ(pool->submit([i] { return i; }).get(), i);
        pool.reset();
    }
}

TEST(pool_shutdown, the_poster_may_still_be_waking_a_worker_when_its_task_lets_the_pool_go) {
    for (int i = 0; i < 500; ++i) {
        auto pool = std::make_unique<static_thread_pool>(coex::pool_options{.threads = 2});
        std::atomic<bool> ran{false};
        std::thread poster([&pool = *pool, &ran] { pool.post([&ran] { ran.store(true); }); });
        while (!ran.load()) std::this_thread::yield();
        pool.reset();
        poster.join();
    }
}

TEST(pool_shutdown, a_pool_may_be_destroyed_on_a_worker_of_another) {
    std::atomic<int> ran{0};
    static_thread_pool outer{{.threads = 1}};
    for (int i = 0; i < 100; ++i) {
        outer
            .submit([&ran] {
                static_thread_pool inner{{.threads = 2}};
                for (int k = 0; k < 10; ++k) inner.post([&ran] { ran.fetch_add(1); });
            })
            .get();
    }
    EXPECT_EQ(ran.load(), 1'000);
}

TEST(pool_shutdown, tasks_of_a_second_pool_post_to_a_third_while_the_first_is_destroyed) {
    std::atomic<int> first_ran{0};
    std::atomic<int> third_ran{0};
    {
        static_thread_pool third{{.threads = 1}};
        static_thread_pool second{{.threads = 2}};
        for (int i = 0; i < 200; ++i) {
            auto first = std::make_shared<static_thread_pool>(coex::pool_options{.threads = 1});
            for (int k = 0; k < 5; ++k) first->post([&first_ran] { first_ran.fetch_add(1); });
            for (int k = 0; k < 5; ++k) {
                // The last of these closures destroys the first pool on a worker of the second.
                second.post([first, &third, &third_ran] { third.post([&third_ran] { third_ran.fetch_add(1); }); });
            }
        }
    }
    EXPECT_EQ(first_ran.load(), 1'000);
    EXPECT_EQ(third_ran.load(), 1'000);
}

TEST(pool_shutdown, a_chain_of_closures_that_post_when_they_are_destroyed_is_run_to_its_end) {
    struct link {
        static_thread_pool* pool;
        std::atomic<int>* ran;
        int left;
        ~link() {
            if (left > 0) pool->post([next = std::make_shared<link>(pool, ran, left - 1)] { next->ran->fetch_add(1); });
        }
    };
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 2}};
        for (int i = 0; i < 10; ++i) {
            pool.post([next = std::make_shared<link>(&pool, &ran, 100)] { next->ran->fetch_add(1); });
        }
    }
    EXPECT_EQ(ran.load(), 10 * 101);
}

TEST(pool_shutdown, a_pool_destroyed_while_its_tasks_begin_to_wait_for_another_lets_them_finish) {
    static_thread_pool other{{.name = "other", .threads = 1}};
    for (int i = 0; i < 300; ++i) {
        std::atomic<int> seen{0};
        {
            static_thread_pool pool{{.threads = 2}};
            for (int k = 0; k < 2; ++k) {
                pool.post([&other, &seen, i] {
                    for (int spin = 0; spin < i * 20; ++spin) std::atomic_signal_fence(std::memory_order_seq_cst);
                    seen.fetch_add(other.submit([] { return 21; }).get());
                });
            }
        }
        ASSERT_EQ(seen.load(), 42);
    }
}

TEST(pool_shutdown, handlers_that_throw_are_reported_and_the_pool_works) {
    std::atomic<int> reported{0};
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 2,
                                 .on_thread_start = [](unsigned) { throw std::runtime_error("start"); },
                                 .on_thread_stop = [](unsigned) { throw std::runtime_error("stop"); },
                                 .on_exception = [&reported](std::exception_ptr) { reported.fetch_add(1); }}};
        for (int i = 0; i < 100; ++i) pool.post([&ran] { ran.fetch_add(1); });
    }
    EXPECT_EQ(ran.load(), 100);
    EXPECT_EQ(reported.load(), 4);
}

TEST(pool_shutdown, a_pool_that_could_not_start_all_workers_stops_those_it_started) {
    std::atomic<int> started{0};
    std::atomic<int> stopped{0};
    for (int i = 0; i < 20; ++i) {
        EXPECT_THROW(static_thread_pool({.name = "half-started",
                                         .threads = 4,
                                         .cpus = {0, 0, 0, 9'999},
                                         .on_thread_start = [&started](unsigned) { started.fetch_add(1); },
                                         .on_thread_stop = [&stopped](unsigned) { stopped.fetch_add(1); }}),
                     std::system_error);
    }
    EXPECT_EQ(started.load(), 60);
    EXPECT_EQ(stopped.load(), 60);
    coex_test::wait_for_no_thread_named("half-started");
}

TEST(pool_shutdown, absurd_stack_sizes_are_refused_and_leave_no_thread_behind) {
    std::atomic<int> started{0};
    std::atomic<int> stopped{0};
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{1} << 60, static_cast<std::size_t>(-1)}) {
        EXPECT_THROW(static_thread_pool({.name = "absurd",
                                         .threads = 2,
                                         .stack_bytes = bytes,
                                         .on_thread_start = [&started](unsigned) { started.fetch_add(1); },
                                         .on_thread_stop = [&stopped](unsigned) { stopped.fetch_add(1); }}),
                     std::system_error);
    }
    EXPECT_EQ(started.load(), stopped.load());
    coex_test::wait_for_no_thread_named("absurd");
}

void fork_down(int depth) {
    if (depth > 0) coex::fork_join([depth] { fork_down(depth - 1); }, [depth] { fork_down(depth - 1); });
}

TEST(pool_shutdown, all_of_many_workers_stop_when_they_have_just_forked_and_stolen) {
    std::atomic<int> stopped{0};
    {
        static_thread_pool pool{{.threads = 22, .on_thread_stop = [&stopped](unsigned) { stopped.fetch_add(1); }}};
        pool.install([] { fork_down(COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 14 : 20); });
    }
    EXPECT_EQ(stopped.load(), 22);
}

TEST(pool_shutdown, all_of_many_workers_stop_when_they_are_asleep) {
    std::atomic<int> stopped{0};
    {
        static_thread_pool pool{{.threads = 22, .on_thread_stop = [&stopped](unsigned) { stopped.fetch_add(1); }}};
        while (pool.stats().parked < 22) std::this_thread::yield();  // nothing was posted: each falls asleep once
    }
    EXPECT_EQ(stopped.load(), 22);
}

// All workers may have left their loops by then: nobody would have run what is posted, nor destroyed it.
TEST(pool_shutdown, tasks_that_a_stop_handler_posts_to_its_own_pool_run_and_are_destroyed) {
    for (unsigned threads = 1; threads <= 3; ++threads) {
        std::atomic<int> destroyed{0};
        std::atomic<int> ran{0};
        static_thread_pool* self = nullptr;
        {
            static_thread_pool pool{{.threads = threads, .on_thread_stop = [&](unsigned) {
                                         self->post([held = witness(destroyed), &ran, &self] {
                                             ran.fetch_add(1);
                                             self->post([&ran] { ran.fetch_add(1); });
                                             ran.fetch_add(self->submit([] { return 1; }).get());
                                         });
                                         const auto another = [&ran] { ran.fetch_add(1); };
                                         self->post_batch(std::vector{another, another});
                                     }}};
            self = &pool;
            pool.post([] {});
        }
        EXPECT_EQ(destroyed.load(), static_cast<int>(threads));
        EXPECT_EQ(ran.load(), 5 * static_cast<int>(threads));
    }
}

}  // namespace
