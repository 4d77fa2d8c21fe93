#include "order.hpp"

#include <exec/pool/current_pool.hpp>
#include <exec/pool/scope.hpp>
#include <exec/pool/scope_fifo.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

using coex::scope;
using coex::scope_fifo;
using coex::static_thread_pool;
using coex_test::direction;
using coex_test::downwards;
using coex_test::rows;
using coex_test::upwards;

constexpr int side = 4;  // 4 + 16 tasks: no task's turn comes out of order to keep others from starving

// The two kinds of scope under the same names.
struct lifo {
    using handle = scope;
    static constexpr direction order = direction::down;
    template <class Body>
    static void open(Body body) {
        coex::with_scope(body);
    }
    template <class Body>
    static auto open_on(static_thread_pool& pool, Body body) {
        return pool.scope(body);
    }
    template <class Task>
    static void spawn(scope& s, Task task) {
        s.spawn(std::move(task));
    }
};
struct fifo {
    using handle = scope_fifo;
    static constexpr direction order = direction::up;
    template <class Body>
    static void open(Body body) {
        coex::with_scope_fifo(body);
    }
    template <class Body>
    static auto open_on(static_thread_pool& pool, Body body) {
        return pool.scope_fifo(body);
    }
    template <class Task>
    static void spawn(scope_fifo& s, Task task) {
        s.spawn_fifo(std::move(task));
    }
};

template <class Kind>
class scope_order : public ::testing::Test {
protected:
    std::vector<int> order;
    static_thread_pool pool{{.threads = 1}};
    auto record(int number) {
        return [this, number] { order.push_back(number); };
    }
};
using kinds = ::testing::Types<lifo, fifo>;
TYPED_TEST_SUITE(scope_order, kinds);

TYPED_TEST(scope_order, of_one_threads_tasks_is_that_of_the_kind) {
    this->pool.install([this] {
        TypeParam::open([this](auto& s) {
            for (int i = 0; i < 20; ++i) TypeParam::spawn(s, this->record(i));
        });
    });
    EXPECT_EQ(this->order, TypeParam::order == direction::up ? upwards(20) : downwards(20));
}

TYPED_TEST(scope_order, of_the_tasks_of_a_pools_scope_is_that_of_the_kind) {
    TypeParam::open_on(this->pool, [this](auto& s) {
        for (int i = 0; i < 20; ++i) TypeParam::spawn(s, this->record(i));
    });
    EXPECT_EQ(this->order, TypeParam::order == direction::up ? upwards(20) : downwards(20));
}

template <class Kind>
class scopes_of_both_kinds : public ::testing::Test {};
TYPED_TEST_SUITE(scopes_of_both_kinds, kinds);

std::atomic<int> of_the_process{0};

TYPED_TEST(scopes_of_both_kinds, let_a_body_change_what_their_tasks_do_not_borrow) {
    std::vector<int> left = upwards(100);  // the body's alone
    of_the_process.store(0);
    static_thread_pool many{{.threads = 3}};
    TypeParam::open_on(many, [&left](auto& s) {
        for (; !left.empty(); left.pop_back()) {
            TypeParam::spawn(s, [number = left.back()] { of_the_process.fetch_add(number); });
        }
    });
    EXPECT_EQ(of_the_process.load(), 99 * 100 / 2);
    EXPECT_TRUE(left.empty());
}

// Its tasks borrow from its own frame and from that of its caller.
template <class Kind>
int add_all(static_thread_pool& pool, const std::vector<int>& increments) {
    std::atomic<int> sum{0};
    Kind::open_on(pool, [&](auto& s) {
        for (const int& each : increments) Kind::spawn(s, [&sum, &each] { sum.fetch_add(each); });
    });
    return sum.load();
}

TYPED_TEST(scopes_of_both_kinds, let_tasks_borrow_from_frames_of_different_lives) {
    const std::vector<int> increments(100, 1);
    static_thread_pool many{{.threads = 3}};
    EXPECT_EQ(add_all<TypeParam>(many, increments), 100);
}

