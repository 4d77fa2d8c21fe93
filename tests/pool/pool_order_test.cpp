#include <exec/pool/static_thread_pool.hpp>

#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>

#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <functional>
#include <mutex>
#include <numeric>
#include <optional>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;

TEST(pool_order, one_worker_keeps_the_order_of_thousands_of_posts_from_outside) {
    constexpr int count = 5'000;
    std::vector<int> order;
    {
        static_thread_pool pool{{.threads = 1}};
        for (int i = 0; i < count; ++i) pool.post([&order, i] { order.push_back(i); });
    }
    std::vector<int> expected(count);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(order, expected);
}

TEST(pool_order, each_of_four_posting_threads_finds_its_own_order_kept) {
    constexpr int count = 2'000;
    std::array<std::vector<int>, 4> orders;
    {
        static_thread_pool pool{{.threads = 1}};
        std::vector<std::thread> posters;
        for (std::vector<int>& mine : orders) {
            posters.emplace_back([&pool, &mine] {
                for (int i = 0; i < count; ++i) pool.post([&mine, i] { mine.push_back(i); });
            });
        }
        for (std::thread& each : posters) each.join();
    }
    for (const std::vector<int>& each : orders) {
        ASSERT_EQ(each.size(), static_cast<std::size_t>(count));
        EXPECT_TRUE(std::is_sorted(each.begin(), each.end()));
    }
}

/// Keeps each worker of a pool busy with a task that posts itself again, until it is told to stop.
class endless_chains {
public:
    explicit endless_chains(static_thread_pool& pool) : pool_(pool) {
        for (unsigned i = 0; i < pool.thread_count(); ++i) pool.post([this] { step(); });
        while (steps() < 1'000) std::this_thread::yield();
    }
    void stop() noexcept { stop_.store(true); }
    /// Makes the chains wait, and so their workers, until `go_on()`.
    void hold() noexcept { hold_.store(true); }
    void go_on() noexcept { hold_.store(false); }
    [[nodiscard]] int steps() const noexcept { return steps_.load(); }

private:
    void step() {
        while (hold_.load()) std::this_thread::yield();
        steps_.fetch_add(1);
        if (!stop_.load()) pool_.post([this] { step(); });
    }

    static_thread_pool& pool_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> hold_{false};
    std::atomic<int> steps_{0};
};

// The bound that worker.cpp states: 16 other items, and 9 more for each post that waits before it.
TEST(pool_order, many_outside_posts_beside_an_endless_chain_wait_behind_a_bounded_number_of_its_steps) {
    constexpr int count = 200;
    std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 1});
    endless_chains chains(*pool);
    std::vector<int> seen;
    chains.hold();
    for (int i = 0; i < count; ++i) pool->post([&] { seen.push_back(chains.steps()); });
    auto last = pool->submit([] {});
    const int before = chains.steps();
    chains.go_on();
    last.get();
    chains.stop();
    pool.reset();
    ASSERT_EQ(seen.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) EXPECT_LE(seen[static_cast<std::size_t>(i)] - before, 16 + 9 * i) << i;
}

TEST(pool_order, outside_posts_run_beside_an_endless_chain_on_every_worker) {
    std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 3});
    endless_chains chains(*pool);
    for (int i = 0; i < 200; ++i) ASSERT_EQ(pool->submit([i] { return i; }).get(), i);
    chains.stop();
    pool.reset();
}

TEST(pool_order, every_old_task_of_a_worker_runs_beside_an_endless_chain_above_it) {
    constexpr int count = 50;
    std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 1});
    std::atomic<int> old_ones{0};
    std::atomic<int> steps{0};
    std::function<void()> chain = [&] {
        steps.fetch_add(1);
        if (old_ones.load() < count) pool->post([&chain] { chain(); });
    };
    pool->submit([&] {
            for (int i = 0; i < count; ++i) pool->post([&old_ones] { old_ones.fetch_add(1); });
            pool->post([&chain] { chain(); });
        })
        .get();
    while (old_ones.load() < count) std::this_thread::yield();
    pool.reset();  // the last step refers to the chain
    EXPECT_LE(steps.load(), 64 * count + 64) << "one in 64 items is the oldest of the deque";
}

