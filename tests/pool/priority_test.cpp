#include <exec/vocab/priority.hpp>

#include "pool/pool_access.hpp"
#include "pool/pool_core.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::priority;
using coex::static_thread_pool;

/// A pool of one worker that is held until `go()`, and the order in which what was posted meanwhile has started.
class held_pool {
public:
    held_pool() : pool_(std::in_place, coex::pool_options{.threads = 1}) {
        pool_->post([this] {
            held_.release();
            gate_.acquire();
        });
        held_.acquire();
    }
    [[nodiscard]] static_thread_pool& operator*() { return *pool_; }
    [[nodiscard]] static_thread_pool* operator->() { return &*pool_; }
    void post(priority level, int number) {
        pool_->post(level, [this, number] { order_.push_back(number); });
    }
    /// Lets everything run and returns the order.
    [[nodiscard]] std::vector<int> go() {
        gate_.release();
        pool_.reset();
        return order_;
    }

private:
    std::vector<int> order_;  // OWNER: the worker
    std::binary_semaphore held_{0};
    std::binary_semaphore gate_{0};
    std::optional<static_thread_pool> pool_;
};

TEST(priority, the_more_urgent_starts_first_and_equals_in_their_order) {
    held_pool pool;
    int number = 0;
    for (const priority level : {priority::low, priority::normal, priority::high}) {
        for (int i = 0; i < 5; ++i) pool.post(level, number++);
    }
    EXPECT_EQ(pool.go(), (std::vector<int>{10, 11, 12, 13, 14, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4}));
}

TEST(priority, posts_from_inside_start_by_priority_too_and_in_their_order_inside_high_and_low) {
    std::vector<int> order;
    {
        static_thread_pool pool{{.threads = 1}};
        pool.post([&] {
            for (int i = 0; i < 3; ++i) {
                pool.post(priority::low, [&order, i] { order.push_back(20 + i); });
                pool.post(priority::normal, [&order, i] { order.push_back(10 + i); });
                pool.post(priority::high, [&order, i] { order.push_back(i); });
            }
        });
    }
    // Normal posts of a worker start as ever: the newest first.
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 12, 11, 10, 20, 21, 22}));
}

// The bound that is documented: of every 8 items that a worker takes, one is normal.
TEST(priority, normal_tasks_beside_many_high_ones_are_one_of_every_eight) {
    held_pool pool;
    constexpr int high = 400;
    constexpr int normal = 20;
    for (int i = 0; i < normal; ++i) pool.post(priority::normal, high + i);
    for (int i = 0; i < high; ++i) pool.post(priority::high, i);
    const std::vector<int> order = pool.go();
    ASSERT_EQ(order.size(), static_cast<std::size_t>(high + normal));
    for (int i = 0; i < normal; ++i) EXPECT_EQ(order[static_cast<std::size_t>(8 * i + 7)], high + i);
}

// The bound that is documented: of every 64 items that a worker takes, one is low.
TEST(priority, low_tasks_beside_many_others_are_one_of_every_sixty_four) {
    for (const priority others : {priority::high, priority::normal}) {
        held_pool pool;
        constexpr int count = 1'000;
        constexpr int low = 10;
        for (int i = 0; i < low; ++i) pool.post(priority::low, count + i);
        for (int i = 0; i < count; ++i) pool.post(others, i);
        const std::vector<int> order = pool.go();
        ASSERT_EQ(order.size(), static_cast<std::size_t>(count + low));
        for (int i = 0; i < low; ++i) EXPECT_EQ(order[static_cast<std::size_t>(64 * i + 63)], count + i);
    }
}

/// Posts itself again, at one priority, until it is told to stop.
class chain {
public:
    chain(static_thread_pool& pool, priority level) : pool_(pool), level_(level) { post(); }
    void stop() noexcept { stop_.store(true); }
    [[nodiscard]] long steps() const noexcept { return steps_.load(); }

private:
    void post() {
        pool_.post(level_, [this] {
            steps_.fetch_add(1);
            if (!stop_.load()) post();
        });
    }

    static_thread_pool& pool_;
    const priority level_;
    std::atomic<bool> stop_{false};
    std::atomic<long> steps_{0};
};

coex::task<int> yield(static_thread_pool& pool, int times) {
    for (int i = 0; i < times; ++i) co_await pool.schedule();
    co_return times;
}

TEST(priority, normal_work_of_every_kind_and_low_work_goes_on_beside_endless_high_work) {
    std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 1});
    std::vector<std::unique_ptr<chain>> urgent;
    for (int i = 0; i < 3; ++i) urgent.push_back(std::make_unique<chain>(*pool, priority::high));
    chain own(*pool, priority::normal);  // in the worker's deque
    chain low(*pool, priority::low);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(pool->submit([i] { return i; }).get(), i);
    EXPECT_EQ(coex::block_on(yield(*pool, 100)), 100);
    while (own.steps() < 1'000 || low.steps() < 100) std::this_thread::yield();
    for (const auto& each : urgent) each->stop();
    own.stop();
    low.stop();
    pool.reset();
}

