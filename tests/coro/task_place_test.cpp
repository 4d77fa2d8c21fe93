// A task starts where its awaiter is and resumes where it was; only a schedule() moves it, and only itself.

#include "coro/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/run_loop.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>
#include <exec/vocab/queries.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::block_on;
using coex::task;
using coex_test::is_on;
using std::chrono::milliseconds;

struct task_place : testing::Test {
    coex::static_thread_pool a{coex::pool_options{.name = "a", .threads = 2}};
    coex::static_thread_pool b{coex::pool_options{.name = "b", .threads = 2}};
    std::thread::id home = std::this_thread::get_id();

    task<> hop_to(coex::static_thread_pool& pool) {
        co_await pool.schedule();
        EXPECT_TRUE(is_on(pool));
    }
    task<> hop_to_and_sleep(coex::static_thread_pool& pool) {
        co_await pool.schedule();
        co_await coex::sleep_for(milliseconds(1));
        EXPECT_TRUE(is_on(pool));
    }
    task<> hop_to_and_fail(coex::static_thread_pool& pool) {
        co_await pool.schedule();
        throw std::runtime_error("there");
    }
    [[nodiscard]] bool at_home() const { return std::this_thread::get_id() == home; }
};

TEST_F(task_place, starts_and_stays_on_the_thread_that_blocks) {
    const auto root = [this]() -> task<> {
        EXPECT_TRUE(at_home());
        co_await coex::sleep_for(milliseconds(1));
        EXPECT_TRUE(at_home());
    };
    block_on(root());
}

TEST_F(task_place, schedule_moves_the_task_and_it_stays_there) {
    const auto root = [this]() -> task<> {
        co_await a.schedule();
        EXPECT_TRUE(is_on(a));
        co_await coex::sleep_for(milliseconds(1));
        EXPECT_TRUE(is_on(a));
        co_await coex::schedule(b.get_scheduler());
        EXPECT_TRUE(is_on(b));
        EXPECT_FALSE(is_on(a));
        co_await b.schedule();
        EXPECT_TRUE(is_on(b)) << "scheduled to where it is";
    };
    block_on(root());
}

TEST_F(task_place, the_first_place_can_be_returned_to) {
    const auto root = [this]() -> task<> {
        const auto here = co_await coex::read_env(coex::get_scheduler);
        co_await a.schedule();
        EXPECT_TRUE(is_on(a));
        co_await coex::schedule(here);
        EXPECT_TRUE(at_home());
    };
    block_on(root());
}

TEST_F(task_place, a_child_starts_where_its_parent_is) {
    const auto child = [this]() -> task<> {
        EXPECT_TRUE(is_on(a));
        co_return;
    };
    const auto root = [&]() -> task<> {
        co_await a.schedule();
        co_await child();
    };
    block_on(root());
}

TEST_F(task_place, a_child_that_hops_does_not_move_its_parent) {
    const auto root = [this]() -> task<> {
        co_await hop_to(a);
        EXPECT_TRUE(at_home());
        co_await a.schedule();
        for (int i = 0; i < 200; ++i) {
            co_await hop_to(b);
            EXPECT_TRUE(is_on(a));
            co_await hop_to_and_sleep(b);
            EXPECT_TRUE(is_on(a));
        }
    };
    block_on(root());
}

TEST_F(task_place, a_child_that_fails_elsewhere_does_not_move_its_parent) {
    const auto root = [this]() -> task<> {
        co_await a.schedule();
        for (int i = 0; i < 200; ++i) {
            bool caught = false;
            try {
                co_await hop_to_and_fail(b);
            } catch (const std::runtime_error&) {
                caught = true;
            }
            EXPECT_TRUE(caught);
            EXPECT_TRUE(is_on(a));
        }
    };
    block_on(root());
}

TEST_F(task_place, every_level_of_a_chain_resumes_where_it_was) {
    const auto level = [this](auto& self, int depth) -> task<> {
        coex::static_thread_pool& mine = depth % 2 == 0 ? a : b;
        co_await mine.schedule();
        if (depth > 0) co_await self(self, depth - 1);
        EXPECT_TRUE(is_on(mine));
    };
    const auto root = [&]() -> task<> {
        co_await level(level, 100);
        EXPECT_TRUE(at_home());
    };
    block_on(root());
}

TEST_F(task_place, when_all_resumes_its_parent_where_it_was) {
    const auto root = [this]() -> task<> {
        co_await coex::when_all(hop_to(a), hop_to_and_sleep(b));
        EXPECT_TRUE(at_home());
        co_await a.schedule();
        for (int i = 0; i < 100; ++i) {
            std::vector<task<>> children;
            children.push_back(hop_to(b));
            children.push_back(hop_to(a));
            children.push_back(hop_to_and_sleep(b));
            co_await coex::when_all(std::move(children));
            EXPECT_TRUE(is_on(a));
        }
    };
    block_on(root());
}

TEST_F(task_place, when_all_resumes_its_parent_where_it_was_after_an_error) {
    const auto root = [this]() -> task<> {
        co_await a.schedule();
        for (int i = 0; i < 100; ++i) {
            bool caught = false;
            try {
                co_await coex::when_all(hop_to_and_fail(b), hop_to(b));
            } catch (const std::runtime_error&) {
                caught = true;
            }
            EXPECT_TRUE(caught);
            EXPECT_TRUE(is_on(a));
        }
    };
    block_on(root());
}

TEST_F(task_place, a_submission_resumes_its_awaiter_where_it_was) {
    const auto root = [this]() -> task<> {
        const auto here = [this] { return is_on(b); };
        EXPECT_TRUE(co_await b.submit(here));
        EXPECT_TRUE(at_home());
        co_await a.schedule();
        for (int i = 0; i < 200; ++i) {
            auto handle = b.submit(here);
            EXPECT_TRUE(co_await std::move(handle));
            EXPECT_TRUE(is_on(a));
        }
    };
    block_on(root());
}

TEST_F(task_place, a_run_loop_is_a_place_like_a_pool) {
    coex::run_loop loop;
    std::thread driver([&loop] { loop.run(); });
    const auto root = [&, id = driver.get_id()]() -> task<> {
        co_await coex::schedule(loop.get_scheduler());
        EXPECT_EQ(std::this_thread::get_id(), id);
        co_await hop_to_and_sleep(a);
        EXPECT_EQ(std::this_thread::get_id(), id);
        co_await coex::sleep_for(milliseconds(1));
        EXPECT_EQ(std::this_thread::get_id(), id);
        co_await a.schedule();
    };
    block_on(root());
    loop.finish();
    driver.join();
}

TEST_F(task_place, the_environment_tells_where_the_task_is_and_by_what_it_is_stopped) {
    const coex::inplace_stop_source source;
    const auto child = [](coex::inplace_stop_token expected) -> task<> {
        EXPECT_EQ(co_await coex::read_env(coex::get_stop_token), expected);
    };
    const auto root = [&]() -> task<> {
        const auto first = co_await coex::read_env(coex::get_scheduler);
        EXPECT_EQ(co_await coex::read_env(coex::get_stop_token), source.get_token());
        co_await child(source.get_token());
        co_await a.schedule();
        const auto now = co_await coex::read_env(coex::get_scheduler);
        EXPECT_EQ(now, a.get_scheduler());
        EXPECT_NE(now, first);
        co_await hop_to(b);
        EXPECT_EQ(co_await coex::read_env(coex::get_scheduler), a.get_scheduler());
    };
    block_on(root(), source.get_token());
}

}  // namespace
