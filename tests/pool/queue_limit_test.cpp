#include <exec/pool/queue_place.hpp>

#include <exec/base/config.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;

constexpr int many = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 5'000 : 100'000;

/// Keeps one worker of a pool busy until it is let go.
class busy_worker {
public:
    explicit busy_worker(static_thread_pool& pool) {
        pool.post([state = state_] {
            state->begun.release();
            state->go.acquire();
        });
        state_->begun.acquire();
    }
    void let_go() { state_->go.release(); }

private:
    struct state {
        std::binary_semaphore begun{0};
        std::binary_semaphore go{0};
    };
    std::shared_ptr<state> state_ = std::make_shared<state>();  // the task may wake after this is gone
};

TEST(queue_limit, counts_exactly_what_is_accepted_and_not_started) {
    std::atomic<int> ran{0};
    static_thread_pool pool{{.threads = 1, .queue_limit = 3}};
    busy_worker busy(pool);
    const auto count = [&ran] { ran.fetch_add(1); };
    EXPECT_TRUE(pool.try_post(count)) << "what runs does not count";
    auto submitted = pool.try_submit([&ran] { return ran.fetch_add(1); });
    EXPECT_TRUE(submitted.has_value());
    EXPECT_TRUE(pool.try_post(count, coex::inplace_stop_token()));
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(pool.try_post(count));
        EXPECT_FALSE(pool.try_post(count, coex::inplace_stop_token()));
        EXPECT_FALSE(pool.try_submit(count).has_value());
    }
    busy.let_go();
    EXPECT_GE(submitted->get(), 0);
    while (ran.load() != 3) std::this_thread::yield();
    busy_worker again(pool);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.try_post(count)) << "all places are free again";
    EXPECT_FALSE(pool.try_post(count));
    again.let_go();
}

TEST(queue_limit, a_task_that_is_seen_to_run_holds_no_place) {
    for (int i = 0; i < many / 100; ++i) {
        std::mutex gate;
        gate.lock();
        static_thread_pool pool{{.threads = 1, .queue_limit = 2}};
        pool.post([&gate] { const std::lock_guard hold(gate); });
        while (pool.stats().running == 0) std::this_thread::yield();
        EXPECT_TRUE(pool.try_post([] {}));
        EXPECT_TRUE(pool.try_post([] {}));
        EXPECT_FALSE(pool.try_post([] {}));
        gate.unlock();
    }
}

TEST(queue_limit, what_is_refused_is_left_as_it_is) {
    static_thread_pool pool{{.threads = 1, .queue_limit = 1}};
    busy_worker busy(pool);
    const auto held = std::make_shared<int>(1);
    std::function<void()> function = [held] {};
    ASSERT_TRUE(pool.try_post([] {}));
    EXPECT_FALSE(pool.try_post(std::move(function)));
    EXPECT_TRUE(static_cast<bool>(function));
    EXPECT_EQ(held.use_count(), 2);
    busy.let_go();
}

TEST(queue_limit, without_one_nothing_is_refused) {
    static_thread_pool pool{{.threads = 1}};
    busy_worker busy(pool);
    for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(pool.try_post([] {}));
    busy.let_go();
}

TEST(queue_limit, a_place_is_given_back_when_copying_the_function_throws) {
    static_thread_pool pool{{.threads = 1, .queue_limit = 1}};
    struct throws_when_copied {
        throws_when_copied() = default;
        throws_when_copied(const throws_when_copied&) { throw std::runtime_error("copy"); }
        void operator()() const {}
    };
    const throws_when_copied bad;
    for (int i = 0; i < 10; ++i) EXPECT_THROW(static_cast<void>(pool.try_post(bad)), std::runtime_error);
    for (int i = 0; i < 10; ++i) EXPECT_THROW(static_cast<void>(pool.submit(bad)), std::runtime_error);
    EXPECT_TRUE(pool.try_post([] {}));
}

TEST(queue_limit, posts_from_outside_wait_for_room_and_none_is_lost) {
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 2, .queue_limit = 4}};
        std::vector<std::thread> posters;
        for (int i = 0; i < 4; ++i) {
            posters.emplace_back([&] {
                for (int k = 0; k < many / 4; ++k) pool.post([&ran] { ran.fetch_add(1); });
            });
        }
        for (std::thread& each : posters) each.join();
    }
    EXPECT_EQ(ran.load(), many / 4 * 4);
}