TYPED_TEST(scope_order, of_tasks_spawned_by_tasks_is_that_of_the_kind) {
    using handle = typename TypeParam::handle;
    this->pool.install([this] {
        TypeParam::open([this](auto& s) {
            for (int i = 0; i < side; ++i) {
                TypeParam::spawn(s, [this, i](handle& inner) {
                    for (int j = 0; j < side; ++j) TypeParam::spawn(inner, this->record(i * side + j));
                });
            }
        });
    });
    EXPECT_EQ(this->order, rows(side, TypeParam::order, TypeParam::order));
}

template <class Outer, class Inner, class Fixture>
void nest(Fixture& fixture) {
    fixture.install([&fixture] {
        Outer::open([&fixture](auto& outer) {
            for (int i = 0; i < side; ++i) {
                Outer::spawn(outer, [&fixture, i] {
                    Inner::open([&fixture, i](auto& inner) {
                        for (int j = 0; j < side; ++j) Inner::spawn(inner, fixture.record(i * side + j));
                    });
                });
            }
        });
    });
}

struct order_log {
    static_thread_pool pool{{.threads = 1}};
    std::vector<int> order;
    auto record(int number) {
        return [this, number] { order.push_back(number); };
    }
    template <class Body>
    void install(Body body) {
        pool.install(body);
    }
};

TEST(nested_scopes, of_the_same_kind_run_in_its_order) {
    order_log newest;
    nest<lifo, lifo>(newest);
    EXPECT_EQ(newest.order, rows(side, direction::down, direction::down));
    order_log oldest;
    nest<fifo, fifo>(oldest);
    EXPECT_EQ(oldest.order, rows(side, direction::up, direction::up));
}

TEST(nested_scopes, of_both_kinds_each_keep_their_order) {
    order_log lifo_outside;
    nest<lifo, fifo>(lifo_outside);
    EXPECT_EQ(lifo_outside.order, rows(side, direction::down, direction::up));
    order_log fifo_outside;
    nest<fifo, lifo>(fifo_outside);
    EXPECT_EQ(fifo_outside.order, rows(side, direction::up, direction::down));
}

template <class Outer, class Inner>
std::vector<int> mix() {
    order_log log;
    log.install([&log] {
        Outer::open([&log](auto& outer) {
            Outer::spawn(outer, log.record(0));
            Inner::open([&](auto& inner) {
                Inner::spawn(inner, log.record(-1));
                Outer::spawn(outer, log.record(1));
                Inner::spawn(inner, log.record(-2));
                Outer::spawn(outer, log.record(2));
                Inner::spawn(inner, log.record(-3));
            });
            Outer::spawn(outer, log.record(3));
        });
    });
    return log.order;
}

TEST(nested_scopes, run_outer_tasks_while_the_inner_one_waits_and_stop_at_its_end) {
    EXPECT_EQ((mix<lifo, lifo>()), (std::vector<int>{-3, 2, -2, 1, -1, 3, 0}));
    EXPECT_EQ((mix<fifo, fifo>()), (std::vector<int>{-1, 0, -2, 1, -3, 2, 3}));
    EXPECT_EQ((mix<lifo, fifo>()), (std::vector<int>{-1, 2, -2, 1, -3, 3, 0}));
    EXPECT_EQ((mix<fifo, lifo>()), (std::vector<int>{-3, 0, -2, 1, -1, 2, 3}));
}

TEST(nested_scopes, go_on_with_the_body_as_soon_as_the_inner_one_has_ended) {
    order_log log;
    log.install([&] {
        coex::with_scope([&](scope& outer) {
            outer.spawn(log.record(2));
            coex::with_scope([&](scope& inner) { inner.spawn(log.record(0)); });
            log.record(1)();
        });
    });
    EXPECT_EQ(log.order, upwards(3));
}

TEST(scope_fifo, returns_what_its_body_returns_and_waits_for_all_tasks) {
    std::atomic<int> ran{0};
    static_thread_pool pool{{.threads = 3}};
    const auto body = [&](scope_fifo& s) {
        for (int i = 0; i < 100; ++i) {
            s.spawn_fifo([&](scope_fifo& inner) { inner.spawn_fifo([&] { ran.fetch_add(1); }); });
        }
        return 7;
    };
    EXPECT_EQ(pool.scope_fifo(body), 7);
    EXPECT_EQ(pool.in_place_scope_fifo(body), 7);
    EXPECT_EQ(coex::with_scope_fifo(body), 7);
    EXPECT_EQ(coex::in_place_scope_fifo(body), 7);
    EXPECT_EQ(ran.load(), 400);
}

