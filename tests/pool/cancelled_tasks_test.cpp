#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/result.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::inplace_stop_source;
using coex::inplace_stop_token;
using coex::static_thread_pool;

/// Keeps the only worker of a pool busy until it is let go.
class busy_worker {
public:
    explicit busy_worker(static_thread_pool& pool) {
        pool.post([this] {
            begun_.release();
            go_.acquire();
        });
        begun_.acquire();
    }
    void let_go() { go_.release(); }

private:
    std::binary_semaphore begun_{0};
    std::binary_semaphore go_{0};
};

TEST(cancelled_tasks, a_submitted_function_that_is_cancelled_in_the_queue_never_runs) {
    static_thread_pool pool{{.threads = 1}};
    busy_worker busy(pool);
    std::atomic<int> ran{0};
    auto cancelled = pool.submit([&ran] { ran.fetch_add(1); });
    auto kept = pool.submit([&ran] { return ran.fetch_add(10); });
    EXPECT_TRUE(cancelled.request_stop());
    EXPECT_FALSE(cancelled.request_stop()) << "only the first request is one";
    busy.let_go();
    EXPECT_THROW(cancelled.get(), coex::operation_stopped);
    EXPECT_EQ(kept.get(), 0);
    EXPECT_EQ(ran.load(), 10);
}

TEST(cancelled_tasks, the_result_form_tells_value_exception_and_stop_apart) {
    static_thread_pool pool{{.threads = 1}};
    busy_worker busy(pool);
    auto value = pool.submit([] { return std::string("done"); });
    auto error = pool.submit([]() -> std::string { throw std::runtime_error("boom"); });
    auto nothing = pool.submit([] {});
    auto stopped = pool.submit([] { return std::make_unique<int>(1); });
    stopped.request_stop();
    busy.let_go();
    EXPECT_EQ(value.get_result().value(), "done");
    EXPECT_TRUE(error.get_result().has_error());
    EXPECT_TRUE(nothing.get_result().has_value());
    EXPECT_TRUE(stopped.get_result().was_stopped());
}

TEST(cancelled_tasks, a_token_from_outside_cancels_all_that_were_submitted_with_it) {
    static_thread_pool pool{{.threads = 1}};
    busy_worker busy(pool);
    inplace_stop_source source;
    std::atomic<int> ran{0};
    std::vector<coex::submission<void>> handles;
    for (int i = 0; i < 10; ++i) handles.push_back(pool.submit([&ran] { ran.fetch_add(1); }, source.get_token()));
    auto other = pool.submit([] { return 1; });
    source.request_stop();
    busy.let_go();
    for (auto& each : handles) EXPECT_TRUE(each.get_result().was_stopped());
    EXPECT_EQ(other.get(), 1);
    EXPECT_EQ(ran.load(), 0);
}

TEST(cancelled_tasks, a_running_function_sees_both_its_handle_and_the_token_from_outside) {
    std::atomic<int> begun{0};
    inplace_stop_source source;
    static_thread_pool pool{{.threads = 2}};
    const auto until_stopped = [&begun](inplace_stop_token token) {
        begun.fetch_add(1);
        while (!token.stop_requested()) std::this_thread::yield();
        return 1;
    };
    auto one = pool.submit(until_stopped, source.get_token());
    auto two = pool.submit(until_stopped, source.get_token());
    while (begun.load() != 2) std::this_thread::yield();
    one.request_stop();
    EXPECT_EQ(one.get(), 1);
    EXPECT_FALSE(two.is_ready());
    source.request_stop();
    EXPECT_EQ(two.get(), 1);
}

TEST(cancelled_tasks, a_posted_function_that_is_cancelled_in_the_queue_never_runs) {
    std::atomic<int> ran{0};
    const auto held = std::make_shared<int>(1);
    static_thread_pool pool{{.threads = 1}};
    busy_worker busy(pool);
    inplace_stop_source source;
    inplace_stop_source never;
    pool.post([&ran, held] { ran.fetch_add(1); }, source.get_token());
    pool.post([&ran, held](inplace_stop_token) { ran.fetch_add(1); }, source.get_token());
    pool.post([&ran](inplace_stop_token token) { ran.fetch_add(token.stop_requested() ? 1 : 10); }, never.get_token());
    source.request_stop();
    busy.let_go();
    pool.submit([] {}).get();
    EXPECT_EQ(ran.load(), 10);
    EXPECT_EQ(held.use_count(), 1) << "what never runs is destroyed all the same";
}

TEST(cancelled_tasks, a_task_that_awaits_a_cancelled_function_unwinds) {
    std::atomic<int> unwound{0};
    static_thread_pool pool{{.threads = 1}};
    const auto awaits = [](static_thread_pool& where, std::atomic<int>& counted, bool before) -> coex::task<int> {
        struct at_end {
            std::atomic<int>& count;
            explicit at_end(std::atomic<int>& counter) : count(counter) {}
            ~at_end() { count.fetch_add(1); }
        } const end(counted);
        busy_worker busy(where);
        auto handle = where.submit([] { return 1; });
        handle.request_stop();
        busy.let_go();
        while (before && !handle.is_ready()) std::this_thread::yield();
        co_return co_await std::move(handle);
    };
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(coex::sync_wait(awaits(pool, unwound, i % 2 == 0)).has_value());
        EXPECT_THROW(coex::block_on(awaits(pool, unwound, i % 2 == 0)), coex::operation_stopped);
    }
    EXPECT_EQ(unwound.load(), 200);
}

TEST(cancelled_tasks, a_stop_of_the_awaiting_task_is_passed_on_to_a_queued_function) {
    std::atomic<int> ran{0};
    static_thread_pool pool{{.threads = 1}};
    for (int i = 0; i < 100; ++i) {
        busy_worker busy(pool);
        inplace_stop_source source;
        std::thread stopper([&] {
            while (pool.stats().queued == 0) std::this_thread::yield();
            source.request_stop();
            busy.let_go();
        });
        const auto awaits = [](static_thread_pool& where, std::atomic<int>& calls) -> coex::task<> {
            auto handle = where.submit([&calls] { calls.fetch_add(1); });
            co_await std::move(handle);
        };
        // The stop may come before the await begins: then the await passes it on.
        static_cast<void>(coex::sync_wait(awaits(pool, ran), source.get_token()));
        stopper.join();
    }
    EXPECT_LE(ran.load(), 100);
}

TEST(cancelled_tasks, cancelling_races_with_starting_and_each_function_either_runs_or_is_stopped) {
    int stopped = 0;
    std::atomic<int> ran{0};
    static_thread_pool pool{{.threads = 2}};
    constexpr int rounds = 5'000;
    for (int i = 0; i < rounds; ++i) {
        auto handle = pool.submit([&ran] { ran.fetch_add(1); });
        handle.request_stop();
        if (handle.get_result().was_stopped()) ++stopped;
    }
    EXPECT_EQ(stopped + ran.load(), rounds);
}

TEST(cancelled_tasks_death, an_empty_function_aborts_with_a_message) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(static_thread_pool({.threads = 1}).post(std::function<void()>()), "given an empty function");
    EXPECT_DEATH(static_cast<void>(static_thread_pool({.threads = 1}).submit(static_cast<int (*)()>(nullptr))),
                 "given an empty function");
    EXPECT_DEATH(static_thread_pool({.threads = 1}).post(std::function<void()>(), inplace_stop_token()),
                 "given an empty function");
}

}  // namespace
