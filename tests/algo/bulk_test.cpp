#include <exec/algo/bulk.hpp>

#include "algo/support.hpp"
#include "coro/manual_context.hpp"

#include <exec/algo/continues_on.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace coex_test;
using coex::bulk;
using coex::bulk_chunked;
using coex::bulk_unchunked;
using coex::just;
using coex::just_error;
using coex::just_stopped;

constexpr auto silent = [](int, auto&...) noexcept {};
constexpr auto may_throw = [](int, auto&...) {};

static_assert(completes_with<decltype(just(1) | bulk(coex::seq, 3, silent)), coex::set_value_t(int)>);
static_assert(completes_with<decltype(just(1) | bulk(coex::par, 3, may_throw)), coex::set_value_t(int), can_throw>);
static_assert(completes_with<decltype(just_stopped() | bulk(coex::par, 3, silent)), can_stop>);
static_assert(coex::is_execution_policy_v<coex::parallel_policy> && !coex::is_execution_policy_v<int>);
template <class Policy>
concept accepted = requires(Policy policy) { bulk(just(), policy, 3, silent); };
static_assert(accepted<coex::sequenced_policy> && accepted<coex::parallel_policy> &&
              accepted<coex::unsequenced_policy> && accepted<coex::parallel_unsequenced_policy> && !accepted<int>);

TEST(bulk, calls_for_each_index_in_order_and_sends_the_values_on) {
    std::vector<int> seen;
    const auto sender = just(5) | bulk(coex::seq, 4, [&](int i, int& x) {
                            seen.push_back(i);
                            x += i;
                        });
    EXPECT_EQ(std::get<0>(*run<int>(sender).values), 5 + 0 + 1 + 2 + 3);
    EXPECT_EQ(seen, (std::vector{0, 1, 2, 3}));
}

TEST(bulk, of_nothing_calls_nothing) {
    const auto never = [](int) { ADD_FAILURE() << "called"; };
    EXPECT_EQ(run<>(just() | bulk(coex::seq, 0, never)).how, "value");
    coex::static_thread_pool pool{coex::pool_options{.name = "bulk", .threads = 2}};
    EXPECT_TRUE(coex::sync_wait(coex::schedule(pool.get_scheduler()) | bulk(coex::par, 0, never)));
}

TEST(bulk, turns_an_exception_into_an_error_and_makes_no_further_call) {
    int calls = 0;
    const auto sender = just(1) | bulk(coex::seq, 4, [&calls](int i, int&) {
                            ++calls;
                            if (i == 1) throw std::runtime_error("second");
                        });
    EXPECT_EQ(run<int>(sender).error, "second");
    EXPECT_EQ(calls, 2);
}

TEST(bulk, lets_errors_and_stops_pass) {
    const auto never = [](int) { ADD_FAILURE() << "called"; };
    EXPECT_EQ(run<>(just_error(1) | bulk(coex::par, 4, never)).error, "1");
    EXPECT_EQ(run<>(just_stopped() | bulk(coex::par, 4, never)).how, "stopped");
}

TEST(bulk, passes_references_on_that_it_does_not_keep) {
    int object = 0;
    const auto sender = just() | coex::then([&object]() noexcept -> int& { return object; }) |
                        bulk(coex::seq, 3, [](int i, int& x) noexcept { x += i; });
    EXPECT_EQ(&std::get<0>(*run<int&>(sender).values), &object);
    EXPECT_EQ(object, 3);
}

TEST(bulk_chunked, calls_for_chunks_that_make_up_the_whole) {
    std::vector<std::pair<int, int>> chunks;
    const auto sender =
        just() | bulk_chunked(coex::seq, 10, [&](int begin, int end) { chunks.emplace_back(begin, end); });
    EXPECT_EQ(run<>(sender).how, "value");
    EXPECT_EQ(chunks, (std::vector{std::pair(0, 10)}));
}

TEST(bulk_unchunked, calls_for_each_index) {
    int sum = 0;
    EXPECT_EQ(run<>(just() | bulk_unchunked(coex::seq, 5, [&](int i) { sum += i; })).how, "value");
    EXPECT_EQ(sum, 10);
}

struct parallel_bulk : testing::Test {
    coex::static_thread_pool pool{coex::pool_options{.name = "bulk", .threads = 3}};
    coex::context_scheduler there = pool.get_scheduler();
};

