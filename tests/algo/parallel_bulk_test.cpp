// [exec.bulk] with a parallel policy on several workers: what a stop request does and leaves, and what becomes of the
// calls that have not begun when one throws.

#include <exec/algo/bulk.hpp>

#include "algo/support.hpp"

#include <exec/algo/continues_on.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <optional>
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

struct parallel_bulk_stop : testing::Test {
    template <class Sender>
    [[nodiscard]] auto under_request(Sender&& sender) {
        return coex::write_env(std::forward<Sender>(sender), coex::prop(coex::get_stop_token, asked.get_token()));
    }
    [[nodiscard]] auto stop_token_there() const {
        return coex::read_env(coex::get_stop_token) | coex::continues_on(there);
    }
    [[nodiscard]] bool each_was_called_once() const {
        return std::all_of(calls.begin(), calls.end(), [](const auto& each) { return each == 1; });
    }

    static constexpr std::size_t size = 1'000;

    coex::inplace_stop_source asked;
    std::vector<std::atomic<int>> calls = std::vector<std::atomic<int>>(size);
    coex::static_thread_pool pool{coex::pool_options{.name = "bulk", .threads = 4}};
    coex::context_scheduler there = pool.get_scheduler();
};

TEST_F(parallel_bulk_stop, requested_before_the_start_leaves_out_no_call) {
    asked.request_stop();
    const auto note = [&](std::size_t i) { ++calls[i]; };
    EXPECT_TRUE(coex::sync_wait(under_request(coex::schedule(there) | bulk(coex::par, size, note))));
    EXPECT_TRUE(each_was_called_once());
}

TEST_F(parallel_bulk_stop, requested_by_a_call_leaves_out_no_other) {
    const auto note = [&](std::size_t i) {
        if (++calls[i]; i == size / 2) asked.request_stop();
    };
    EXPECT_TRUE(coex::sync_wait(under_request(coex::schedule(there) | bulk(coex::par, size, note))));
    EXPECT_TRUE(each_was_called_once());
    EXPECT_TRUE(coex::sync_wait(under_request(coex::schedule(there) | bulk_unchunked(coex::par, size, note))));
    const auto note_all = [&](std::size_t begin, std::size_t end) {
        for (; begin != end; ++begin) note(begin);
    };
    EXPECT_TRUE(coex::sync_wait(under_request(coex::schedule(there) | bulk_chunked(coex::par, size, note_all))));
    EXPECT_TRUE(std::all_of(calls.begin(), calls.end(), [](const auto& each) { return each == 3; }));
}

TEST_F(parallel_bulk_stop, requested_at_any_moment_from_another_thread_loses_no_call_and_no_value) {
    for (int round = 0; round < 200; ++round) {
        coex::inplace_stop_source source;
        std::atomic<int> count = 0;
        std::atomic<bool> may_ask = false;
        std::thread asks([&] {
            while (!may_ask) std::this_thread::yield();
            source.request_stop();
        });
        auto work = coex::starts_on(there, just(std::make_unique<int>(round))) |
                    bulk_unchunked(coex::par, 16, [&](int, only_moves&) {
                        if (count.fetch_add(1) == round % 16) may_ask = true;
                    });
        const auto values =
            coex::sync_wait(coex::write_env(std::move(work), coex::prop(coex::get_stop_token, source.get_token())));
        asks.join();
        ASSERT_TRUE(values);
        EXPECT_EQ(*std::get<0>(*values), round);
        EXPECT_EQ(count, 16);
    }
}

TEST_F(parallel_bulk_stop, that_the_sender_before_obeys_calls_nothing) {
    asked.request_stop();
    std::atomic<int> called = 0;
    hand<> nobodys;
    auto obeys = coex::schedule(there) | coex::let_value([&] { return handed<>(nobodys); }) |
                 coex::continues_on(there) | bulk(coex::par, 100, [&](int) { ++called; });
    EXPECT_FALSE(coex::sync_wait(under_request(std::move(obeys))));
    EXPECT_EQ(called, 0);
}

