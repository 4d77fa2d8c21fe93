#include <exec/pool/parallel_for.hpp>

#include <exec/base/config.hpp>
#include <exec/pool/broadcast.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <numeric>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::parallel_for;
using coex::static_thread_pool;
using namespace std::chrono_literals;

constexpr bool slow = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER;

TEST(parallel_for, smoke_calls_the_function_once_for_each_element) {
    for (const unsigned threads : {1U, 2U, 5U}) {
        static_thread_pool pool{{.threads = threads}};
        for (const std::size_t count : {0U, 1U, 2U, 3U, 100U, 65'537U, slow ? 100'000U : 3'000'000U}) {
            std::vector<unsigned char> calls(count);
            pool.install([&] { parallel_for(calls, [](unsigned char& each) { ++each; }); });
            EXPECT_EQ(std::ranges::count(calls, 1), static_cast<std::ptrdiff_t>(count)) << threads << " threads";
        }
    }
}

TEST(parallel_for, takes_any_range_with_random_access) {
    std::deque<int> numbers(1000);
    parallel_for(numbers, [](int& number) { number = 1; });
    parallel_for(std::views::reverse(numbers), [](int& number) { ++number; });
    parallel_for(std::views::iota(0, 1000), [&](int i) { numbers[static_cast<std::size_t>(i)] += i; });
    EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0), 2000 + 999 * 500);
    const std::string text = "text";
    std::atomic<int> letters = 0;
    parallel_for(text, [&](const char& letter) { letters += letter != ' '; });
    EXPECT_EQ(letters, 4);
}

TEST(parallel_for, counts_from_the_first_index_to_before_the_last) {
    std::atomic<long> sum = 0;
    parallel_for(-3, 3, [&](int i) { sum += 10 + i; });
    EXPECT_EQ(sum, 60 - 3);
    sum = 0;
    parallel_for(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::min() + 3,
                 [&](std::int64_t i) { sum += i - std::numeric_limits<std::int64_t>::min(); });
    EXPECT_EQ(sum, 3);
    sum = 0;
    parallel_for(std::uint8_t{250}, 255, [&](std::uint8_t i) { sum += i; });
    EXPECT_EQ(sum, 250 + 251 + 252 + 253 + 254);
}

TEST(parallel_for, does_nothing_for_indices_in_the_wrong_order) {
    parallel_for(3, 3, [](int) { FAIL(); });
    parallel_for(3, -3, [](int) { FAIL(); });
    parallel_for(3U, 2U, [](unsigned) { FAIL(); });
}

TEST(parallel_for, lets_idle_workers_take_part_in_few_long_elements) {
    static_thread_pool pool{{.threads = 4}};
    std::atomic<int> present = 0;
    // Ends only when all four elements are under way at once.
    pool.install([&] {
        parallel_for(0, 4, [&](int) {
            present.fetch_add(1);
            present.notify_all();
            for (int seen = present.load(); seen < 4; seen = present.load()) present.wait(seen);
        });
    });
    EXPECT_EQ(present, 4);
}

TEST(parallel_for, lets_an_idle_worker_take_part_in_what_comes_behind_many_cheap_elements) {
    static_thread_pool pool{{.threads = 2}};
    std::atomic<int> present = 0;
    pool.install([&] {
        parallel_for(0, 200'000, [&](int i) {
            if (i < 199'998) return;
            present.fetch_add(1);
            present.notify_all();
            // Either both run at once, or the loop has not seen that the other worker is idle.
            const auto patience = std::chrono::steady_clock::now() + 200ms;
            while (present.load() < 2 && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
        });
    });
    EXPECT_EQ(present, 2);
}

TEST(parallel_for, may_be_nested) {
    static_thread_pool pool{{.threads = 3}};
    constexpr int side = slow ? 50 : 300;
    std::vector<std::vector<int>> field(side, std::vector<int>(side));
    pool.install(
        [&] { parallel_for(field, [](std::vector<int>& row) { parallel_for(row, [](int& cell) { ++cell; }); }); });
    for (const std::vector<int>& row : field) EXPECT_EQ(std::ranges::count(row, 1), side);
}

// While a worker waits for what an element forked, it works for the loops of the others, and inside of its own.
TEST(parallel_for, may_be_opened_by_every_worker_at_once_with_elements_that_fork) {
    static_thread_pool pool{{.threads = 10}};
    constexpr int count = slow ? 1'000 : 20'000;
    pool.broadcast([&] {
        std::vector<std::string> texts(count);
        parallel_for(0, count, [&](int i) {
            auto [left, right] = coex::fork_join([i] { return std::to_string(i); }, [i] { return std::to_string(-i); });
            texts[static_cast<std::size_t>(i)] = left + "|" + right;
        });
        for (int i = 0; i < count; ++i) {
            EXPECT_EQ(texts[static_cast<std::size_t>(i)], std::to_string(i) + "|" + std::to_string(-i));
        }
    });
}

TEST(parallel_for, rethrows_what_an_element_throws_and_ends_early) {
    for (const unsigned threads : {1U, 3U}) {
        static_thread_pool pool{{.threads = threads}};
        std::atomic<int> calls = 0;
        EXPECT_THROW(pool.install([&] {
            parallel_for(0, 100'000'000, [&](int i) {
                ++calls;
                if (i == 5) throw std::runtime_error("five");
            });
        }),
                     std::runtime_error);
        EXPECT_LT(calls, 100'000'000);
    }
}

TEST(parallel_for, rethrows_the_leftmost_exception_of_those_that_were_thrown) {
    static_thread_pool pool{{.threads = 2}};
    std::atomic<int> present = 0;
    try {
        pool.install([&] {
            parallel_for(0, 2, [&](int i) {
                present.fetch_add(1);
                while (present.load() < 2) std::this_thread::yield();
                throw i;
            });
        });
        FAIL();
    } catch (int first) {
        EXPECT_EQ(first, 0);
    }
}

TEST(parallel_for, runs_in_the_default_pool_when_called_outside) {
    std::atomic<int> inside = 0;
    parallel_for(0, 100, [&](int) { inside += coex::default_pool().this_thread_index().has_value(); });
    EXPECT_EQ(inside, 100);
}

TEST(parallel_for, runs_in_a_handler_where_nothing_can_be_forked) {
    std::atomic<int> calls = 0;
    {
        const static_thread_pool pool{
            {.threads = 1, .on_thread_start = [&](unsigned) { parallel_for(0, 100, [&](int) { ++calls; }); }}};
    }
    EXPECT_EQ(calls, 100);
}

TEST(parallel_for, stress_loops_inside_of_loops_beside_posts) {
    std::atomic<long> posted = 0;
    static_thread_pool pool{{.threads = 4}};
    for (int round = 0; round < (slow ? 20 : 300); ++round) {
        std::atomic<long> sum = 0;
        pool.install([&] {
            parallel_for(0, 50, [&](int i) {
                pool.post([&] { ++posted; });
                parallel_for(0, i * 20, [&](int) { sum.fetch_add(1, std::memory_order_relaxed); });
            });
        });
        ASSERT_EQ(sum, 20 * 49 * 25);
    }
    while (posted < (slow ? 20 : 300) * 50) std::this_thread::yield();
}

}  // namespace
