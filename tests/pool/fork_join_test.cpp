#include <exec/pool/fork_join.hpp>

#include <exec/base/config.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using coex::fork_join;
using coex::static_thread_pool;

constexpr bool slow = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER;

long fib(long n) {
    if (n < 2) return n;
    auto [a, b] = fork_join([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
    return a + b;
}

TEST(fork_join, smoke_sums_a_tree) {
    for (const unsigned threads : {1U, 2U, 5U}) {
        static_thread_pool pool{{.threads = threads}};
        EXPECT_EQ(pool.install([] { return fib(slow ? 18 : 25); }), slow ? 2584 : 75025);
    }
}

TEST(fork_join, gives_the_results_in_order_and_leaves_void_out) {
    static_thread_pool pool{{.threads = 2}};
    pool.install([] {
        int touched = 0;
        int variable = 5;
        static_assert(std::is_void_v<decltype(fork_join([] {}, [] {}))>);
        auto results = fork_join([] { return 1; }, [&touched] { touched = 1; }, [] { return std::string("three"); },
                                 [&variable]() -> int& { return variable; });
        static_assert(std::is_same_v<decltype(results), std::tuple<int, std::string, int&>>);
        EXPECT_EQ(std::get<0>(results), 1);
        EXPECT_EQ(touched, 1);
        EXPECT_EQ(std::get<1>(results), "three");
        EXPECT_EQ(&std::get<2>(results), &variable);
    });
}

TEST(fork_join, takes_functions_and_results_that_can_only_be_moved) {
    static_thread_pool pool{{.threads = 2}};
    pool.install([] {
        auto [a, b] = fork_join([own = std::make_unique<int>(1)]() mutable { return std::move(own); },
                                [own = std::make_unique<int>(2)]() mutable { return std::move(own); });
        EXPECT_EQ(*a + *b, 3);
        // A function given by name is called itself, not a copy of it.
        struct counter {
            int calls = 0;
            void operator()() { ++calls; }
        } first, second;
        fork_join(first, second);
        EXPECT_EQ(first.calls + second.calls, 2);
    });
}

TEST(fork_join, outside_of_every_pool_the_default_pool_does_the_work) {
    auto [here, there] = fork_join([] { return std::this_thread::get_id(); },
                                   [] { return coex::default_pool().this_thread_index().has_value(); });
    EXPECT_NE(here, std::this_thread::get_id());
    EXPECT_TRUE(there);
}

// Every combination, whoever runs the second function, and however they end.
TEST(fork_join, all_functions_run_and_the_leftmost_exception_wins) {
    static_thread_pool pool{{.threads = 3}};
    pool.install([] {
        for (int round = 0; round < 200; ++round) {
            for (int failing = 0; failing < 8; ++failing) {
                std::atomic<int> ran{0};
                const auto part = [&](int which) {
                    return [&, which] {
                        if (round % 2 == 0) fib(8);
                        ran.fetch_add(1 << which);
                        if ((failing & (1 << which)) != 0) throw std::runtime_error(std::to_string(which));
                        return which;
                    };
                };
                std::string caught;
                try {
                    auto [a, b, c] = fork_join(part(0), part(1), part(2));
                    EXPECT_EQ(a + b + c, 3);
                } catch (const std::runtime_error& error) {
                    caught = error.what();
                }
                EXPECT_EQ(ran.load(), 7);
                EXPECT_EQ(caught, failing == 0 ? "" : (failing & 1) != 0 ? "0" : (failing & 2) != 0 ? "1" : "2");
            }
        }
    });
}

TEST(fork_join, the_result_of_the_first_is_destroyed_when_the_second_throws) {
    static_thread_pool pool{{.threads = 2}};
    const auto shared = std::make_shared<int>(1);
    pool.install([&] {
        try {
            fork_join([&] { return shared; }, []() -> int { throw std::runtime_error("second"); });
            FAIL();
        } catch (const std::runtime_error&) {
            EXPECT_EQ(shared.use_count(), 1) << "before anybody sees the exception";
        }
    });
}

TEST(fork_join, outside_of_every_pool_all_functions_run_and_the_leftmost_exception_wins) {
    for (int failing = 1; failing < 4; ++failing) {
        std::atomic<int> ran{0};
        const auto part = [&](int which) {
            return [&, which] {
                ran.fetch_add(1);
                if ((failing & (1 << which)) != 0) throw std::runtime_error(std::to_string(which));
            };
        };
        try {
            fork_join(part(0), part(1));
            FAIL();
        } catch (const std::runtime_error& error) {
            EXPECT_STREQ(error.what(), (failing & 1) != 0 ? "0" : "1");
        }
        EXPECT_EQ(ran.load(), 2);
    }
}

// The first function ends only when an idle worker has begun the second: which must then be reachable, whether that
// worker sleeps, spins or comes later, and although this worker never forks again.
TEST(fork_join, a_job_forked_before_a_long_leaf_starts_on_an_idle_worker) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < (slow ? 20 : 200); ++round) {
        if (round % 4 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // let everybody fall asleep
        pool.install([&] {
            std::atomic<bool> begun{false};
            fib(round % 12);  // leaves the deque in many states
            fork_join(
                [&] {
                    while (!begun.load()) std::this_thread::yield();
                },
                [&] { begun.store(true); });
        });
    }
}

TEST(fork_join, jobs_of_all_levels_behind_a_leaf_are_reachable) {
    static_thread_pool pool{{.threads = 4}};
    for (int round = 0; round < 20; ++round) {
        pool.install([] {
            std::atomic<int> begun{0};
            const auto other = [&] { begun.fetch_add(1); };
            fork_join(
                [&] {
                    fork_join(
                        [&] {
                            fork_join(
                                [&] {
                                    while (begun.load() < 3) std::this_thread::yield();
                                },
                                other);
                        },
                        other);
                },
                other);
        });
    }
}

// A peer that is busy with something else when the job is forked, and becomes free while the owner computes.
TEST(fork_join, a_worker_that_becomes_free_finds_a_private_job) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < (slow ? 20 : 100); ++round) {
        std::atomic<bool> released{false};
        std::atomic<bool> blocked{false};
        pool.install([&] {
            fib(6);
            pool.post([&] {
                blocked.store(true);
                while (!released.load()) std::this_thread::yield();
            });
            while (!blocked.load()) std::this_thread::yield();
            std::atomic<bool> begun{false};
            fork_join(
                [&] {
                    released.store(true);
                    while (!begun.load()) std::this_thread::yield();
                },
                [&] { begun.store(true); });
        });
    }
}