// The way for a function to end early: it looks at the token itself.
TEST_F(parallel_bulk_stop, is_seen_by_calls_that_have_not_begun_when_they_look_at_the_token) {
    std::atomic<int> worked = 0;
    auto work = stop_token_there() | bulk_unchunked(coex::par, 100, [&](int, auto& token) {
                    if (token.stop_requested()) return;
                    ++worked;
                    asked.request_stop();
                });
    EXPECT_TRUE(coex::sync_wait(under_request(std::move(work))));
    EXPECT_GE(worked, 1);
    EXPECT_LE(worked, 4) << "each thread may have begun one call before the request";
}

TEST_F(parallel_bulk_stop, and_an_exception_give_the_exception) {
    const auto fails = [this](int i) {
        asked.request_stop();
        if (i == 7) throw std::runtime_error("seven");
    };
    EXPECT_THROW(static_cast<void>(coex::sync_wait(under_request(coex::schedule(there) | bulk(coex::par, 100, fails)))),
                 std::runtime_error);
}

TEST_F(parallel_bulk_stop, requested_after_the_end_changes_nothing) {
    std::atomic<int> ends = 0;
    auto work = coex::schedule(there) | bulk(coex::par, 100, [](int) {}) | coex::then([&ends] { ++ends; });
    EXPECT_TRUE(coex::sync_wait(under_request(std::move(work))));
    asked.request_stop();
    EXPECT_EQ(ends, 1);
}

// One thread is held in the first call until the other, whose call threw, is free for other work: by then it has gone
// through all further calls.
TEST(parallel_bulk_that_fails, leaves_out_the_calls_that_had_not_begun_and_waits_for_those_that_had) {
    for (const bool moves : {false, true}) {
        std::atomic<int> begun = 0;
        std::atomic<int> ended = 0;
        std::latch is_free(1);
        coex::static_thread_pool pool(coex::pool_options{.name = "bulk", .threads = 2});
        const auto call = [&](int i, auto&) {
            ++begun;
            if (i == 0) {
                is_free.wait();
            } else {
                pool.post([&is_free] { is_free.count_down(); });
                throw std::runtime_error("the second call");
            }
            ++ended;
        };
        const auto run = [&](auto value) {
            static_cast<void>(coex::sync_wait(coex::starts_on(pool.get_scheduler(), just(std::move(value))) |
                                              bulk_unchunked(coex::par, 100, call)));
        };
        if (moves) {
            EXPECT_THROW(run(std::make_unique<int>(1)), std::runtime_error);
        } else {
            EXPECT_THROW(run(1), std::runtime_error);
        }
        EXPECT_EQ(begun, 2);
        EXPECT_EQ(ended, 1);
    }
}

TEST(parallel_bulk_that_fails, destroys_the_values_and_the_function_once) {
    const auto value = std::make_shared<int>(1);
    auto captured = std::make_shared<int>(2);  // not const: the lambda is to move it along
    coex::static_thread_pool pool(coex::pool_options{.name = "bulk", .threads = 4});
    auto work = coex::starts_on(pool.get_scheduler(), just(value)) |
                bulk(coex::par, 100, [captured](int i, const std::shared_ptr<int>&) {
                    if (i % 10 == 3) throw std::runtime_error("three");
                });
    EXPECT_THROW(static_cast<void>(coex::sync_wait(std::move(work))), std::runtime_error);
    EXPECT_EQ(value.use_count(), 1);
    EXPECT_EQ(captured.use_count(), 1);
}

TEST(parallel_bulk_that_fails, can_be_connected_again_and_succeed) {
    std::atomic<int> attempts = 0;
    coex::static_thread_pool pool(coex::pool_options{.name = "bulk", .threads = 4});
    const auto work = coex::schedule(pool.get_scheduler()) | bulk_chunked(coex::par, 1, [&](int, int) {
                          if (++attempts < 3) throw std::runtime_error("not yet");
                      });
    EXPECT_THROW(static_cast<void>(coex::sync_wait(work)), std::runtime_error);
    EXPECT_THROW(static_cast<void>(coex::sync_wait(work)), std::runtime_error);
    EXPECT_TRUE(coex::sync_wait(work)) << "an operation knows nothing of the failures of others";
    EXPECT_EQ(attempts, 3);
}

}  // namespace
