#include <exec/pool/pool_options.hpp>

#include <exec/base/config.hpp>
#include <exec/pool/broadcast.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/pool_observer.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/pool/with_pool.hpp>

#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::pool_options;
using coex::static_thread_pool;
using coex::thread_body;
using coex_test::name_of_this_thread;

TEST(pool_options, thread_name_names_each_worker_and_is_called_in_order_on_the_making_thread) {
    std::vector<unsigned> asked;
    const auto maker = std::this_thread::get_id();
    static_thread_pool pool{{.threads = 3, .thread_name = [&](unsigned index) {
                                 EXPECT_EQ(std::this_thread::get_id(), maker);
                                 asked.push_back(index);
                                 return "hand-named-" + std::to_string(index);
                             }}};
    EXPECT_EQ(asked, (std::vector<unsigned>{0, 1, 2}));
    auto index = pool.submit([&pool] { return *pool.this_thread_index(); });
    auto name =
        pool.submit([&pool] { return name_of_this_thread() + "=" + std::to_string(*pool.this_thread_index()); });
    static_cast<void>(index.get());
    const std::string seen = name.get();
    EXPECT_EQ(seen.substr(0, 11), "hand-named-");
    EXPECT_EQ(seen[11], seen[13]);
}

TEST(pool_options, a_throwing_thread_name_leaves_the_constructor_and_no_thread_behind) {
    std::atomic<int> started{0};
    std::atomic<int> stopped{0};
    const auto make = [&] {
        static_thread_pool pool{{.name = "unnamed",
                                 .threads = 10,
                                 .on_thread_start = [&](unsigned) { started.fetch_add(1); },
                                 .on_thread_stop = [&](unsigned) { stopped.fetch_add(1); },
                                 .thread_name = [](unsigned index) -> std::string {
                                     if (index >= 5) throw std::runtime_error("no name");
                                     return "unnamed/" + std::to_string(index);
                                 }}};
    };
    EXPECT_THROW(make(), std::runtime_error);
    EXPECT_EQ(started.load(), 0) << "names come before the first thread";
    EXPECT_EQ(stopped.load(), 0);
    coex_test::wait_for_no_thread_named("unnamed");
}

thread_local int inherited = 0;

TEST(pool_options, spawn_thread_runs_the_workers_on_threads_of_the_users) {
    std::vector<std::thread> threads;
    std::vector<unsigned> order;
    std::atomic<int> after{0};
    {
        static_thread_pool pool{
            {.name = "mine", .threads = 3, .stack_bytes = 1 << 20, .spawn_thread = [&](thread_body body) {
                 order.push_back(body.index());
                 EXPECT_EQ(body.name(), "mine/" + std::to_string(body.index()));
                 EXPECT_EQ(body.stack_bytes(), std::size_t{1} << 20);
                 threads.emplace_back([body = std::move(body), &after]() mutable {
                     inherited = 7;
                     body.run();
                     after.fetch_add(inherited == 7 ? 1 : 0);
                 });
             }}};
        EXPECT_EQ(order, (std::vector<unsigned>{0, 1, 2}));
        for (int i = 0; i < 100; ++i) EXPECT_EQ(pool.submit([] { return inherited; }).get(), 7);
    }
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(after.load(), 3);
}

TEST(pool_options, a_thread_of_the_users_is_no_worker_any_more_after_run) {
    auto pool = std::unique_ptr<static_thread_pool>();
    std::atomic<bool> was_worker{false};
    std::atomic<bool> is_worker{true};
    std::thread thread;
    static_thread_pool other{{.threads = 1}};
    pool = std::make_unique<static_thread_pool>(pool_options{.threads = 1, .spawn_thread = [&](thread_body body) {
                                                                 thread =
                                                                     std::thread([&, body = std::move(body)]() mutable {
                                                                         body.run();
                                                                         // On a worker this would be run inline.
                                                                         is_worker.store(coex::detail::on_a_worker());
                                                                     });
                                                             }});
    was_worker.store(pool->submit([] { return coex::detail::on_a_worker(); }).get());
    pool.reset();
    thread.join();
    EXPECT_TRUE(was_worker.load());
    EXPECT_FALSE(is_worker.load());
}

