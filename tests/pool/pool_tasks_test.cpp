#include <exec/base/config.hpp>
#include <exec/pool/pool_tasks.hpp>

#include <exec/coro/task.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using coex::static_thread_pool;
using coex::task;
using namespace std::chrono_literals;

task<int> twice_the_index(static_thread_pool& pool, int value) {
    co_return pool.this_thread_index().has_value() ? 2 * value : -1;
}

task<> count_up(std::atomic<int>& count) {
    count.fetch_add(1);
    co_return;
}

task<int> wait_forever(std::atomic<int>& begun) {
    begun.fetch_add(1);
    co_await coex::sleep_for(std::chrono::hours(24));
    co_return 1;
}

TEST(pool_tasks, a_submitted_task_runs_on_the_pool_and_gives_its_result) {
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(pool.submit(twice_the_index(pool, i)).get(), 2 * i);
        auto text = pool.submit([]() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); });
        EXPECT_EQ(*text.get(), 3);
    }
    int variable = 0;
    auto reference = pool.submit([&variable]() -> task<int&> { co_return variable; });
    EXPECT_EQ(&reference.get(), &variable);
}

TEST(pool_tasks, a_submitted_task_that_suspends_gives_its_result_or_its_exception) {
    static_thread_pool pool{{.threads = 2}};
    static_thread_pool other{{.threads = 1}};
    const auto hops = [&](bool fail) -> task<std::string> {
        co_await coex::sleep_for(1ms);
        co_await other.schedule();
        if (fail) throw std::runtime_error("boom");
        co_return std::string("from the other pool");
    };
    EXPECT_EQ(pool.submit([&hops] { return hops(false); }).get(), "from the other pool");
    auto failing = pool.submit([&hops] { return hops(true); });
    EXPECT_THROW(failing.get(), std::runtime_error);
}

TEST(pool_tasks, a_posted_task_runs_on_the_pool_before_its_destructor_returns) {
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 2}};
        for (int i = 0; i < 1'000; ++i) {
            pool.post(count_up(ran));
            pool.post([&ran]() -> task<> { co_await count_up(ran); });
        }
    }
    EXPECT_EQ(ran.load(), 2'000);
}

TEST(pool_tasks, the_captures_of_a_posted_coroutine_live_until_it_has_ended) {
    std::atomic<int> seen{0};
    const auto held = std::make_shared<int>(5);
    {
        static_thread_pool pool{{.threads = 1}};
        static_thread_pool keeps_time{{.threads = 1}};
        auto handle = pool.submit([held, &keeps_time, &seen]() -> task<> {
            co_await keeps_time.schedule();
            seen.store(*held);
        });
        handle.get();
    }
    EXPECT_EQ(seen.load(), 5);
    EXPECT_EQ(held.use_count(), 1);
}

TEST(pool_tasks, an_exception_of_a_posted_task_goes_to_the_handler) {
    std::atomic<int> handled{0};
    {
        static_thread_pool pool{{.threads = 1, .on_exception = [&](std::exception_ptr) { handled.fetch_add(1); }}};
        pool.post([]() -> task<> {
            throw std::runtime_error("boom");
            co_return;
        });
        pool.post([]() -> task<> {
            co_await coex::sleep_for(1ms);
            throw std::runtime_error("boom");
        });
        while (handled.load() != 2) std::this_thread::yield();
    }
    EXPECT_EQ(handled.load(), 2);
}

TEST(pool_tasks, a_task_that_is_cancelled_before_its_turn_never_runs) {
    std::atomic<int> ran{0};
    static_thread_pool pool{{.threads = 1}};
    coex::inplace_stop_source source;
    source.request_stop();
    pool.post(count_up(ran), source.get_token());
    pool.post([&ran]() -> task<> { co_await count_up(ran); }, source.get_token());
    EXPECT_TRUE(pool.submit(count_up(ran), source.get_token()).get_result().was_stopped());
    EXPECT_EQ(ran.load(), 0);
}

TEST(pool_tasks, a_task_that_is_cancelled_while_it_waits_ends_as_stopped) {
    std::atomic<int> begun{0};
    static_thread_pool pool{{.threads = 1}};
    for (int i = 0; i < 100; ++i) {
        auto handle = pool.submit(wait_forever(begun));
        while (i % 2 == 0 && begun.load() == i) std::this_thread::yield();
        handle.request_stop();
        EXPECT_TRUE(handle.get_result().was_stopped());
        begun.store(i + 1);
    }
}

TEST(pool_tasks, a_coroutine_that_takes_a_token_gets_that_of_its_handle) {
    static_thread_pool pool{{.threads = 1}};
    auto handle = pool.submit([](coex::inplace_stop_token token) -> task<bool> {
        while (!token.stop_requested()) co_await coex::sleep_for(1ms);
        co_return true;
    });
    handle.request_stop();
    const auto ended = handle.get_result();
    EXPECT_TRUE(ended.was_stopped() || ended.value()) << "stopped in the queue, in its sleep, or between";
}

TEST(pool_tasks, the_destructor_of_the_pool_stops_what_a_posted_task_waits_for) {
    std::atomic<int> begun{0};
    auto handle = [&] {
        static_thread_pool pool{{.threads = 1}};
        auto inner = pool.submit(wait_forever(begun));
        while (begun.load() == 0) std::this_thread::yield();
        return inner;
    }();
    EXPECT_TRUE(handle.get_result().was_stopped());
}

coex::task<> hop_and_end(coex::static_thread_pool& there, std::atomic<int>& ended) {
    co_await there.schedule();
    ended.fetch_add(1);
}

TEST(pool_tasks, stress_tasks_that_end_elsewhere_while_their_starter_still_looks) {
    constexpr int many = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 2'000 : 50'000;
    std::atomic<int> ended{0};
    {
        coex::static_thread_pool there{{.threads = 2}};
        coex::static_thread_pool pool{{.threads = 2}};
        for (int i = 0; i < many; ++i) {
            pool.post(hop_and_end(there, ended));
            pool.submit(hop_and_end(there, ended)).get();
        }
        while (ended.load() != 2 * many) std::this_thread::yield();
    }
    EXPECT_EQ(ended.load(), 2 * many);
}

}  // namespace