TEST(queue_limit, no_more_than_the_limit_ever_wait) {
    constexpr int limit = 5;
    std::atomic<int> waiting{0};
    std::atomic<int> most{0};
    {
        static_thread_pool pool{{.threads = 2, .queue_limit = limit}};
        const auto started = [&] {
            // Counted as waiting a little too long, and by the poster too late: so it is what the pool promised, plus
            // one for each worker.
            waiting.fetch_sub(1);
        };
        for (int i = 0; i < many / 10; ++i) {
            pool.post(started);
            const int now = waiting.fetch_add(1) + 1;
            if (now > most.load()) most.store(now);
        }
    }
    EXPECT_EQ(waiting.load(), 0);
    EXPECT_LE(most.load(), limit + 2);
}

TEST(queue_limit, a_worker_that_posts_to_its_own_full_pool_works_instead_of_waiting) {
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 1, .queue_limit = 1}};
        pool.post([&] {
            for (int i = 0; i < 1'000; ++i) pool.post([&ran] { ran.fetch_add(1); });
        });
    }
    EXPECT_EQ(ran.load(), 1'000);
}

void grow_tree(static_thread_pool& pool, std::atomic<int>& ran, int depth) {
    ran.fetch_add(1);
    if (depth == 0) return;
    for (int i = 0; i < 2; ++i) pool.post([&pool, &ran, depth] { grow_tree(pool, ran, depth - 1); });
}

TEST(queue_limit, tasks_that_post_tasks_never_deadlock_however_small_the_limit) {
    for (const std::size_t limit : {1, 2, 3, 16}) {
        for (const unsigned threads : {1U, 2U, 3U}) {
            std::atomic<int> ran{0};
            {
                static_thread_pool pool{{.threads = threads, .queue_limit = limit}};
                pool.post([&] { grow_tree(pool, ran, 11); });
            }
            ASSERT_EQ(ran.load(), (1 << 12) - 1) << limit << " places, " << threads << " threads";
        }
    }
}

TEST(queue_limit, two_full_pools_that_post_to_each_other_never_deadlock) {
    std::atomic<int> ran{0};
    {
        std::atomic<int> done{0};
        static_thread_pool a{{.threads = 1, .queue_limit = 1}};
        static_thread_pool b{{.threads = 1, .queue_limit = 1}};
        const auto flood = [&ran, &done](static_thread_pool& other) {
            for (int i = 0; i < 1'000; ++i) other.post([&ran] { ran.fetch_add(1); });
            done.fetch_add(1);
        };
        a.post([&] { flood(b); });
        b.post([&] { flood(a); });
        while (done.load() != 2) std::this_thread::yield();
    }
    EXPECT_EQ(ran.load(), 2'000);
}

TEST(queue_limit, outside_threads_and_workers_wait_together_and_nothing_is_lost) {
    std::atomic<int> ran{0};
    constexpr int each = many / 20;
    {
        static_thread_pool pool{{.threads = 2, .queue_limit = 2}};
        std::vector<std::thread> posters;
        for (int i = 0; i < 3; ++i) {
            posters.emplace_back([&] {
                for (int k = 0; k < each; ++k) {
                    pool.post([&] {
                        ran.fetch_add(1);
                        pool.post([&ran] { ran.fetch_add(1); });
                    });
                }
            });
        }
        for (std::thread& poster : posters) poster.join();
    }
    EXPECT_EQ(ran.load(), 3 * each * 2);
}

TEST(queue_limit, a_handler_of_a_worker_that_cannot_work_goes_over_the_limit) {
    std::atomic<int> ran{0};
    static_thread_pool* self = nullptr;
    std::binary_semaphore made{0};
    {
        static_thread_pool pool{{.threads = 1, .queue_limit = 1, .on_thread_start = [&](unsigned) {
                                     made.acquire();
                                     for (int i = 0; i < 3; ++i) self->post([&ran] { ran.fetch_add(1); });
                                 }}};
        self = &pool;
        made.release();
    }
    EXPECT_EQ(ran.load(), 3);
}

TEST(queue_limit, a_batch_enters_piece_by_piece_in_its_order) {
    std::vector<int> order;
    std::vector<std::function<void()>> batch;
    for (int i = 0; i < 100; ++i) batch.emplace_back([&order, i] { order.push_back(i); });
    {
        static_thread_pool pool{{.threads = 1, .queue_limit = 3}};
        pool.post_batch(batch);
    }
    ASSERT_EQ(order.size(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(queue_limit, tasks_count_like_functions) {
    std::atomic<int> ran{0};
    const auto count = [](std::atomic<int>& counter) -> coex::task<int> { co_return counter.fetch_add(1); };
    {
        static_thread_pool pool{{.threads = 1, .queue_limit = 2}};
        busy_worker busy(pool);
        auto one = pool.submit(count(ran));
        pool.post([&]() -> coex::task<> { co_await count(ran); });
        EXPECT_FALSE(pool.try_post([] {}));
        busy.let_go();
        one.get();
    }
    EXPECT_EQ(ran.load(), 2);
}

}  // namespace
