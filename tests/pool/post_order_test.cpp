#include "order.hpp"

#include <exec/pool/current_pool.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::static_thread_pool;
using coex_test::direction;
using coex_test::downwards;
using coex_test::rows;
using coex_test::upwards;

constexpr int side = 4;  // 4 + 16 tasks: no task's turn comes out of order to keep others from starving

/// What `body(record)` makes a pool of one thread record.
template <class Body>
std::vector<int> order_of(Body body) {
    std::vector<int> order;
    {
        static_thread_pool pool{{.threads = 1}};
        pool.install([&] { body([&order](int number) { order.push_back(number); }); });
    }
    return order;
}

// How tasks are posted.
const auto newest_first = [](auto task) { coex::post(std::move(task)); };
const auto in_order = [](auto task) { coex::post_fifo(std::move(task)); };

TEST(post_order, on_a_worker_is_newest_first) {
    EXPECT_EQ(order_of([](auto record) {
                  for (int i = 0; i < 20; ++i) coex::post([=] { record(i); });
              }),
              downwards(20));
}

TEST(post_order, of_the_fifo_form_on_a_worker_is_oldest_first) {
    EXPECT_EQ(order_of([](auto record) {
                  for (int i = 0; i < 1000; ++i) coex::post_fifo([=] { record(i); });
              }),
              upwards(1000));
}

TEST(post_order, of_the_members_of_a_pool_is_that_of_the_free_functions) {
    for (const bool fifo : {false, true}) {
        std::vector<int> order;
        {
            static_thread_pool pool{{.threads = 1}};
            pool.install([&] {
                for (int i = 0; i < 20; ++i) {
                    const auto task = [&order, i] { order.push_back(i); };
                    fifo ? pool.post_fifo(task) : pool.post(task);
                }
            });
        }
        EXPECT_EQ(order, fifo ? upwards(20) : downwards(20));
    }
}

TEST(post_order, newest_first_takes_the_oldest_once_in_64_so_that_it_does_not_starve) {
    std::vector<int> order = order_of([](auto record) {
        for (int i = 0; i < 500; ++i) coex::post([=] { record(i); });
    });
    ASSERT_EQ(order.size(), 500U);
    int oldest = 0;
    int newest = 499;
    for (const int number : order) {
        if (number == newest) {
            --newest;
        } else {
            ASSERT_EQ(number, oldest);
            ++oldest;
        }
    }
    EXPECT_LE(oldest, 500 / 64 + 1);
    EXPECT_GE(oldest, 500 / 64 - 1);
}

template <class Outer, class Inner>
std::vector<int> nested_order(Outer outer, Inner inner) {
    return order_of([=](auto record) {
        for (int i = 0; i < side; ++i) {
            outer([=] {
                for (int j = 0; j < side; ++j) {
                    inner([=] { record(i * side + j); });
                }
            });
        }
    });
}

TEST(post_order, newest_first_within_newest_first_is_reversed) {
    EXPECT_EQ(nested_order(newest_first, newest_first), rows(side, direction::down, direction::down));
}

TEST(post_order, fifo_within_fifo_is_natural) {
    EXPECT_EQ(nested_order(in_order, in_order), rows(side, direction::up, direction::up));
}

TEST(post_order, fifo_within_newest_first_reverses_the_outer) {
    EXPECT_EQ(nested_order(newest_first, in_order), rows(side, direction::down, direction::up));
}

TEST(post_order, newest_first_within_fifo_reverses_the_inner) {
    EXPECT_EQ(nested_order(in_order, newest_first), rows(side, direction::up, direction::down));
}

template <class Even, class Odd>
std::vector<int> mixed_order(Even even, Odd odd) {
    return order_of([=](auto record) {
        for (int i = 0; i < 4; ++i) {
            even([=] { record(i); });
            if (i < 3) odd([=] { record(-1 - i); });
        }
    });
}

TEST(post_order, fifo_among_newest_first_keeps_places_and_swaps_tasks) {
    EXPECT_EQ(mixed_order(newest_first, in_order), (std::vector<int>{3, -1, 2, -2, 1, -3, 0}));
}

TEST(post_order, newest_first_among_fifo_keeps_places) {
    EXPECT_EQ(mixed_order(in_order, newest_first), (std::vector<int>{0, -3, 1, -2, 2, -1, 3}));
}

TEST(post_order, from_outside_is_oldest_first_for_both_forms) {
    for (const bool fifo : {false, true}) {
        std::vector<int> order;
        {
            std::promise<void> gate;  // goes after the pool, on which somebody may still look at it
            static_thread_pool pool{{.threads = 1}};
            pool.post([&] { gate.get_future().wait(); });
            for (int i = 0; i < 200; ++i) {
                const auto task = [&order, i] { order.push_back(i); };
                fifo ? pool.post_fifo(task) : pool.post(task);
            }
            gate.set_value();
        }
        EXPECT_EQ(order, upwards(200));
    }
}

