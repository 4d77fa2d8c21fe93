#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

namespace {

using coex::static_thread_pool;

TEST(install, runs_on_a_worker_and_gives_the_result) {
    static_thread_pool pool{{.threads = 2}};
    EXPECT_TRUE(pool.install([&] { return pool.this_thread_index().has_value(); }));
    auto moved = pool.install([own = std::make_unique<int>(3)]() mutable { return std::move(own); });
    EXPECT_EQ(*moved, 3);
    int variable = 0;
    EXPECT_EQ(&pool.install([&]() -> int& { return variable; }), &variable);
}

TEST(install, throws_what_the_function_throws) {
    static_thread_pool pool{{.threads = 1}};
    EXPECT_THROW(pool.install([] { throw std::runtime_error("inside"); }), std::runtime_error);
    EXPECT_EQ(pool.install([] { return 1; }), 1) << "the worker survived";
}

TEST(install, on_a_worker_of_the_pool_is_a_plain_call) {
    static_thread_pool pool{{.threads = 2}};
    pool.install([&] {
        const auto outer = std::this_thread::get_id();
        EXPECT_EQ(pool.install([] { return std::this_thread::get_id(); }), outer);
    });
}

int descend(static_thread_pool& here, static_thread_pool& there, int depth) {
    if (depth == 0) return 0;
    return there.install([&] { return descend(there, here, depth - 1) + 1; });
}

TEST(install, across_two_pools_nests_a_thousand_deep) {
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 1}};
    EXPECT_EQ(descend(a, b, 1000), 1000);
}

TEST(install, a_worker_that_waits_for_another_pool_works_for_its_own) {
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 1}};
    std::atomic<bool> ran{false};
    a.install([&] {
        a.post([&] { ran.store(true); });
        b.install([&] {
            while (!ran.load()) std::this_thread::yield();
        });
    });
    EXPECT_TRUE(ran.load());
}

}  // namespace