TEST(pool_options, a_spawn_thread_that_throws_leaves_the_constructor_and_no_worker_behind) {
    std::vector<std::thread> threads;
    std::atomic<int> started{0};
    std::atomic<int> stopped{0};
    const auto make = [&] {
        static_thread_pool pool{{.threads = 4,
                                 .on_thread_start = [&](unsigned) { started.fetch_add(1); },
                                 .on_thread_stop = [&](unsigned) { stopped.fetch_add(1); },
                                 .spawn_thread =
                                     [&](thread_body body) {
                                         if (body.index() == 2) throw std::runtime_error("no thread");
                                         threads.emplace_back([body = std::move(body)]() mutable { body.run(); });
                                     }}};
    };
    EXPECT_THROW(make(), std::runtime_error);
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(started.load(), 2);
    EXPECT_EQ(stopped.load(), 2);
}

TEST(pool_options, a_spawn_thread_that_drops_the_body_is_refused) {
    EXPECT_THROW(static_thread_pool({.threads = 2, .spawn_thread = [](thread_body) {}}), std::invalid_argument);
    EXPECT_THROW(static_thread_pool({.threads = 2, .cpus = {0}, .spawn_thread = [](thread_body) {}}),
                 std::invalid_argument);
}

TEST(pool_options, all_may_be_given_at_once) {
    struct silent final : coex::pool_observer {
    } observer;
    std::atomic<int> errors{0};
    std::atomic<int> started{0};
    std::atomic<int> stopped{0};
    {
        static_thread_pool pool{
            {.name = "all",
             .threads = 1,
             .max_threads = 2,
             .keep_alive = std::chrono::milliseconds(100),
             .stack_bytes = std::size_t{1} << 20,
             .queue_limit = 10,
             .io_depth = 8,
             .on_thread_start = [&started](unsigned) { started.fetch_add(1); },
             .on_thread_stop = [&stopped](unsigned) { stopped.fetch_add(1); },
             .on_exception = [&errors](std::exception_ptr) { errors.fetch_add(1); },
             .thread_name = [](unsigned index) { return "all-" + std::to_string(index); },
             .spawn_thread =
                 [](thread_body body) { std::thread([body = std::move(body)]() mutable { body.run(); }).detach(); },
             .observer = &observer}};
        pool.post([] { throw std::runtime_error("handled"); });
        EXPECT_EQ(pool.submit([] { return 22; }).get(), 22);
        static_thread_pool pinned{{.threads = 1, .cpus = {0}, .use_current_thread = true}};
        EXPECT_EQ(pinned.install([] { return 22; }), 22);
    }
    EXPECT_EQ(errors.load(), 1);
    EXPECT_GE(started.load(), 1);
    EXPECT_EQ(started.load(), stopped.load());
}

TEST(pool_options, throwing_start_and_stop_handlers_are_told_and_the_pool_lives) {
    std::atomic<int> told{0};
    {
        static_thread_pool pool{{.threads = 3,
                                 .on_thread_start = [](unsigned) { throw std::runtime_error("start"); },
                                 .on_thread_stop = [](unsigned) { throw std::runtime_error("stop"); },
                                 .on_exception = [&told](std::exception_ptr) { told.fetch_add(1); }}};
        EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
    }
    EXPECT_EQ(told.load(), 6);
}

TEST(pool_options, a_start_handler_may_be_slow_and_ask_for_its_index) {
    std::binary_semaphore go{0};
    std::atomic<int> index{-1};
    static_thread_pool* self = nullptr;
    static_thread_pool pool{{.threads = 1, .on_thread_start = [&](unsigned) {
                                 go.acquire();
                                 index.store(static_cast<int>(self->this_thread_index().value()));
                             }}};
    self = &pool;
    auto handle = pool.submit([&index] { return index.load(); });
    EXPECT_EQ(index.load(), -1) << "the constructor does not wait for the handler";
    go.release();
    EXPECT_EQ(handle.get(), 0) << "but tasks do";
}

