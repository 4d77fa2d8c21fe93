#include <exec/algo/counting_scope.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/spawn.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::counting_scope;
using coex::spawn;
using coex::task;

constexpr int rounds = 3000;

// The join, the end of the last work and the destruction of the scope come as close together as can be.
TEST(counting_scope_races, the_scope_may_go_as_soon_as_a_join_has_completed) {
    coex::static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < rounds; ++i) {
        std::atomic<int> ran{0};
        {
            counting_scope scope;
            for (int j = 0; j < 3; ++j) {
                spawn(coex::starts_on(pool.get_scheduler(), coex::just() | coex::then([&ran]() noexcept { ++ran; })),
                      scope.get_token());
            }
            coex::block_on(scope.join());
        }
        ASSERT_EQ(ran.load(), 3);
    }
}

TEST(counting_scope_races, joins_from_several_threads_all_complete) {
    coex::static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < rounds / 10; ++i) {
        counting_scope scope;
        spawn(coex::schedule(pool.get_scheduler()), scope.get_token());
        {
            const std::jthread first([&scope] { coex::block_on(scope.join()); });
            const std::jthread second([&scope] { coex::block_on(scope.join()); });
            coex::block_on(scope.join());
        }
    }
}

TEST(counting_scope_races, work_that_comes_while_the_scope_is_joined_runs_or_is_refused) {
    coex::static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < rounds / 10; ++i) {
        counting_scope scope;
        std::atomic<int> admitted{0};
        std::atomic<int> ended{0};
        spawn(coex::schedule(pool.get_scheduler()), scope.get_token());
        {
            const std::jthread other([&] {
                for (int j = 0; j < 20; ++j) {
                    if (auto association = scope.get_token().try_associate()) {
                        ++admitted;
                        spawn(coex::schedule(pool.get_scheduler()) | coex::then([&ended]() noexcept { ++ended; }),
                              scope.get_token());
                    }
                }
            });
            coex::block_on(scope.join());
            // Each admission kept the scope open for the spawn that follows it.
            ASSERT_EQ(admitted.load(), ended.load());
        }
    }
}

TEST(counting_scope_races, a_stop_request_meets_work_that_starts_waits_and_ends) {
    coex::static_thread_pool pool{{.threads = 2}};
    struct work {
        static task<void> wait(int i) {
            if (i % 2 == 0) co_await coex::sleep_for(std::chrono::hours(1));
        }
        static task<void> run(coex::static_thread_pool& on) {
            co_await on.schedule();
            counting_scope scope;
            for (int i = 0; i < 20; ++i) {
                spawn(coex::starts_on(on.get_scheduler(), wait(i)), scope.get_token());
                if (i == 10) scope.request_stop();
            }
            co_await scope.join();
        }
    };
    for (int i = 0; i < rounds / 10; ++i) coex::block_on(work::run(pool));
}

TEST(counting_scope_races, one_of_many_exceptions_is_rethrown_and_none_is_lost_or_torn) {
    coex::static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < rounds / 10; ++i) {
        counting_scope scope;
        for (int j = 0; j < 4; ++j) {
            spawn(
                coex::schedule(pool.get_scheduler()) | coex::then([j] { throw std::runtime_error(std::to_string(j)); }),
                scope.get_token());
        }
        EXPECT_THROW(coex::block_on(scope.join()), std::runtime_error);
    }
}

}  // namespace
