// What posts and hops take from the heap, counted by replacing operator new, which belongs to the sanitizers.

#include <exec/pool/static_thread_pool.hpp>

#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <new>

namespace {

std::atomic<long> allocations{0};

}  // namespace

void* operator new(std::size_t bytes) {
    allocations.fetch_add(1);
    if (void* block = std::malloc(bytes)) return block;
    throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
    std::free(block);
}

namespace {

using coex::static_thread_pool;

coex::task<long> allocated_while_hopping(static_thread_pool& a, static_thread_pool& b, int hops) {
    co_await a.schedule();
    const long before = allocations.load();
    for (int i = 0; i < hops; ++i) {
        co_await b.schedule();
        co_await a.schedule();
        co_await a.schedule();
    }
    co_return allocations.load() - before;
}

TEST(allocations, a_schedule_allocates_nothing) {
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 2}};
    coex::block_on(allocated_while_hopping(a, b, 100));
    EXPECT_EQ(coex::block_on(allocated_while_hopping(a, b, 3'000)), 0);
}

TEST(allocations, a_pipeline_on_a_pool_that_a_thread_waits_for_allocates_nothing) {
    static_thread_pool pool{{.threads = 2}};
    const auto run_pipelines = [&pool](int count) {
        const long before = allocations.load();
        for (int i = 0; i < count; ++i) {
            (void)coex::sync_wait(coex::schedule(pool.get_scheduler()) | coex::then([i] { return i; }));
        }
        return allocations.load() - before;
    };
    run_pipelines(100);
    EXPECT_EQ(run_pipelines(3'000), 0);
}

TEST(allocations, a_post_from_outside_takes_at_most_one_block) {
    constexpr int posts = 10'000;
    std::latch go(1);
    static_thread_pool pool{{.threads = 1}};
    pool.post([&go] { go.wait(); });  // so that no block comes back meanwhile
    const long before = allocations.load();
    for (int i = 0; i < posts; ++i) pool.post([i] { static_cast<void>(i); });
    EXPECT_LE(allocations.load() - before, posts);
    go.count_down();
}

TEST(allocations, a_chain_of_posts_on_a_worker_lives_on_recycled_blocks) {
    long before = 0;
    long after = 0;
    std::latch over(1);
    static_thread_pool pool{{.threads = 1}};
    struct link {
        static_thread_pool* pool;
        long* before;
        long* after;
        std::latch* over;
        int left;
        void operator()() {
            if (left == 10'000) *before = allocations.load();
            if (left == 0) {
                *after = allocations.load();
                over->count_down();
            } else {
                pool->post(link{pool, before, after, over, left - 1});
            }
        }
    };
    pool.post(link{&pool, &before, &after, &over, 10'100});
    over.wait();
    EXPECT_EQ(after - before, 0);
}

}  // namespace
