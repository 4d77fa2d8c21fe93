#include <exec/pool/scope.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

using coex::scope;
using coex::static_thread_pool;

struct scope_exceptions : ::testing::Test {
    static_thread_pool pool{{.threads = 2}};
    static_thread_pool single{{.threads = 1}};

    template <class Body>
    static std::string message_of(static_thread_pool& where, Body body) {
        try {
            where.scope(body);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "none";
    }
};

[[noreturn]] void fail(const char* what) {
    throw std::runtime_error(what);
}

TEST_F(scope_exceptions, the_bodys_arrives_at_the_caller) {
    EXPECT_EQ(message_of(pool, [](scope&) { fail("body"); }), "body");
    EXPECT_THROW(pool.in_place_scope([](scope&) { fail("body"); }), std::runtime_error);
    EXPECT_THROW(pool.in_place_scope([](scope&) -> int { fail("body"); }), std::runtime_error);
}

TEST_F(scope_exceptions, a_tasks_arrives_at_the_caller) {
    EXPECT_EQ(message_of(pool, [](scope& s) { s.spawn([](scope&) { fail("task"); }); }), "task");
}

TEST_F(scope_exceptions, one_of_a_task_three_levels_deep_arrives) {
    EXPECT_EQ(
        message_of(pool,
                   [](scope& s) {
                       s.spawn([](scope& a) { a.spawn([](scope& b) { b.spawn([](scope&) { fail("deep"); }); }); });
                   }),
        "deep");
}

TEST_F(scope_exceptions, one_passes_through_an_inner_scope) {
    EXPECT_EQ(message_of(pool,
                         [&](scope& outer) {
                             outer.spawn([&] { pool.scope([](scope& inner) { inner.spawn([] { fail("inner"); }); }); });
                         }),
              "inner");
}

TEST_F(scope_exceptions, the_sibling_spawned_after_the_failing_task_runs) {
    std::atomic<bool> ran{false};
    EXPECT_EQ(message_of(single,
                         [&](scope& s) {
                             s.spawn([] { fail("task"); });
                             s.spawn([&] { ran.store(true); });
                         }),
              "task");
    EXPECT_TRUE(ran.load());
}

TEST_F(scope_exceptions, the_sibling_spawned_before_the_failing_task_runs) {
    std::atomic<bool> ran{false};
    EXPECT_EQ(message_of(single,
                         [&](scope& s) {
                             s.spawn([&] { ran.store(true); });
                             s.spawn([] { fail("task"); });
                         }),
              "task");
    EXPECT_TRUE(ran.load());
}

TEST_F(scope_exceptions, a_task_runs_though_the_body_failed_after_spawning_it) {
    std::atomic<bool> ran{false};
    EXPECT_EQ(message_of(single,
                         [&](scope& s) {
                             s.spawn([&] { ran.store(true); });
                             fail("body");
                         }),
              "body");
    EXPECT_TRUE(ran.load());
}

TEST_F(scope_exceptions, the_body_goes_on_though_a_task_failed) {
    std::atomic<bool> ran{false};
    EXPECT_EQ(message_of(pool,
                         [&](scope& s) {
                             s.spawn([] { fail("task"); });
                             ran.store(true);
                         }),
              "task");
    EXPECT_TRUE(ran.load());
}

TEST_F(scope_exceptions, the_first_in_time_wins_and_all_tasks_run) {
    std::promise<void> early_has_failed;
    auto failed = early_has_failed.get_future().share();
    std::atomic<int> ran{0};
    static_thread_pool three{{.threads = 3}};
    EXPECT_EQ(message_of(three,
                         [&](scope& s) {
                             s.spawn([&, failed] {
                                 failed.wait();
                                 ran.fetch_add(1);
                                 fail("late");
                             });
                             s.spawn([&, failed](scope& inner) {
                                 // When this one runs, the early one has failed and its exception is kept.
                                 struct at_end {
                                     std::promise<void>* told;
                                     ~at_end() { told->set_value(); }
                                 };
                                 inner.spawn([&, end = std::make_shared<at_end>(&early_has_failed)] {
                                     ran.fetch_add(1);
                                     fail("early");
                                 });
                             });
                             s.spawn([&] { ran.fetch_add(1); });
                         }),
              "early");
    EXPECT_EQ(ran.load(), 3) << "also what ran after the first exception";
}

TEST_F(scope_exceptions, a_tasks_before_the_bodys_wins) {
    // The body on the caller's thread: it sees the task's end.
    std::promise<void> ended;
    try {
        single.in_place_scope([&](scope& s) {
            struct at_end {
                std::promise<void>* told;
                ~at_end() { told->set_value(); }
            };
            s.spawn([end = std::make_shared<at_end>(&ended)] { fail("task"); });
            ended.get_future().wait();
            fail("body");
        });
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "task");
    }
}

TEST_F(scope_exceptions, the_bodys_result_is_destroyed_when_a_task_failed) {
    const auto result = std::make_shared<int>(0);
    EXPECT_THROW(static_cast<void>(single.scope([&](scope& s) {
                     s.spawn([] { fail("task"); });
                     return result;
                 })),
                 std::runtime_error);
    EXPECT_EQ(result.use_count(), 1);
}

TEST_F(scope_exceptions, leave_the_pool_usable) {
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(message_of(pool,
                             [](scope& s) {
                                 for (int task = 0; task < 4; ++task) s.spawn([] { fail("task"); });
                             }),
                  "task");
    }
    EXPECT_EQ(pool.install([] { return 1; }), 1);
}

}  // namespace