TEST(with_pool, returns_what_the_function_returns_when_all_tasks_have_ended) {
    std::vector<int> squares(100);
    const int answer = coex::with_pool({.name = "scoped", .threads = 3}, [&](static_thread_pool& pool) {
        for (int i = 0; i < 100; ++i) pool.post([&squares, i] { squares[static_cast<std::size_t>(i)] = i * i; });
        return 42;
    });
    EXPECT_EQ(answer, 42);
    EXPECT_EQ(squares[99], 9801);
    std::atomic<int> ran{0};
    EXPECT_THROW(coex::with_pool({.threads = 2},
                                 [&](static_thread_pool& pool) {
                                     for (int i = 0; i < 100; ++i) pool.post([&ran] { ran.fetch_add(1); });
                                     throw std::runtime_error("boom");
                                 }),
                 std::runtime_error);
    EXPECT_EQ(ran.load(), 100);
    EXPECT_THROW(coex::with_pool({.threads = 100'000}, [](static_thread_pool&) {}), std::invalid_argument);
    coex_test::wait_for_no_thread_named("scoped");
}

thread_local int lent_to_workers = 0;

TEST(with_pool, its_workers_inherit_what_their_threads_are_given_and_see_no_later_change) {
    lent_to_workers = 22;
    std::atomic<int> seen{0};
    const auto lend = [value = lent_to_workers](thread_body body) {
        std::thread([value, body = std::move(body)]() mutable {
            lent_to_workers = value;
            body.run();
        }).detach();
    };
    coex::with_pool({.threads = 3, .spawn_thread = lend}, [&seen](static_thread_pool& pool) {
        lent_to_workers = 1;
        for (const int value : pool.broadcast([](coex::broadcast_context) { return lent_to_workers; })) seen += value;
    });
    EXPECT_EQ(seen.load(), 66);
    EXPECT_EQ(lent_to_workers, 1);
}

// Needs so many mebibytes of stack, and a little more.
COEX_NOINLINE std::size_t use_stack(std::size_t mebibytes) {
    if (mebibytes == 0) return 0;
    volatile char room[std::size_t{1} << 20];
    // Every page: a step over the guard page would end in what lies behind it.
    for (std::size_t at = sizeof room; at > 0; at -= 4096) room[at - 4096] = 1;
    const std::size_t below = use_stack(mebibytes - 1);
    return below + static_cast<std::size_t>(room[0]);
}

TEST(pool_options_death, a_stack_of_its_size_carries_a_recursion_and_a_smaller_one_ends_the_process) {
#if COEX_ADDRESS_SANITIZER || COEX_THREAD_SANITIZER
    GTEST_SKIP() << "frames have other sizes, and the end is another";
#endif
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    static_thread_pool large{{.threads = 1, .stack_bytes = std::size_t{48} << 20}};
    EXPECT_EQ(large.install([] { return use_stack(33); }), 33U);
    EXPECT_DEATH(
        {
            static_thread_pool small(pool_options{.threads = 1, .stack_bytes = std::size_t{8} << 20});
            static_cast<void>(small.install([] { return use_stack(33); }));
        },
        "");
}

TEST(pool_options_death, misused_bodies_and_pools_abort_with_a_message) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(static_thread_pool({.threads = 1, .spawn_thread = [](thread_body body) { body.run(); }}),
                 "would never return");
    EXPECT_DEATH(
        {
            auto pool = std::make_unique<static_thread_pool>(pool_options{.threads = 1, .use_current_thread = true});
            std::thread([&pool] { pool.reset(); }).join();
        },
        "made with use_current_thread, and destroyed on another thread");
    const auto throws = [](std::exception_ptr) { throw std::runtime_error("thrown by the handler"); };
    EXPECT_DEATH(
        {
            static_thread_pool pool(pool_options{.threads = 1, .on_exception = throws});
            pool.post([] { throw std::runtime_error("first"); });
        },
        "thrown by the handler");
}

}  // namespace