coex::task<void> yield_until(static_thread_pool& pool, const std::atomic<bool>& stop, std::atomic<int>& yields) {
    while (!stop.load()) {
        co_await pool.schedule();
        yields.fetch_add(1);
    }
}

TEST(pool_order, outside_posts_run_beside_coroutines_that_yield_for_ever) {
    std::atomic<bool> stop{false};
    std::atomic<int> yields{0};
    static_thread_pool pool{{.threads = 1}};
    std::thread yielding([&] {
        std::vector<coex::task<void>> tasks;
        for (int i = 0; i < 100; ++i) tasks.push_back(yield_until(pool, stop, yields));
        coex::block_on(coex::when_all(std::move(tasks)));
    });
    while (yields.load() < 1'000) std::this_thread::yield();
    for (int i = 0; i < 100; ++i) ASSERT_EQ(pool.submit([i] { return i; }).get(), i);
    stop.store(true);
    yielding.join();
}

TEST(pool_order, all_workers_are_named_and_numbered) {
    constexpr unsigned count = 4;
    std::mutex mutex;
    std::set<std::string> names;
    std::set<unsigned> indices;
    {
        static_thread_pool pool{{.name = "numbered", .threads = count, .on_thread_start = [&](unsigned index) {
                                     char name[16] = {};
                                     pthread_getname_np(pthread_self(), name, sizeof name);
                                     const std::lock_guard lock(mutex);
                                     names.insert(name);
                                     indices.insert(index);
                                 }}};
        while (coex_test::threads_named("numbered/") != count) std::this_thread::yield();
    }
    EXPECT_EQ(names, (std::set<std::string>{"numbered/0", "numbered/1", "numbered/2", "numbered/3"}));
    EXPECT_EQ(indices, (std::set<unsigned>{0, 1, 2, 3}));
    coex_test::wait_for_no_thread_named("numbered");
}

TEST(pool_order, pinned_workers_run_where_they_were_told) {
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    unsigned cpu = 0;
    while (!CPU_ISSET(cpu, &allowed)) ++cpu;
    static_thread_pool pool{{.threads = 2, .cpus = {cpu}}};
    for (int i = 0; i < 20; ++i) EXPECT_EQ(pool.submit([] { return sched_getcpu(); }).get(), static_cast<int>(cpu));
}

timespec cpu_time_of(pthread_t thread) {
    clockid_t clock{};
    timespec used{};
    if (pthread_getcpuclockid(thread, &clock) == 0) clock_gettime(clock, &used);
    return used;
}

// All workers asleep: none is woken by anything that happens in another pool, and their clocks stand still.
TEST(pool_order, an_idle_pool_uses_no_processor_time_while_another_works) {
    std::array<std::atomic<pthread_t>, 2> threads{};
    static_thread_pool idle{
        {.threads = 2, .on_thread_start = [&](unsigned index) { threads[index].store(pthread_self()); }}};
    static_thread_pool busy{{.threads = 1}};
    const auto work = [&busy] {
        for (int i = 0; i < 3'000; ++i) busy.submit([] {}).get();
    };
    // Workers fall asleep once each; wait until both have, and the numbers stand still over a stretch of work.
    std::uint64_t parked = 0;
    do {
        parked = idle.stats().parked;
        work();
    } while (parked < 2 || idle.stats().parked != parked);
    const timespec before[] = {cpu_time_of(threads[0].load()), cpu_time_of(threads[1].load())};
    work();
    for (std::size_t i = 0; i < 2; ++i) {
        const timespec after = cpu_time_of(threads[i].load());
        EXPECT_EQ(after.tv_sec, before[i].tv_sec);
        EXPECT_EQ(after.tv_nsec, before[i].tv_nsec);
    }
    EXPECT_EQ(idle.stats().parked, parked);
}

}  // namespace
