// The parallel_for of functions that return coroutines: <exec/coro/parallel_for.hpp>.

#include "coro/manual_context.hpp"
#include "coro/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/fork_task.hpp>
#include <exec/coro/parallel_for.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/parallel_for.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/sync/manual_reset_event.hpp>
#include <exec/vocab/queries.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using coex::block_on;
using coex::fork_task;
using coex::parallel_for;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex_test::counted;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr bool slow = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER;

static_assert(std::is_void_v<decltype(parallel_for(0, 1, [](int) {}))>, "plain functions are called there and then");

/// Runs the body on a worker, where others may take over, and on a plain thread, where nobody can.
template <class Body>
void run_in_both_places(Body body) {
    block_on(body());
    static_thread_pool pool{{.name = "loops", .threads = 2}};
    const auto on_pool = [&]() -> task<> {
        co_await pool.schedule();
        co_await body();
    };
    block_on(on_pool());
}

fork_task<> mark(std::atomic<int>& cell) {
    cell.fetch_add(1);
    co_return;
}
fork_task<> mark_nothing() {
    co_return;
}
task<> mark_lazily(std::atomic<int>& cell) {
    cell.fetch_add(1);
    co_return;
}
fork_task<> mark_later(std::atomic<int>& cell, int index) {
    if (index % 3 == 0) co_await coex::sleep_for(microseconds(index % 100));
    cell.fetch_add(1);
}

TEST(loop_of_tasks, runs_each_index_once_whatever_the_length) {
    run_in_both_places([]() -> task<> {
        for (const int length : {0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 1000}) {
            std::vector<std::atomic<int>> cells(static_cast<std::size_t>(length));
            const auto at = [&cells](int i) -> std::atomic<int>& { return cells[static_cast<std::size_t>(i)]; };
            co_await parallel_for(0, length, [&at](int i) { return mark(at(i)); });
            co_await parallel_for(0, length, [&at](int i) { return mark_lazily(at(i)); });
            co_await parallel_for(0, length, [&at](int i) { return mark_later(at(i), i); });
            for (const auto& each : cells) EXPECT_EQ(each.load(), 3) << length;
        }
    });
}

TEST(loop_of_tasks, takes_any_bounds) {
    run_in_both_places([]() -> task<> {
        std::atomic<long> sum{0};
        std::atomic<int> calls{0};
        const auto add = [&](long i) -> task<> {
            sum.fetch_xor(i);
            calls.fetch_add(1);
            co_return;
        };
        co_await parallel_for(-3L, 4L, add);
        EXPECT_EQ(calls.load(), 7);
        EXPECT_EQ(sum.exchange(0), -3L ^ -2L ^ -1L ^ 0L ^ 1L ^ 2L ^ 3L);
        co_await parallel_for(5L, 5L, add);
        co_await parallel_for(5L, -5L, add);
        EXPECT_EQ(calls.load(), 7);
        constexpr long most = std::numeric_limits<long>::max();
        co_await parallel_for(most - 2, most, add);
        EXPECT_EQ(calls.load(), 9);
        EXPECT_EQ(sum.load(), (most - 1) ^ (most - 2));
    });
}

TEST(loop_of_tasks, goes_through_a_range) {
    run_in_both_places([]() -> task<> {
        std::vector<int> numbers(100);
        co_await parallel_for(numbers, [](int& each) -> fork_task<> {
            each = 7;
            co_return;
        });
        EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0), 700);
        std::atomic<int> sum{0};
        const auto add = [&sum](const std::unique_ptr<int>& each) -> fork_task<> {
            co_await coex::sleep_for(microseconds(10));
            sum.fetch_add(*each);
        };
        std::vector<std::unique_ptr<int>> owned;
        for (int i = 0; i < 10; ++i) owned.push_back(std::make_unique<int>(i));
        co_await parallel_for(std::move(owned), add);
        EXPECT_EQ(sum.load(), 45) << "a range given as an rvalue is kept until the end";
    });
}

TEST(loop_of_tasks, runs_in_order_where_nobody_else_is) {
    static_thread_pool pool{{.threads = 1}};
    std::vector<int> order;
    const auto body = [&]() -> task<> {
        co_await pool.schedule();
        co_await parallel_for(0, 20, [&order](int i) -> fork_task<> {
            order.push_back(i);
            co_return;
        });
    };
    block_on(body());
    std::vector<int> expected(20);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(order, expected);
}

TEST(loop_of_tasks, begins_all_when_all_wait) {
    run_in_both_places([]() -> task<> {
        coex::manual_reset_event all_here;
        std::atomic<int> here{0};
        co_await parallel_for(0, 500, [&](int) -> task<> {
            if (here.fetch_add(1) + 1 == 500) all_here.set();
            co_await all_here;
        });
        EXPECT_EQ(here.load(), 500);
    });
}

TEST(loop_of_tasks, keeps_the_function_until_the_end) {
    run_in_both_places([]() -> task<> {
        {
            std::atomic<int> sum{0};
            // Named first: g++ 12 would destroy what it holds twice if it were written within the await.
            auto add = [held = counted(3), &sum](int) -> task<> {
                co_await coex::sleep_for(microseconds(5));
                sum.fetch_add(held.value);
            };
            co_await parallel_for(0, 40, std::move(add));
            EXPECT_EQ(sum.load(), 120);
        }
        EXPECT_EQ(counted::live, 0);
    });
}