TEST(priority, the_normal_tasks_of_a_blocked_worker_are_stolen_from_beside_endless_high_work) {
    std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 2});
    std::vector<std::unique_ptr<chain>> urgent;
    for (int i = 0; i < 3; ++i) urgent.push_back(std::make_unique<chain>(*pool, priority::high));
    for (int i = 0; i < 100; ++i) {
        pool->submit([&] {
                std::latch run(1);
                pool->post([&run] { run.count_down(); });
                run.wait();  // holds this worker: only the other one can run it
            })
            .get();
    }
    for (const auto& each : urgent) each->stop();
    pool.reset();
}

struct opening_timer final : coex::timer_node {
    opening_timer() noexcept : timer_node(&opening_timer::on_expired) {}
    static void on_expired(timer_node* self) noexcept { static_cast<opening_timer*>(self)->expired.store(true); }
    std::atomic<bool> expired{false};
};

TEST(priority, timers_expire_beside_endless_high_work) {
    std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 1});
    chain urgent(*pool, priority::high);
    coex::timer_service& timers = coex::detail::pool_access::core(*pool).timers();
    opening_timer timer;
    timer.deadline = timers.now() + std::chrono::milliseconds(1);
    ASSERT_TRUE(timers.arm(timer));
    while (!timer.expired.load()) std::this_thread::yield();
    urgent.stop();
    pool.reset();
}

coex::task<priority> place_after_waiting(static_thread_pool& pool, priority level) {
    co_await pool.schedule(level);
    auto other = pool.submit([] { std::this_thread::yield(); });
    co_await std::move(other);
    const auto scheduler = co_await coex::read_env(coex::get_scheduler);
    co_return coex::get_priority(scheduler);
}

TEST(priority, a_coroutine_keeps_its_priority_wherever_it_waits) {
    static_thread_pool pool{{.threads = 2}};
    for (const priority level : {priority::high, priority::normal, priority::low}) {
        for (int i = 0; i < 50; ++i) EXPECT_EQ(coex::block_on(place_after_waiting(pool, level)), level);
    }
}

coex::task<void> note(static_thread_pool& pool, priority level, int number, std::vector<int>& order) {
    co_await pool.schedule(level);
    order.push_back(number);
    co_await pool.schedule(level);
    order.push_back(number + 10);
}

coex::task<void> note_all(static_thread_pool& pool, std::binary_semaphore& gate, std::vector<int>& order) {
    std::vector<coex::task<void>> tasks;
    tasks.push_back(note(pool, priority::low, 3, order));
    tasks.push_back(note(pool, priority::normal, 2, order));
    tasks.push_back(note(pool, priority::high, 1, order));
    auto all = coex::when_all(std::move(tasks));
    gate.release();
    co_await std::move(all);
}

TEST(priority, coroutines_resume_by_priority) {
    std::vector<int> order;
    std::binary_semaphore gate(0);
    static_thread_pool pool{{.threads = 1}};
    pool.submit([&] {
            // All three arrive while this task holds the worker.
            std::thread outside([&] { coex::block_on(note_all(pool, gate, order)); });
            gate.acquire();
            while (pool.stats().queued < 3) std::this_thread::yield();
            return outside;
        })
        .get()
        .join();
    EXPECT_EQ(order, (std::vector<int>{1, 11, 2, 12, 3, 13}));
}

coex::task<int> fibonacci(int n) {
    if (n < 2) co_return n;
    const auto [a, b] = co_await coex::when_all(fibonacci(n - 1), fibonacci(n - 2));
    co_return a + b;
}
coex::task<int> fibonacci_at(static_thread_pool& pool, priority level, int n) {
    co_await pool.schedule(level);
    co_return co_await fibonacci(n);
}

