#include <exec/pool/submission.hpp>

#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;

TEST(submission, gives_the_result_or_the_exception) {
    static_thread_pool pool{{.threads = 2}};
    EXPECT_EQ(pool.submit([] { return std::string("done"); }).get(), "done");
    auto failing = pool.submit([]() -> int { throw std::runtime_error("boom"); });
    EXPECT_THROW(failing.get(), std::runtime_error);
    auto moved = pool.submit([] { return std::make_unique<int>(7); });
    EXPECT_EQ(*moved.get(), 7);
    int variable = 1;
    EXPECT_EQ(&pool.submit([&variable]() -> int& { return variable; }).get(), &variable);
}

TEST(submission, a_worker_that_waits_runs_other_work_of_its_pool) {
    static_thread_pool pool{{.threads = 1}};
    const int sum = pool.submit([&pool] {
                            auto one = pool.submit([] { return 1; });
                            auto two = pool.submit([&pool] { return pool.submit([] { return 2; }).get(); });
                            return one.get() + two.get();
                        })
                        .get();
    EXPECT_EQ(sum, 3);
}

TEST(submission, two_pools_of_one_worker_may_wait_for_each_other) {
    static_thread_pool a{{.name = "a", .threads = 1}};
    static_thread_pool b{{.name = "b", .threads = 1}};
    for (int i = 0; i < 500; ++i) {
        const int value =
            a.submit([&] { return b.submit([&] { return a.submit([] { return 42; }).get(); }).get(); }).get();
        ASSERT_EQ(value, 42);
    }
}

TEST(submission, a_pool_that_is_destroyed_waits_for_a_worker_that_waits_for_another_pool) {
    std::atomic<bool> go{false};
    std::atomic<int> seen{0};
    static_thread_pool slow{{.threads = 1}};
    std::thread release;
    {
        static_thread_pool pool{{.threads = 2}};
        std::atomic<bool> begun{false};
        pool.post([&] {
            begun.store(true);
            seen.store(slow.submit([&go] {
                               while (!go.load()) std::this_thread::yield();
                               return 5;
                           })
                           .get());
        });
        while (!begun.load()) std::this_thread::yield();
        release = std::thread([&go] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            go.store(true);
        });
    }
    EXPECT_EQ(seen.load(), 5);
    release.join();
}

TEST(submission, a_stop_request_reaches_the_function) {
    std::atomic<bool> begun{false};
    static_thread_pool pool{{.threads = 1}};
    auto handle = pool.submit([&begun](coex::inplace_stop_token token) {
        begun.store(true);
        while (!token.stop_requested()) std::this_thread::yield();
        return 1;
    });
    while (!begun.load()) std::this_thread::yield();
    EXPECT_TRUE(handle.request_stop());
    EXPECT_EQ(handle.get(), 1);
}

TEST(submission, a_dropped_handle_lets_the_function_run_on) {
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 2}};
        for (int i = 0; i < 1'000; ++i) static_cast<void>(pool.submit([&ran] { return ran.fetch_add(1); }));
    }
    EXPECT_EQ(ran.load(), 1'000);
}

TEST(submission, a_function_is_destroyed_before_its_end_is_told) {
    static_thread_pool pool{{.threads = 1}};
    for (int i = 0; i < 500; ++i) {
        auto witness = std::make_shared<int>(1);
        std::weak_ptr<int> watch = witness;
        pool.submit([witness = std::move(witness)] {}).get();
        ASSERT_TRUE(watch.expired());
    }
}

coex::task<int> await_it(static_thread_pool& home, static_thread_pool& other) {
    co_await home.schedule();
    auto handle = other.submit([&other] { return other.this_thread_index() ? 20 : 0; });
    const int value = co_await std::move(handle);
    co_return home.this_thread_index() ? value + 1 : -1;
}

TEST(submission, a_task_awaits_it_and_resumes_where_it_was) {
    static_thread_pool home{{.threads = 1}};
    static_thread_pool other{{.threads = 1}};
    for (int i = 0; i < 1'000; ++i) ASSERT_EQ(coex::block_on(await_it(home, other)), 21);
}

TEST(submission, waiting_from_many_threads_at_once) {
    std::vector<std::thread> threads;
    std::atomic<int> sum{0};
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 1'000; ++k) sum.fetch_add(pool.submit([] { return 1; }).get());
        });
    }
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(sum.load(), 4'000);
}

// Each of them waits on top of the one before it, on the stack of the only worker: as many as could be would not fit.
TEST(submission, more_tasks_than_fit_on_a_stack_may_wait_for_a_slower_pool) {
    constexpr int count = COEX_THREAD_SANITIZER ? 2'000 : 40'000;
    std::atomic<bool> go{false};
    std::atomic<int> begun{0};
    std::atomic<int> sum{0};
    static_thread_pool slow{{.threads = 1}};
    static_thread_pool pool{{.threads = 1, .stack_bytes = std::size_t{256} * 1024}};
    slow.post([&go] { go.wait(false); });
    for (int i = 0; i < count; ++i) {
        pool.post([&] {
            begun.fetch_add(1);
            sum.fetch_add(slow.submit([] { return 1; }).get());
        });
    }
    while (begun.load() < count) std::this_thread::yield();
    EXPECT_EQ(sum.load(), 0);
    go.store(true);
    go.notify_one();
    pool.submit([] {}).get();
    while (sum.load() < count) std::this_thread::yield();
}

}  // namespace
