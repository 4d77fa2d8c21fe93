#include <exec/pool/static_thread_pool.hpp>

#include <exec/base/config.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <ranges>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;

constexpr int many = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 5'000 : 200'000;

TEST(post_batch, smoke_runs_each_function_once) {
    std::vector<std::atomic<int>> calls(many);
    {
        static_thread_pool pool{{.threads = 3}};
        pool.post_batch(std::views::iota(0, many) | std::views::transform([&calls](int i) {
                            return [&calls, i] { ++calls[static_cast<std::size_t>(i)]; };
                        }));
    }
    for (const std::atomic<int>& each : calls) ASSERT_EQ(each, 1);
}

TEST(post_batch, starts_in_order_from_outside_and_from_a_worker) {
    for (const bool outside : {true, false}) {
        std::vector<int> order;
        std::vector<std::function<void()>> batch;
        for (int i = 0; i < 1000; ++i) batch.emplace_back([&order, i] { order.push_back(i); });
        {
            static_thread_pool pool{{.threads = 1}};
            if (outside) {
                pool.post_batch(batch);
            } else {
                pool.post([&] { pool.post_batch(batch); });
            }
        }
        std::vector<int> expected(1000);
        std::iota(expected.begin(), expected.end(), 0);
        EXPECT_EQ(order, expected);
    }
}

TEST(post_batch, posts_nothing_for_an_empty_range) {
    static_thread_pool pool{{.threads = 1}};
    pool.post_batch(std::vector<std::function<void()>>());
    EXPECT_EQ(pool.stats().queued, 0U);
}

TEST(post_batch, copies_from_a_container_and_moves_from_a_temporary_one) {
    const auto shared = std::make_shared<std::atomic<int>>(0);
    std::binary_semaphore gate(0);
    std::binary_semaphore held(0);
    static_thread_pool pool{{.threads = 1}};
    pool.post([&] {
        held.release();
        gate.acquire();
    });
    held.acquire();
    const std::vector<std::function<void()>> kept(3, [shared] { ++*shared; });
    const long before = shared.use_count();
    pool.post_batch(kept);
    EXPECT_EQ(shared.use_count(), before + 3);
    pool.post_batch(std::vector<std::function<void()>>(2, [shared] { ++*shared; }));
    EXPECT_EQ(shared.use_count(), before + 5);
    // Functions that can only be moved.
    struct moves_only {
        std::unique_ptr<int> own;
        std::shared_ptr<std::atomic<int>> counter;
        void operator()() const { ++*counter; }
    };
    std::vector<moves_only> unique;
    unique.push_back({nullptr, shared});
    pool.post_batch(std::move(unique));
    gate.release();
    while (*shared != 6) std::this_thread::yield();
}

TEST(post_batch, posts_none_when_copying_one_throws) {
    struct fragile {
        int number;
        std::atomic<int>* calls;
        fragile(int n, std::atomic<int>& counter) : number(n), calls(&counter) {}
        fragile(const fragile& other) : number(other.number), calls(other.calls) {
            if (number == 7) throw std::runtime_error("seven");
        }
        fragile& operator=(const fragile&) = delete;
        ~fragile() = default;
        void operator()() const { ++*calls; }
    };
    std::atomic<int> calls = 0;
    {
        static_thread_pool pool{{.threads = 1}};
        EXPECT_THROW(pool.post_batch(std::views::iota(0, 10) | std::views::transform([&calls](int i) -> const fragile& {
                                         static thread_local std::unique_ptr<fragile> one;
                                         one = std::make_unique<fragile>(i, calls);
                                         return *one;
                                     })),
                     std::runtime_error);
    }
    EXPECT_EQ(calls, 0);
}

TEST(post_batch, an_exception_of_one_goes_to_the_handler_and_the_others_run) {
    std::atomic<int> calls = 0;
    std::atomic<int> errors = 0;
    {
        static_thread_pool pool{{.threads = 2, .on_exception = [&](std::exception_ptr) { ++errors; }}};
        pool.post_batch(std::views::iota(0, 100) | std::views::transform([&calls](int i) {
                            return [&calls, i] {
                                ++calls;
                                if (i == 50) throw std::runtime_error("fifty");
                            };
                        }));
    }
    EXPECT_EQ(calls, 100);
    EXPECT_EQ(errors, 1);
}

TEST(post_batch, stress_batches_from_many_threads_all_run) {
    constexpr int threads = 4;
    constexpr int rounds = many / 100;
    std::atomic<int> calls = 0;
    {
        static_thread_pool pool{{.threads = 3}};
        std::vector<std::thread> posters;
        for (int i = 0; i < threads; ++i) {
            posters.emplace_back([&] {
                for (int round = 0; round < rounds; ++round) {
                    pool.post_batch(std::vector<std::function<void()>>(static_cast<std::size_t>(round % 40),
                                                                       [&calls] { ++calls; }));
                }
            });
        }
        for (std::thread& each : posters) each.join();
    }
    int expected = 0;
    for (int round = 0; round < rounds; ++round) expected += threads * (round % 40);
    EXPECT_EQ(calls, expected);
}

}  // namespace