TEST(loop_of_tasks, resumes_the_parent_where_it_was) {
    static_thread_pool pool{{.threads = 1}};
    static_thread_pool other{{.threads = 1}};
    const auto body = [&]() -> task<bool> {
        co_await pool.schedule();
        co_await parallel_for(0, 10, [&](int) -> task<> { co_await other.schedule(); });
        co_return pool.this_thread_index().has_value();
    };
    EXPECT_TRUE(block_on(body()));
}

fork_task<> fails_at(int i, int at, bool late, std::atomic<int>& ended) {
    const counted held(i);
    if (late) co_await coex::sleep_for(milliseconds(1));
    if (i == at) throw std::runtime_error(std::to_string(i));
    ended.fetch_add(1);
}

TEST(loop_of_tasks, rethrows_when_all_that_had_begun_have_ended) {
    run_in_both_places([]() -> task<> {
        for (const bool late : {false, true}) {
            for (const int at : {0, 7, 19}) {
                std::atomic<int> ended{0};
                std::string error;
                try {
                    co_await parallel_for(0, 20, [&](int i) { return fails_at(i, at, late, ended); });
                } catch (const std::runtime_error& thrown) {
                    error = thrown.what();
                }
                EXPECT_EQ(error, std::to_string(at));
                EXPECT_EQ(counted::live, 0);
                EXPECT_LE(ended.load(), 19);
                if (late) {
                    EXPECT_EQ(ended.load(), 19) << "all had begun";
                }
            }
        }
    });
}

TEST(loop_of_tasks, leaves_out_what_had_not_begun_before_the_failure) {
    int begun = 0;
    const auto body = [&begun]() -> task<> {
        co_await parallel_for(0, 100, [&begun](int i) -> fork_task<> {
            ++begun;
            if (i == 4) throw std::runtime_error("four");
            co_return;
        });
    };
    EXPECT_THROW(block_on(body()), std::runtime_error);
    EXPECT_EQ(begun, 5);
}

TEST(loop_of_tasks, takes_an_exception_of_the_function_for_one_of_its_coroutine) {
    run_in_both_places([]() -> task<> {
        std::string error;
        try {
            co_await parallel_for(0, 10, [](int i) {
                if (i == 3) throw std::runtime_error("three");
                return mark_nothing();
            });
        } catch (const std::runtime_error& thrown) {
            error = thrown.what();
        }
        EXPECT_EQ(error, "three");
    });
}

fork_task<> until_stopped(int i) {
    const counted held(i);
    co_await coex::sleep_for(hours(1));
    ADD_FAILURE() << "was not stopped";
}

TEST(loop_of_tasks, a_stop_request_reaches_all_coroutines) {
    static_thread_pool pool{{.threads = 2}};
    for (const int length : {1, 2, 100}) {
        coex::inplace_stop_source source;
        const auto body = [&]() -> task<> {
            co_await pool.schedule();
            co_await parallel_for(0, length, until_stopped);
            ADD_FAILURE() << "went on";
        };
        std::thread stopper([&] {
            while (counted::live != length) std::this_thread::yield();
            source.request_stop();
        });
        EXPECT_FALSE(sync_wait(body(), source.get_token()).has_value());
        stopper.join();
        EXPECT_EQ(counted::live, 0);
    }
}

TEST(loop_of_tasks, an_error_wins_over_a_stop_of_another_that_had_begun) {
    run_in_both_places([]() -> task<> {
        bool failed = false;
        try {
            co_await parallel_for(0, 2, [](int i) -> fork_task<> {
                if (i == 0) {
                    co_await coex::sleep_for(milliseconds(1));
                    co_await coex::just_stopped();
                }
                throw std::runtime_error("failed");
            });
        } catch (const std::runtime_error&) {
            failed = true;
        }
        EXPECT_TRUE(failed);
    });
}

TEST(loop_of_tasks, is_a_sender) {
    std::atomic<int> cell{0};
    block_on(parallel_for(0, 5, [&cell](int) { return mark(cell); }));
    EXPECT_TRUE(sync_wait(parallel_for(0, 5, [&cell](int) { return mark_lazily(cell); })).has_value());
    EXPECT_EQ(cell.load(), 10);
}

TEST(loop_of_tasks, holds_no_stack_of_its_own_in_a_deep_nest) {
    static_thread_pool pool{{.threads = 2}};
    struct nest {
        std::atomic<int> leaves{0};
        fork_task<> at(int depth) {
            if (depth == 0) {
                leaves.fetch_add(1);
                co_return;
            }
            co_await parallel_for(0, 1, [this, depth](int) { return at(depth - 1); });
        }
        task<> root(static_thread_pool& on) {
            co_await on.schedule();
            co_await at(slow ? 20'000 : 200'000);
        }
    } deep;
    block_on(deep.root(pool));
    EXPECT_EQ(deep.leaves.load(), 1);
}

// Occupies its thread until all `count` of them run at once.
fork_task<> meet(std::atomic<int>& arrived, int count) {
    arrived.fetch_add(1);
    while (arrived.load() < count) std::this_thread::yield();
    co_return;
}

TEST(loop_of_tasks, idle_workers_take_over_while_one_coroutine_computes) {
    static_thread_pool pool{{.threads = 3}};
    for (int round = 0; round < (slow ? 20 : 200); ++round) {
        std::atomic<int> arrived{0};
        const auto body = [&]() -> task<> {
            co_await pool.schedule();
            co_await parallel_for(0, 3, [&arrived](int) { return meet(arrived, 3); });
        };
        block_on(body());
        EXPECT_EQ(arrived.load(), 3);
    }
}

}  // namespace