TEST(scope_fifo, in_place_may_wait_for_its_task_with_one_thread) {
    std::promise<int> promise;
    static_thread_pool pool{{.threads = 1}};
    EXPECT_EQ(pool.in_place_scope_fifo([&](scope_fifo& s) {
        s.spawn_fifo([&promise] { promise.set_value(22); });
        return promise.get_future().get();
    }),
              22);
}

void nest_over(std::vector<std::unique_ptr<static_thread_pool>>& pools, std::vector<scope_fifo*> opened,
               std::atomic<int>& ran) {
    if (opened.size() == pools.size()) {
        for (scope_fifo* each : opened) each->spawn_fifo([&] { ran.fetch_add(1); });
        return;
    }
    pools[opened.size()]->scope_fifo([&](scope_fifo& s) {
        opened.push_back(&s);
        nest_over(pools, opened, ran);
    });
}

TEST(scope_fifo, nests_over_ten_pools_of_one_thread) {
    std::vector<std::unique_ptr<static_thread_pool>> pools;
    for (int i = 0; i < 10; ++i) {
        pools.push_back(std::make_unique<static_thread_pool>(coex::pool_options{.threads = 1}));
    }
    std::atomic<int> ran{0};
    nest_over(pools, {}, ran);
    EXPECT_EQ(ran.load(), 10);
}

TEST(scope_fifo, rethrows_a_tasks_exception_after_all_tasks_have_run) {
    std::atomic<int> ran{0};
    static_thread_pool pool{{.threads = 2}};
    EXPECT_THROW(pool.scope_fifo([&](scope_fifo& s) {
        for (int i = 0; i < 50; ++i) {
            s.spawn_fifo([&, i] {
                ran.fetch_add(1);
                if (i == 3) throw std::runtime_error("task");
            });
        }
    }),
                 std::runtime_error);
    EXPECT_EQ(ran.load(), 50);
}

TEST(scope_fifo, is_gone_only_after_the_last_thief_has_let_go) {
    static_thread_pool pool{{.threads = 4}};
    for (int round = 0; round < 300; ++round) {
        std::atomic<int> ran{0};
        pool.scope_fifo([&](scope_fifo& s) {
            for (int i = 0; i < 30; ++i) {
                s.spawn_fifo([&](scope_fifo& inner) {
                    ran.fetch_add(1);
                    inner.spawn_fifo([&] { ran.fetch_add(1); });
                });
            }
        });
        ASSERT_EQ(ran.load(), 60);
    }
}

// A fork_join that is made of a scope.
template <class First, class Second>
void join_by_scope(First first, Second second) {
    coex::with_scope([&](scope& s) {
        s.spawn([&] { second(); });
        first();
    });
}

void quick_sort(std::vector<int>& numbers, std::size_t first, std::size_t last) {
    if (last - first < 2) return;
    const auto at = [&](std::size_t index) { return numbers.begin() + static_cast<std::ptrdiff_t>(index); };
    const int pivot = numbers[first + (last - first) / 2];
    const auto less = std::partition(at(first), at(last), [=](int each) { return each < pivot; });
    const auto equal = std::partition(less, at(last), [=](int each) { return each == pivot; });
    const auto left = static_cast<std::size_t>(less - numbers.begin());
    const auto right = static_cast<std::size_t>(equal - numbers.begin());
    join_by_scope([&] { quick_sort(numbers, first, left); }, [&] { quick_sort(numbers, right, last); });
}

TEST(scope, stands_in_for_fork_join) {
    static_thread_pool pool{{.threads = 3}};
    std::vector<int> numbers;
    unsigned seed = 11;
    for (int i = 0; i < 256; ++i) {
        seed = seed * 1664525U + 1013904223U;
        numbers.push_back(static_cast<int>(seed >> 20));
    }
    auto sorted = numbers;
    std::sort(sorted.begin(), sorted.end());
    pool.install([&] { quick_sort(numbers, 0, numbers.size()); });
    EXPECT_EQ(numbers, sorted);
}

}  // namespace
