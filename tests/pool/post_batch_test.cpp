#include <exec/pool/static_thread_pool.hpp>

#include <exec/base/config.hpp>
#include <exec/coro/task.hpp>
#include <exec/vocab/priority.hpp>
#include <exec/vocab/stop_token.hpp>

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

TEST(post_batch, at_a_priority_starts_in_order_before_or_behind_what_waits) {
    for (const coex::priority level : {coex::priority::high, coex::priority::low}) {
        std::vector<int> order;
        std::vector<std::function<void()>> batch;
        for (int i = 0; i < 6; ++i) batch.emplace_back([&order, i] { order.push_back(i); });
        std::binary_semaphore held(0);
        std::binary_semaphore gate(0);
        {
            static_thread_pool pool{{.threads = 1}};
            pool.post([&] {
                held.release();
                gate.acquire();
                pool.post_batch(level, batch);  // on a worker, too
            });
            held.acquire();
            pool.post([&order] { order.push_back(100); });
            pool.post_batch(level, batch);
            EXPECT_GE(pool.stats().queued, 6U);
            gate.release();
        }
        const std::vector<int> expected = level == coex::priority::high
                                              ? std::vector<int>{0, 1, 2, 3, 4, 5, 0, 100, 1, 2, 3, 4, 5}
                                              : std::vector<int>{100, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5};
        EXPECT_EQ(order, expected) << "of eight items one is normal";
    }
}

TEST(post_batch, at_a_priority_and_as_there_is_room_runs_each_once) {
    std::atomic<int> calls = 0;
    {
        static_thread_pool pool{{.threads = 2, .queue_limit = 3}};
        for (const coex::priority level : {coex::priority::high, coex::priority::normal, coex::priority::low}) {
            const std::vector<std::function<void()>> batch(100, [&calls] { ++calls; });
            pool.post_batch(level, batch);
            pool.post([&pool, level, batch] { pool.post_batch(level, batch); });  // a worker works meanwhile
        }
    }
    EXPECT_EQ(calls, 600);
}

TEST(post_batch, functions_whose_token_is_stopped_before_their_turn_never_run) {
    std::atomic<int> calls = 0;
    std::atomic<int> destroyed = 0;
    coex::inplace_stop_source source;
    std::binary_semaphore gate(0);
    std::binary_semaphore held_up(0);
    {
        static_thread_pool pool{{.threads = 1}};
        pool.post([&] {
            held_up.release();
            gate.acquire();
        });
        held_up.acquire();  // or what is more urgent would overtake it
        const auto held = std::shared_ptr<int>(new int(0), [&destroyed](int* which) {
            delete which;
            ++destroyed;
        });
        for (const coex::priority level : {coex::priority::high, coex::priority::normal}) {
            pool.post_batch(level, std::views::iota(0, 10) | std::views::transform([&calls, held](int) {
                                       return [&calls, held](coex::inplace_stop_token) { ++calls; };
                                   }),
                            source.get_token());
        }
        source.request_stop();
        gate.release();
    }
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(destroyed, 1);
}

TEST(post_batch, functions_with_a_token_see_a_stop_while_they_run) {
    std::atomic<int> saw = 0;
    std::binary_semaphore begun(0);
    coex::inplace_stop_source source;
    {
        static_thread_pool pool{{.threads = 1}};
        const auto wait_for_stop = [&](coex::inplace_stop_token token) {
            begun.release();
            while (!token.stop_requested()) std::this_thread::yield();
            ++saw;
        };
        pool.post_batch(std::vector{wait_for_stop, wait_for_stop}, source.get_token());
        begun.acquire();
        source.request_stop();
    }
    EXPECT_EQ(saw, 1) << "the second had not begun";
}

TEST(post_batch, runs_the_tasks_that_its_functions_return) {
    std::atomic<int> ran = 0;
    std::atomic<int> right_place = 0;
    {
        static_thread_pool pool{{.threads = 2, .on_exception = [&ran](std::exception_ptr) { ran += 100; }}};
        const auto hop = [&](int i) {
            return [&, i]() -> coex::task<> {
                co_await pool.schedule();
                right_place += pool.this_thread_index().has_value() ? 1 : 0;
                ++ran;
                if (i == 3) throw std::runtime_error("three");
            };
        };
        pool.post_batch(std::views::iota(0, 10) | std::views::transform(hop));
        pool.post_batch(coex::priority::low, std::views::iota(10, 20) | std::views::transform(hop));
    }
    EXPECT_EQ(ran, 20 + 100);
    EXPECT_EQ(right_place, 20);
}

TEST(post_batch_death, an_empty_function_aborts_with_a_message) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    static_thread_pool pool{{.threads = 1}};
    const std::vector<std::function<void()>> batch{[] {}, {}};
    EXPECT_DEATH(pool.post_batch(batch), "post_batch\\(\\) was given an empty function");
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