TEST_F(parallel_bulk, calls_for_each_index_once) {
    for (const std::size_t size : {1U, 2U, 47U, 48U, 49U, 1000U, 100'000U}) {
        std::vector<std::atomic<int>> marks(size);
        auto work = coex::schedule(there) | bulk(coex::par, size, [&](std::size_t i) { marks[i].fetch_add(1); });
        ASSERT_TRUE(coex::sync_wait(std::move(work)));
        for (auto& mark : marks) ASSERT_EQ(mark, 1);
    }
}

TEST_F(parallel_bulk, its_chunks_follow_each_other_without_gap_or_overlap) {
    constexpr int size = 1'003;
    std::mutex mutex;
    std::set<std::pair<int, int>> chunks;
    auto work = coex::schedule(there) | bulk_chunked(coex::par_unseq, size, [&](int begin, int end) {
                    const std::lock_guard lock(mutex);
                    chunks.emplace(begin, end);
                });
    ASSERT_TRUE(coex::sync_wait(std::move(work)));
    int next = 0;
    for (const auto& [begin, end] : chunks) {
        EXPECT_EQ(begin, next);
        EXPECT_LT(begin, end);
        next = end;
    }
    EXPECT_EQ(next, size);
    EXPECT_GT(chunks.size(), 1U);
}

// Each call waits for all others: possible only when each has a thread.
TEST_F(parallel_bulk, unchunked_calls_can_wait_for_each_other) {
    std::latch all(3);
    auto work = coex::schedule(there) | bulk_unchunked(coex::par, 3, [&](int) { all.arrive_and_wait(); });
    EXPECT_TRUE(coex::sync_wait(std::move(work)));
}

TEST_F(parallel_bulk, runs_on_several_threads_of_the_pool) {
    std::latch two(2);
    std::atomic<int> outside{0};
    auto work = coex::schedule(there) | bulk_chunked(coex::par, 2, [&](int, int) {
                    if (!pool.this_thread_index()) ++outside;
                    two.arrive_and_wait();
                });
    EXPECT_TRUE(coex::sync_wait(std::move(work)));
    EXPECT_EQ(outside, 0);
}

TEST_F(parallel_bulk, with_seq_or_unseq_stays_on_one_thread) {
    std::set<std::thread::id> threads;
    const auto note = [&](int) { threads.insert(std::this_thread::get_id()); };
    EXPECT_TRUE(coex::sync_wait(coex::schedule(there) | bulk(coex::seq, 1'000, note) | bulk(coex::unseq, 1'000, note)));
    EXPECT_EQ(threads.size(), 1U);
}

TEST_F(parallel_bulk, shares_the_values_and_sends_them_on) {
    auto work = coex::starts_on(there, just(std::vector<int>(1'000, 1))) |
                bulk(coex::par, 1'000, [](int i, std::vector<int>& all) { all[static_cast<std::size_t>(i)] += i; }) |
                coex::then([](std::vector<int> all) { return std::accumulate(all.begin(), all.end(), 0); });
    EXPECT_EQ(std::get<0>(coex::sync_wait(std::move(work)).value()), 1'000 + 999 * 500);
}

TEST_F(parallel_bulk, keeps_what_only_moves) {
    auto work = coex::starts_on(there, just(std::make_unique<int>(4))) | bulk(coex::par, 10, [](int, only_moves&) {});
    EXPECT_EQ(*std::get<0>(coex::sync_wait(std::move(work)).value()), 4);
}

TEST_F(parallel_bulk, tells_of_a_value_that_cannot_be_kept_and_makes_no_call) {
    fragile object(0);
    int calls = 0;
    auto work = coex::schedule(there) | coex::then([&object]() noexcept -> fragile& { return object; }) |
                bulk(coex::par, 1, [&calls](int, fragile&) noexcept { ++calls; });
    EXPECT_THROW(static_cast<void>(coex::sync_wait(std::move(work))), std::runtime_error);
    EXPECT_EQ(calls, 0);
}

TEST_F(parallel_bulk, tells_of_one_exception_after_all_calls_have_ended) {
    for (int round = 0; round < 100; ++round) {
        std::atomic<int> running{0};
        auto work = coex::schedule(there) | bulk(coex::par, 1'000, [&](int i) {
                        ++running;
                        if (i % 100 == 7) {
                            --running;
                            throw std::runtime_error("seven");
                        }
                        --running;
                    });
        EXPECT_THROW(static_cast<void>(coex::sync_wait(std::move(work))), std::runtime_error);
        EXPECT_EQ(running, 0);
    }
}

TEST_F(parallel_bulk, follows_the_scheduler_that_comes_before_it) {
    std::atomic<int> outside{0};
    auto work = just() | coex::continues_on(there) | bulk(coex::par, 100, [&](int) {
                    if (!pool.this_thread_index()) ++outside;
                });
    EXPECT_TRUE(coex::sync_wait(std::move(work)));
    EXPECT_EQ(outside, 0);
}

TEST_F(parallel_bulk, may_be_nested) {
    std::atomic<int> calls{0};
    auto work =
        coex::schedule(there) | bulk(coex::par, 8, [&](int) { ++calls; }) | bulk(coex::par, 8, [&](int) { ++calls; });
    EXPECT_TRUE(coex::sync_wait(std::move(work)));
    EXPECT_EQ(calls, 16);
}

// The helpers that come late find nothing to do, when the operation may be gone.
TEST_F(parallel_bulk, does_not_wait_for_threads_that_are_busy) {
    std::latch begun(2);
    // Shared: a worker may still be inside wait() when this function has returned.
    const auto release = std::make_shared<std::latch>(1);
    for (int i = 0; i < 2; ++i) {
        pool.post([&begun, release] {
            begun.count_down();
            release->wait();
        });
    }
    begun.wait();
    for (int round = 0; round < 100; ++round) {
        std::atomic<int> calls{0};
        EXPECT_TRUE(coex::sync_wait(coex::schedule(there) | bulk(coex::par, 100, [&](int) { ++calls; })));
        EXPECT_EQ(calls, 100);
    }
    release->count_down();
}

TEST(bulk, on_a_place_of_one_thread_calls_once_for_all) {
    manual_context place;
    int calls = 0;
    auto operation = connected<>(coex::schedule(coex::context_scheduler(place)) |
                                 bulk_chunked(coex::par, 100, [&](int begin, int end) {
                                     ++calls;
                                     EXPECT_EQ(end - begin, 100);
                                 }));
    operation.start();
    place.run_all();
    EXPECT_EQ(operation.result.how, "value");
    EXPECT_EQ(calls, 1);
}

}  // namespace