TEST(priority, coroutines_of_every_priority_fork_their_children) {
    static_thread_pool pool{{.threads = 2}};
    for (const priority level : {priority::high, priority::normal, priority::low}) {
        const std::uint64_t before = pool.stats().executed;
        EXPECT_EQ(coex::block_on(fibonacci_at(pool, level, 18)), 2584);
        EXPECT_LT(pool.stats().executed - before, 4'000U) << "8361 tasks would have been posted";
    }
}

TEST(priority, schedulers_are_equal_when_pool_and_priority_are) {
    static_thread_pool pool{{.threads = 1}};
    static_thread_pool other{{.threads = 1}};
    EXPECT_EQ(pool.get_scheduler(priority::high), pool.get_scheduler(priority::high));
    EXPECT_EQ(pool.get_scheduler(priority::normal), pool.get_scheduler());
    EXPECT_FALSE(pool.get_scheduler(priority::high) == pool.get_scheduler(priority::low));
    EXPECT_FALSE(pool.get_scheduler(priority::low) == pool.get_scheduler());
    EXPECT_FALSE(pool.get_scheduler(priority::low) == other.get_scheduler(priority::low));
    EXPECT_EQ(coex::get_priority(pool.get_scheduler()), priority::normal);
    EXPECT_EQ(coex::get_priority(pool.get_scheduler(priority::low)), priority::low);
}

TEST(priority, what_is_submitted_at_a_priority_gives_its_result_or_its_exception) {
    static_thread_pool pool{{.threads = 2}};
    for (const priority level : {priority::high, priority::normal, priority::low}) {
        EXPECT_EQ(pool.submit(level, [] { return 7; }).get(), 7);
        auto failing = pool.submit(level, [] { throw std::runtime_error("no"); });
        EXPECT_THROW(failing.get(), std::runtime_error);
        EXPECT_EQ(pool.submit([&] { return pool.submit(level, [] { return 8; }).get(); }).get(), 8);
    }
}

TEST(priority, an_exception_out_of_a_prioritised_post_goes_to_the_handler) {
    std::atomic<int> handled{0};
    {
        static_thread_pool pool{{.threads = 1, .on_exception = [&](std::exception_ptr) { handled.fetch_add(1); }}};
        pool.post(priority::high, [] { throw 1; });
        pool.post(priority::low, [] { throw 1; });
    }
    EXPECT_EQ(handled.load(), 2);
}

TEST(priority, tasks_of_all_levels_that_wait_are_counted_as_queued) {
    held_pool pool;
    EXPECT_EQ(pool->stats().queued, 0U);
    for (int i = 0; i < 3; ++i) pool.post(priority::low, i);
    for (int i = 0; i < 4; ++i) pool.post(priority::normal, i);
    for (int i = 0; i < 5; ++i) pool.post(priority::high, i);
    EXPECT_EQ(pool->stats().queued, 12U);
    EXPECT_EQ(pool.go().size(), 12U);
}

TEST(priority, the_destructor_runs_what_waits_at_every_level_and_what_that_posts) {
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> ran{0};
        {
            static_thread_pool pool{{.threads = 2}};
            for (int i = 0; i < 50; ++i) {
                for (const priority level : {priority::low, priority::high}) {
                    pool.post(level, [&ran, &pool, level] {
                        ran.fetch_add(1);
                        const priority other = level == priority::low ? priority::high : priority::low;
                        pool.post(other, [&ran] { ran.fetch_add(1); });
                    });
                }
            }
        }
        ASSERT_EQ(ran.load(), 200);
    }
}

TEST(priority, what_a_stop_handler_posts_at_any_level_is_run) {
    std::atomic<int> ran{0};
    static_thread_pool* posted_to = nullptr;
    {
        static_thread_pool pool{{.threads = 1, .on_thread_stop = [&](unsigned) {
                                     for (const priority level : {priority::low, priority::normal, priority::high}) {
                                         posted_to->post(level, [&ran] { ran.fetch_add(1); });
                                     }
                                 }}};
        posted_to = &pool;
        pool.submit([] {}).get();
    }
    EXPECT_EQ(ran.load(), 3);
}

TEST(priority, tasks_of_every_level_count_against_the_limit_of_the_queue) {
    std::atomic<int> ran{0};
    {
        std::binary_semaphore held(0);
        std::binary_semaphore gate(0);
        static_thread_pool pool{{.threads = 1, .queue_limit = 2}};
        pool.post([&] {
            held.release();
            gate.acquire();
        });
        held.acquire();
        EXPECT_TRUE(pool.try_post(priority::low, [&ran] { ran.fetch_add(1); }));
        EXPECT_TRUE(pool.try_post(priority::high, [&ran] { ran.fetch_add(1); }));
        EXPECT_FALSE(pool.try_post(priority::high, [&ran] { ran.fetch_add(1); }));
        EXPECT_FALSE(pool.try_submit(priority::low, [] {}).has_value());
        gate.release();
        for (int i = 0; i < 100; ++i) pool.post(static_cast<priority>(i % 3), [&ran] { ran.fetch_add(1); });
    }
    EXPECT_EQ(ran.load(), 102);
}

TEST(priority, a_stopped_function_never_runs_and_a_task_runs_at_its_level) {
    std::atomic<bool> ran{false};
    static_thread_pool pool{{.threads = 1}};
    coex::inplace_stop_source source;
    source.request_stop();
    pool.post(priority::high, [&ran] { ran.store(true); }, source.get_token());
    EXPECT_EQ(pool.submit(priority::low, place_after_waiting(pool, priority::low)).get(), priority::low);
    const auto own = [](static_thread_pool&) -> coex::task<priority> {
        co_return coex::get_priority(co_await coex::read_env(coex::get_scheduler));
    };
    EXPECT_EQ(pool.submit(priority::high, own(pool)).get(), priority::high);
    EXPECT_FALSE(ran.load());
}

}  // namespace
