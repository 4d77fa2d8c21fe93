#include <exec/pool/current_pool.hpp>
#include <exec/pool/scope.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::scope;
using coex::static_thread_pool;

TEST(scope, without_tasks_returns) {
    static_thread_pool pool{{.threads = 2}};
    pool.scope([](scope&) {});
    pool.in_place_scope([](scope&) {});
    coex::with_scope([](scope&) {});
    coex::in_place_scope([](scope&) {});
}

TEST(scope, gives_what_its_body_returns) {
    static_thread_pool pool{{.threads = 2}};
    EXPECT_EQ(pool.scope([](scope&) { return 22; }), 22);
    EXPECT_EQ(*pool.in_place_scope([](scope&) { return std::make_unique<int>(23); }), 23);
    int variable = 0;
    EXPECT_EQ(&coex::with_scope([&](scope&) -> int& { return variable; }), &variable);
}

TEST(scope, ends_after_all_its_tasks) {
    std::atomic<int> sum{0};
    static_thread_pool pool{{.threads = 2}};
    pool.scope([&](scope& s) {
        s.spawn([&](scope&) { sum.fetch_add(1); });
        s.spawn([&] { sum.fetch_add(10); });
    });
    EXPECT_EQ(sum.load(), 11);
}

TEST(scope, runs_its_body_on_a_worker_and_in_place_on_the_caller) {
    static_thread_pool pool{{.threads = 2}};
    EXPECT_TRUE(pool.scope([&](scope&) { return pool.this_thread_index().has_value(); }));
    EXPECT_EQ(pool.in_place_scope([](scope&) { return std::this_thread::get_id(); }), std::this_thread::get_id());
    EXPECT_EQ(coex::in_place_scope([](scope&) { return std::this_thread::get_id(); }), std::this_thread::get_id());
    EXPECT_TRUE(coex::with_scope([](scope&) { return coex::default_pool().this_thread_index().has_value(); }));
}

void halve(scope& s, std::atomic<int>& leaves, int size) {
    if (size == 1) {
        leaves.fetch_add(1);
        return;
    }
    s.spawn([&leaves, size](scope& inner) { halve(inner, leaves, size / 2); });
    s.spawn([&leaves, size](scope& inner) { halve(inner, leaves, size - size / 2); });
}

TEST(scope, tasks_may_spawn_into_it_as_deep_as_they_like) {
    static_thread_pool pool{{.threads = 3}};
    std::atomic<int> leaves{0};
    pool.scope([&](scope& s) { halve(s, leaves, 1024); });
    EXPECT_EQ(leaves.load(), 1024);
}

struct tree {
    int value = 0;
    std::vector<std::unique_ptr<tree>> children;
};

std::unique_ptr<tree> random_tree(int depth, unsigned& seed) {
    auto made = std::make_unique<tree>();
    made->value = static_cast<int>((seed = seed * 1664525U + 1013904223U) >> 16);
    for (unsigned i = 0; depth > 0 && i < 3; ++i) made->children.push_back(random_tree(depth - 1, seed));
    return made;
}

void increment(scope& s, tree& node) {
    ++node.value;
    for (auto& child : node.children) {
        s.spawn([&child](scope& inner) { increment(inner, *child); });
    }
}

void expect_incremented(const tree& before, const tree& after) {
    EXPECT_EQ(after.value, before.value + 1);
    for (std::size_t i = 0; i < before.children.size(); ++i) {
        expect_incremented(*before.children[i], *after.children[i]);
    }
}

TEST(scope, tasks_update_each_node_of_a_borrowed_tree) {
    static_thread_pool pool{{.threads = 3}};
    unsigned seed = 5;
    const auto before = random_tree(6, seed);
    seed = 5;
    const auto after = random_tree(6, seed);
    pool.scope([&](scope& s) { increment(s, *after); });
    expect_incremented(*before, *after);
}

struct stack_span {
    std::atomic<char*> lowest{nullptr};
    std::atomic<char*> highest{nullptr};
};

void follow_chain(scope& s, stack_span& seen, int left) {
    // Not the address of a local: the address sanitizer may keep those elsewhere.
    char* const place = static_cast<char*>(__builtin_frame_address(0));
    if (seen.lowest.load() == nullptr || place < seen.lowest.load()) seen.lowest.store(place);
    if (seen.highest.load() == nullptr || place > seen.highest.load()) seen.highest.store(place);
    if (left > 0) s.spawn([&seen, left](scope& inner) { follow_chain(inner, seen, left - 1); });
}

TEST(scope, a_chain_of_tasks_does_not_deepen_the_stack) {
    static_thread_pool pool{{.threads = 1}};
    const auto depth = [&](int length) {
        stack_span seen;
        pool.scope([&](scope& s) { s.spawn([&, length](scope& inner) { follow_chain(inner, seen, length); }); });
        return seen.highest.load() - seen.lowest.load();
    };
    const auto of_five = depth(5);
    EXPECT_EQ(depth(500), of_five);
}

TEST(scope, spawned_into_by_a_foreign_thread_runs_its_task_in_the_pool) {
    std::atomic<bool> inside{false};
    static_thread_pool pool{{.threads = 1}};
    pool.in_place_scope([&](scope& s) {
        std::thread([&] { s.spawn([&] { inside.store(pool.this_thread_index().has_value()); }); }).join();
    });
    EXPECT_TRUE(inside.load());
}

