#include <exec/pool/fork_context.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

namespace {

using coex::fork_context;
using coex::static_thread_pool;

bool migrated(fork_context context) {
    return context.migrated();
}

TEST(fork_context, outside_of_pools_tells_both_that_they_migrated) {
    const auto [a, b] = coex::fork_join(migrated, migrated);
    EXPECT_TRUE(a);
    EXPECT_TRUE(b);
}

TEST(fork_context, on_a_pool_of_one_thread_tells_neither) {
    static_thread_pool pool{{.threads = 1}};
    const auto [a, b] = pool.install([] { return coex::fork_join(migrated, migrated); });
    EXPECT_FALSE(a);
    EXPECT_FALSE(b);
}

TEST(fork_context, tells_the_second_alone_when_another_worker_took_it) {
    static_thread_pool pool{{.threads = 2}};
    std::barrier meeting(2);
    const auto meet = [&](fork_context context) {
        meeting.arrive_and_wait();
        return context.migrated();
    };
    const auto [a, b] = pool.install([&] { return coex::fork_join(meet, meet); });
    EXPECT_FALSE(a);
    EXPECT_TRUE(b);
}

TEST(fork_context, may_be_taken_by_some_of_the_functions) {
    static_thread_pool pool{{.threads = 1}};
    auto results = pool.install([] {
        return coex::fork_join([] { return std::string("plain"); }, [](fork_context) {}, migrated,
                               [](fork_context) { return std::make_unique<int>(4); });
    });
    static_assert(std::is_same_v<decltype(results), std::tuple<std::string, bool, std::unique_ptr<int>>>);
    EXPECT_EQ(std::get<0>(results), "plain");
    EXPECT_FALSE(std::get<1>(results));
    EXPECT_EQ(*std::get<2>(results), 4);
}

TEST(fork_context, agrees_with_the_threads_that_ran_the_functions) {
    static_thread_pool pool{{.threads = 3}};
    pool.install([] {
        for (int round = 0; round < 2000; ++round) {
            const auto caller = std::this_thread::get_id();
            const auto right = [caller](fork_context context) {
                return context.migrated() == (std::this_thread::get_id() != caller);
            };
            const auto [a, b, c] = coex::fork_join(right, right, right);
            ASSERT_TRUE(a && b && c);
        }
    });
}

TEST(fork_context, lets_the_leftmost_exception_win) {
    static_thread_pool pool{{.threads = 2}};
    std::atomic<int> ran{0};
    const auto fail = [&](const char* what) {
        return [&ran, what](fork_context) {
            ran.fetch_add(1);
            throw std::runtime_error(what);
        };
    };
    for (int round = 0; round < 100; ++round) {
        try {
            pool.install([&] { coex::fork_join(fail("a"), fail("b"), fail("c")); });
            FAIL();
        } catch (const std::runtime_error& error) {
            EXPECT_STREQ(error.what(), "a");
        }
    }
    EXPECT_EQ(ran.load(), 300);
}

}  // namespace
