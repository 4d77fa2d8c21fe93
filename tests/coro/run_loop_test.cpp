#include <exec/coro/run_loop.hpp>

#include "coro/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/timer.hpp>
#include <exec/vocab/work_item.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

struct noted : coex::work_item {
    noted(std::string& book, char letter) noexcept : coex::work_item(&noted::write), into(book), name(letter) {}
    static void write(coex::work_item* item) noexcept {
        auto& self = *static_cast<noted*>(item);
        self.into += self.name;
    }
    std::string& into;
    char name;
};

TEST(run_loop, runs_what_was_submitted_before_the_finish_in_order_and_returns) {
    coex::run_loop loop;
    std::string book;
    noted a(book, 'a');
    noted b(book, 'b');
    loop.submit(&a);
    loop.submit(&b);
    EXPECT_EQ(book, "") << "not within submit";
    loop.finish();
    loop.run();
    EXPECT_EQ(book, "ab");
}

TEST(run_loop, runs_what_its_items_submit) {
    struct again : coex::work_item {
        explicit again(coex::run_loop& where) noexcept : coex::work_item(&again::call), loop(where) {}
        static void call(coex::work_item* item) noexcept {
            auto& self = *static_cast<again*>(item);
            if (++self.count < 1000) {
                self.loop.submit(item);
            } else {
                self.loop.finish();
            }
        }
        coex::run_loop& loop;
        int count = 0;
    };
    coex::run_loop loop;
    again item(loop);
    loop.submit(&item);
    loop.run();
    EXPECT_EQ(item.count, 1000);
}

TEST(run_loop, takes_items_from_many_threads) {
    struct counting : coex::work_item {
        counting() noexcept : coex::work_item(&counting::call) {}
        static void call(coex::work_item* item) noexcept { ++static_cast<counting*>(item)->calls; }
        int calls = 0;
    };
    constexpr std::size_t threads = 3;
    constexpr std::size_t each = 2000;
    coex::run_loop loop;
    std::vector<counting> items(threads * each);
    std::thread driver([&loop] { loop.run(); });
    std::vector<std::thread> submitters;
    for (std::size_t t = 0; t < threads; ++t) {
        submitters.emplace_back([&, t] {
            for (std::size_t i = 0; i < each; ++i) loop.submit(&items[t * each + i]);
        });
    }
    for (std::thread& submitter : submitters) submitter.join();
    loop.finish();
    driver.join();
    for (const counting& item : items) EXPECT_EQ(item.calls, 1);
}

TEST(run_loop, may_be_destroyed_as_soon_as_run_has_returned) {
    for (int round = 0; round < 300; ++round) {
        auto loop = std::make_unique<coex::run_loop>();
        std::thread finisher([&where = *loop] { where.finish(); });
        loop->run();
        loop.reset();
        finisher.join();
    }
}

TEST(run_loop, is_an_equal_scheduler_for_itself_only) {
    coex::run_loop one;
    coex::run_loop other;
    EXPECT_EQ(one.get_scheduler(), one.get_scheduler());
    EXPECT_NE(one.get_scheduler(), other.get_scheduler());
}

TEST(run_loop, ends_timers_in_the_order_of_their_deadlines) {
    std::string order;
    const auto base = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    const auto wait = [&](char name, int milliseconds) -> coex::task<> {
        co_await coex::sleep_until(base + std::chrono::milliseconds(milliseconds));
        order += name;
        EXPECT_GE(std::chrono::steady_clock::now(), base + std::chrono::milliseconds(milliseconds));
    };
    coex::block_on(coex::when_all(wait('c', 6), wait('a', 0), wait('b', 3)));
    EXPECT_EQ(order, "abc");
}

// A timer is cancelled from another thread at about the time when it expires: it ends exactly once, either way.
TEST(run_loop, a_timer_that_is_cancelled_while_it_expires_ends_once) {
    int slept = 0;
    int stopped = 0;
    constexpr int rounds = 300;
    for (int round = 0; round < rounds; ++round) {
        coex::inplace_stop_source source;
        std::atomic<bool> started{false};
        std::thread requester([&] {
            started.wait(false);
            source.request_stop();
        });
        const auto work = [&]() -> coex::task<> {
            started = true;
            started.notify_one();
            co_await coex::sleep_for(std::chrono::microseconds(60));
        };
        if (coex::sync_wait(work(), source.get_token())) {
            ++slept;
        } else {
            ++stopped;
        }
        requester.join();
    }
    EXPECT_EQ(slept + stopped, rounds);
}

}  // namespace