TEST(scope, does_not_wait_for_what_is_posted_otherwise) {
    std::promise<void> gate;
    std::atomic<int> handled{0};
    std::atomic<bool> ended{false};
    {
        static_thread_pool pool{{.threads = 2, .on_exception = [&](std::exception_ptr) { handled.fetch_add(1); }}};
        auto opened = gate.get_future().share();
        pool.scope([&, opened](scope&) {
            pool.post([&, opened] {
                opened.wait();
                ended.store(true);
                throw std::runtime_error("not the scope's");
            });
        });
        EXPECT_FALSE(ended.load());
        gate.set_value();
    }
    EXPECT_TRUE(ended.load());
    EXPECT_EQ(handled.load(), 1);
}

TEST(scope, in_place_may_wait_for_its_task_with_one_thread) {
    static_thread_pool pool{{.threads = 1}};
    EXPECT_EQ(pool.in_place_scope([](scope& s) {
        std::promise<int> promise;
        auto result = promise.get_future();
        s.spawn([&promise] { promise.set_value(22); });
        return result.get();
    }),
              22);
}

TEST(scope, opened_outside_runs_no_task_on_the_caller) {
    static_thread_pool pool{{.threads = 2}};
    const auto caller = std::this_thread::get_id();
    std::atomic<int> here{0};
    pool.in_place_scope([&](scope& s) {
        for (int i = 0; i < 20; ++i) {
            s.spawn([&] { here.fetch_add(std::this_thread::get_id() == caller ? 1 : 0); });
        }
    });
    EXPECT_EQ(here.load(), 0);
}

TEST(scope, in_place_on_a_worker_of_another_pool_leaves_the_current_pool_alone) {
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 2}};
    a.install([&] {
        const auto caller = std::this_thread::get_id();
        std::thread::id in_scope;
        std::thread::id in_own;
        std::promise<std::thread::id> in_post;
        std::thread::id seen;
        b.in_place_scope([&](scope& s) {
            EXPECT_EQ(std::this_thread::get_id(), caller);
            s.spawn([&] {
                EXPECT_TRUE(b.this_thread_index().has_value());
                in_scope = std::this_thread::get_id();
            });
            coex::with_scope([&](scope& own) { own.spawn([&] { in_own = std::this_thread::get_id(); }); });
            EXPECT_EQ(coex::thread_count(), 1U);
            coex::post([&] { in_post.set_value(std::this_thread::get_id()); });
            s.spawn([&] { seen = in_post.get_future().get(); });  // so that the caller waits until it has run that
        });
        EXPECT_NE(in_scope, caller);
        EXPECT_EQ(in_own, caller) << "the only worker of its own pool";
        EXPECT_EQ(seen, caller);
    });
}

TEST(scope, a_worker_that_waits_for_one_in_another_pool_works_for_its_own) {
    std::promise<void> told;
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 1}};
    a.install([&] {
        a.post([&] { told.set_value(); });
        b.in_place_scope([&](scope& s) { s.spawn([&] { told.get_future().wait(); }); });
    });
}

int nest(static_thread_pool& here, static_thread_pool& there, int depth) {
    if (depth == 0) return 0;
    int below = 0;
    there.scope([&](scope& s) { s.spawn([&] { below = nest(there, here, depth - 1); }); });
    return below + 1;
}

TEST(scope, nests_across_two_pools_a_thousand_deep) {
    static_thread_pool a{{.threads = 1}};
    static_thread_pool b{{.threads = 1}};
    EXPECT_EQ(nest(a, b, 1000), 1000);
}

void nest_over(std::vector<std::unique_ptr<static_thread_pool>>& pools, std::vector<scope*> opened,
               std::atomic<int>& ran) {
    if (opened.size() == pools.size()) {
        for (scope* each : opened) each->spawn([&] { ran.fetch_add(1); });
        return;
    }
    pools[opened.size()]->scope([&](scope& s) {
        opened.push_back(&s);
        nest_over(pools, opened, ran);
    });
}

TEST(scope, nests_over_ten_pools_of_one_thread) {
    std::vector<std::unique_ptr<static_thread_pool>> pools;
    for (int i = 0; i < 10; ++i) {
        pools.push_back(std::make_unique<static_thread_pool>(coex::pool_options{.threads = 1}));
    }
    std::atomic<int> ran{0};
    nest_over(pools, {}, ran);
    EXPECT_EQ(ran.load(), 10);
}

TEST(scope, destroys_what_a_task_holds_before_it_ends) {
    static_thread_pool pool{{.threads = 2}};
    const auto held = std::make_shared<int>(1);
    pool.in_place_scope([&](scope& s) {
        for (int i = 0; i < 100; ++i) s.spawn([held] {});
    });
    EXPECT_EQ(held.use_count(), 1);
}

TEST(scope, loses_and_doubles_nothing_under_load) {
    static_thread_pool pool{{.threads = 4}};
    for (int round = 0; round < 200; ++round) {
        std::atomic<int> ran{0};
        pool.in_place_scope([&](scope& s) {
            for (int i = 0; i < 50; ++i) {
                s.spawn([&](scope& inner) {
                    ran.fetch_add(1);
                    inner.spawn([&] { ran.fetch_add(1); });
                });
            }
        });
        ASSERT_EQ(ran.load(), 100);
    }
}

TEST(scope_death, of_an_empty_function_is_told) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    static_thread_pool pool{{.threads = 1}};
    EXPECT_DEATH(pool.scope([](scope& s) { s.spawn(std::function<void()>()); }),
                 "spawn\\(\\) was given an empty function");
    void (*null)(scope&) = nullptr;
    EXPECT_DEATH(pool.scope([null](scope& s) { s.spawn(null); }), "spawn\\(\\) was given an empty function");
}

}  // namespace