TEST(post_order, from_a_worker_of_another_pool_is_oldest_first) {
    std::vector<int> order;
    {
        std::promise<void> gate;  // goes after the pool, on which somebody may still look at it
        static_thread_pool pool{{.threads = 1}};
        static_thread_pool other{{.threads = 1}};
        pool.post([&] { gate.get_future().wait(); });
        other.install([&] {
            for (int i = 0; i < 50; ++i) pool.post([&order, i] { order.push_back(i); });
        });
        gate.set_value();
    }
    EXPECT_EQ(order, upwards(50));
}

// Unlike rayon::join, where what the first function spawned lies above the second in the one deque.
TEST(post_order, puts_what_a_forked_function_posted_behind_the_other_function) {
    EXPECT_EQ(
        order_of([](auto record) { coex::fork_join([=] { coex::post([=] { record(2); }); }, [=] { record(1); }); }),
        (std::vector<int>{1, 2}));
}

TEST(post_fifo, delivers_an_exception_to_the_handler_on_a_worker) {
    std::atomic<int> handled{0};
    std::string message;
    {
        static_thread_pool pool{{.threads = 1, .on_exception = [&](std::exception_ptr error) {
                                     EXPECT_EQ(coex::this_thread_index(), 0U);
                                     handled.fetch_add(1);
                                     try {
                                         std::rethrow_exception(error);
                                     } catch (const std::runtime_error& caught) {
                                         message += caught.what();
                                     }
                                 }}};
        pool.post_fifo([] { throw std::runtime_error("from outside "); });
        pool.install([] {
            coex::post_fifo([] { throw std::runtime_error("fifo "); });
            coex::post_fifo([] {
                coex::post([] {
                    coex::post([] { throw std::runtime_error("three"); });
                    throw std::runtime_error("two ");
                });
                throw std::runtime_error("one ");
            });
        });
        EXPECT_EQ(pool.install([] { return 1; }), 1) << "the pool stays usable";
    }
    EXPECT_EQ(handled.load(), 5);
    EXPECT_EQ(message, "from outside fifo one two three");
}

TEST(post_fifo, loses_and_doubles_nothing_when_stolen) {
    std::atomic<int> ran{0};
    {
        static_thread_pool pool{{.threads = 4}};
        for (int spawner = 0; spawner < 20; ++spawner) {
            pool.post([&] {
                for (int i = 0; i < 500; ++i) {
                    coex::post_fifo([&] { ran.fetch_add(1); });
                    coex::post([&] { ran.fetch_add(1); });
                }
            });
        }
    }
    EXPECT_EQ(ran.load(), 20 * 500 * 2);
}

TEST(post, of_the_current_pool_runs_there_and_outside_of_pools_in_the_default_pool) {
    std::promise<bool> inside;
    std::promise<bool> in_default;
    static_thread_pool pool{{.threads = 1}};
    pool.post([&] { coex::post([&] { inside.set_value(pool.this_thread_index().has_value()); }); });
    EXPECT_TRUE(inside.get_future().get());
    auto seen = in_default.get_future();
    coex::post([promise = std::move(in_default)]() mutable {
        promise.set_value(coex::default_pool().this_thread_index().has_value());
    });
    EXPECT_TRUE(seen.get());
}

TEST(post, from_a_task_that_runs_while_the_pool_is_destroyed_still_runs) {
    std::atomic<bool> ran{false};
    std::promise<void> gate;
    std::promise<void> begun;
    std::thread opener;
    {
        static_thread_pool pool{{.threads = 2}};
        pool.post([&] {
            begun.set_value();
            gate.get_future().wait();
            coex::post([&] { coex::post_fifo([&] { ran.store(true); }); });
        });
        begun.get_future().wait();
        opener = std::thread([&] { gate.set_value(); });
    }
    opener.join();
    EXPECT_TRUE(ran.load());
}

TEST(post_death, of_an_empty_function_is_told) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    static_thread_pool pool{{.threads = 1}};
    EXPECT_DEATH(pool.post_fifo(std::function<void()>()), "was given an empty function");
    EXPECT_DEATH(coex::post(static_cast<void (*)()>(nullptr)), "was given an empty function");
}

void post_failing_task(coex::pool_options options) {
    static_thread_pool pool{std::move(options)};
    pool.post_fifo([] { throw std::runtime_error("unowned"); });
}

TEST(post_death, of_a_throwing_task_without_a_handler_ends_the_process) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(post_failing_task({.threads = 1}), "");
}

TEST(post_death, of_a_throwing_handler_ends_the_process) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    coex::pool_options options{.threads = 1};
    options.on_exception = [](const std::exception_ptr&) { throw std::logic_error("handler"); };
    EXPECT_DEATH(post_failing_task(options), "");
}

}  // namespace