TEST(fork_join, a_worker_that_waits_for_something_else_runs_the_jobs_it_forked) {
    static_thread_pool pool{{.threads = 1}};
    pool.install([&] {
        bool ran = false;
        auto [answer, other] =
            fork_join([&] { return pool.submit([&] { return 42; }).get(); }, [&] { return ran = true; });
        EXPECT_EQ(answer, 42);
        EXPECT_TRUE(other && ran);
    });
}

long count_down(long depth) {
    if (depth == 0) return 0;
    auto [rest, one] = fork_join([depth] { return count_down(depth - 1); }, [] { return 1L; });
    return rest + one;
}

TEST(fork_join, recursion_is_limited_by_the_stack_alone) {
    constexpr long depth = slow ? 20'000 : 1'000'000;
    static_thread_pool pool{{.threads = 2, .stack_bytes = std::size_t{1} << 30}};
    EXPECT_EQ(pool.install([] { return count_down(depth); }), depth);
    EXPECT_EQ(pool.install([] { return fib(15); }), 610) << "the deque was full in between";
}

TEST(fork_join, many_workers_on_few_processors_make_progress) {
    static_thread_pool pool{{.threads = 32}};
    EXPECT_EQ(pool.install([] { return fib(slow ? 18 : 27); }), slow ? 2584 : 196418);
}

TEST(fork_join, wake_is_not_lost) {
    static_thread_pool pool{{.threads = 3}};
    for (int round = 0; round < (slow ? 300 : 3000); ++round) {
        EXPECT_EQ(pool.install([round] { return fib(round % 11); }), fib(round % 11));
    }
}

TEST(fork_join, several_threads_install_at_once) {
    static_thread_pool pool{{.threads = 2}};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 50; ++round) EXPECT_EQ(pool.install([] { return fib(12); }), 144);
        });
    }
    for (std::thread& each : threads) each.join();
}

template <class Iterator>
void quick_sort(Iterator first, Iterator last) {
    if (last - first < 2) return;
    const auto pivot = first[(last - first) / 2];
    const auto less = std::partition(first, last, [=](const auto& each) { return each < pivot; });
    const auto equal = std::partition(less, last, [=](const auto& each) { return each == pivot; });
    coex::fork_join([=] { quick_sort(first, less); }, [=] { quick_sort(equal, last); });
}

TEST(fork_join, sorts_outside_of_pools_and_in_a_pool) {
    std::vector<unsigned> numbers;
    unsigned seed = 3;
    for (int i = 0; i < 12288; ++i) numbers.push_back((seed = seed * 1664525U + 1013904223U) >> 12);
    auto sorted = numbers;
    std::sort(sorted.begin(), sorted.end());
    auto outside = numbers;
    quick_sort(outside.begin(), outside.end());
    EXPECT_EQ(outside, sorted);
    static_thread_pool pool{{.threads = 3}};
    pool.install([&] { quick_sort(numbers.begin(), numbers.end()); });
    EXPECT_EQ(numbers, sorted);
}

TEST(fork_join, from_outside_again_and_again_runs_both_each_time) {
    static_thread_pool pool{{.threads = 2}};
    std::atomic<int> left{0};
    std::atomic<int> right{0};
    constexpr int rounds = slow ? 20'000 : 100'000;  // more than any counter of 16 bits holds
    for (int round = 0; round < rounds; ++round) {
        pool.install([&] { coex::fork_join([&] { left.fetch_add(1); }, [&] { right.fetch_add(1); }); });
    }
    EXPECT_EQ(left.load(), rounds);
    EXPECT_EQ(right.load(), rounds);
}

}  // namespace
