// A process may enter a sandbox that forbids membarrier(2) when its pools run already.

#include "support/forbid_membarrier.hpp"

#include <exec/base/process_wide_barrier.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/fork_deque.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

namespace coex {
namespace {

struct no_context final : execution_context {
    void submit(work_item*) noexcept override {}
    timer_service& timers() noexcept override { std::abort(); }
};
struct no_listener final : detail::fork_listener {
    void jobs_published() noexcept override {}
};
struct job final : work_item {
    job() : work_item([](work_item*) noexcept {}) {}
};

long fib(long n) {
    if (n < 2) return n;
    auto [a, b] = fork_join([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
    return a + b;
}

// One process can show this only once.
TEST(membarrier_forbidden_later, jobs_stay_with_their_owner_and_pools_work_on) {
    if (!detail::has_process_wide_barrier()) GTEST_SKIP() << "membarrier is not available";
    no_context home;
    no_listener nobody;
    detail::fork_deque deque(home, nobody);
    detail::fork_deque::bind_to_this_thread(&deque);
    job told;
    job silent;
    const auto a = deque.push(&told);
    const auto b = deque.push(&silent);

    // All workers but those of the second pool may still call it.
    static_thread_pool free_pool{{.threads = 3}};
    EXPECT_EQ(free_pool.install([] { return fib(18); }), 2584);
    bool forbidden = false;
    std::thread([&] {
        forbidden = testing_support::forbid_membarrier();
        if (!forbidden) return;
        EXPECT_TRUE(detail::has_process_wide_barrier()) << "nobody has noticed yet";
        EXPECT_FALSE(deque.force()) << "nothing orders the owner's pops";
        EXPECT_FALSE(detail::has_process_wide_barrier());
        bool contended = false;
        EXPECT_EQ(deque.steal(contended), &told);
        EXPECT_EQ(deque.steal(contended), nullptr);
        static_thread_pool sandboxed{{.threads = 3}};
        for (int round = 0; round < 200; ++round) EXPECT_EQ(sandboxed.install([] { return fib(12); }), 144);
    }).join();
    if (!forbidden) GTEST_SKIP() << "seccomp filters are not available";

    EXPECT_TRUE(deque.pop(b));
    EXPECT_FALSE(deque.pop(a));
    deque.request();
    const auto c = deque.push(&silent);
    std::thread([&] {
        bool contended = false;
        EXPECT_EQ(deque.steal(contended), &silent) << "from now on every push publishes";
    }).join();
    EXPECT_FALSE(deque.pop(c));
    detail::fork_deque::bind_to_this_thread(nullptr);

    // The owner's job is reached although it was forked silently, and by a worker that may sleep.
    for (int round = 0; round < 200; ++round) {
        free_pool.install([] {
            std::atomic<bool> begun{false};
            fib(10);
            fork_join(
                [&] {
                    while (!begun.load()) std::this_thread::yield();
                },
                [&] { begun.store(true); });
        });
    }
}

}  // namespace
}  // namespace coex
