#include <exec/coro/when_all.hpp>

#include "coro/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/sync/manual_reset_event.hpp>
#include <exec/vocab/queries.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using coex::block_on;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex::when_all;
using coex_test::counted;
using std::chrono::hours;
using std::chrono::milliseconds;

template <class... Tasks>
using result_of = coex::await_result_t<decltype(when_all(std::declval<Tasks>()...))>;
static_assert(std::same_as<result_of<std::vector<task<int>>>, std::vector<int>>);
static_assert(std::same_as<result_of<std::vector<task<>>>, void>);
static_assert(std::same_as<result_of<task<int>, task<std::string>>, std::tuple<int, std::string>>);
static_assert(std::same_as<result_of<task<int>, task<>, task<char&>>, std::tuple<int, char&>>);
static_assert(std::same_as<result_of<task<>, task<>>, void>);
static_assert(std::same_as<result_of<>, void>);

task<int> at_once(int value) {
    co_return value;
}
task<int> later(int value) {
    co_await coex::sleep_for(milliseconds(1));
    co_return value;
}
task<int> fails(const char* why) {
    throw std::runtime_error(why);
    co_return 0;
}
task<int> until_stopped(bool& stopped) {
    struct note {
        bool& flag;
        ~note() { flag = true; }
    } const on_exit{stopped};
    co_await coex::sleep_for(hours(1));
    ADD_FAILURE() << "was not stopped";
    co_return 0;
}
template <class Awaited>
task<std::string> error_of(Awaited awaited) {
    try {
        co_await std::move(awaited);
    } catch (const std::runtime_error& error) {
        co_return error.what();
    }
    co_return "no error";
}

TEST(when_all, of_nothing_completes_at_once) {
    const auto root = []() -> task<std::size_t> {
        co_await when_all();
        std::vector<task<>> none;
        co_await when_all(std::move(none));
        std::vector<task<int>> no_numbers;
        co_return (co_await when_all(std::move(no_numbers))).size();
    };
    EXPECT_EQ(block_on(root()), 0U);
}

TEST(when_all, gives_the_results_of_a_vector_in_its_order) {
    const auto root = []() -> task<std::vector<int>> {
        std::vector<task<int>> tasks;
        for (int i = 0; i < 100; ++i) tasks.push_back(i % 3 == 0 ? later(i) : at_once(i));
        co_return co_await when_all(std::move(tasks));
    };
    const auto results = block_on(root());
    ASSERT_EQ(results.size(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
}

TEST(when_all, gives_a_tuple_without_the_voids) {
    int object = 1;
    const auto nothing = []() -> task<> { co_return; };
    const auto refer = [](int& which) -> task<int&> { co_return which; };
    const auto only_moves = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
    const auto root = [&]() -> task<> {
        auto [number, pointer, reference] =
            co_await when_all(later(5), nothing(), only_moves(), nothing(), refer(object));
        EXPECT_EQ(number, 5);
        EXPECT_EQ(*pointer, 7);
        EXPECT_EQ(&reference, &object);
    };
    block_on(root());
}

TEST(when_all, can_be_awaited_from_outside) {
    EXPECT_EQ(block_on(when_all(at_once(1), later(2))), std::tuple(1, 2));
    EXPECT_EQ(*sync_wait(when_all(at_once(1), later(2))), std::tuple(1, 2));
}

TEST(when_all, starts_the_tasks_in_order_where_the_awaiter_is) {
    std::string order;
    const auto note = [&order](char name, bool sleeps) -> task<> {
        order += name;
        if (sleeps) co_await coex::sleep_for(milliseconds(1));
    };
    block_on(when_all(note('a', true), note('b', false), note('c', true), note('d', false)));
    EXPECT_EQ(order, "abcd");
}

/// Ends after it has waited; `held` lies in its frame.
task<> holds_and_waits(std::shared_ptr<int> held, bool& ended) {
    co_await coex::sleep_for(milliseconds(1));
    static_cast<void>(held);
    ended = true;
}
/// Whether what the other task held is gone when that has ended.
task<> looks_after(const std::weak_ptr<int>& held, const bool& ended, bool& is_gone) {
    while (true) {
        const bool now = ended;
        if (now) break;
        co_await coex::sleep_for(milliseconds(1));
    }
    is_gone = held.expired();
}

TEST(when_all, a_task_that_has_ended_holds_nothing_for_which_its_siblings_wait) {
    for (const bool in_vector : {false, true}) {
        auto shared = std::make_shared<int>(1);
        const std::weak_ptr<int> held = shared;
        bool ended = false;
        bool is_gone = false;
        if (in_vector) {
            std::vector<task<>> tasks;
            tasks.push_back(holds_and_waits(std::move(shared), ended));
            tasks.push_back(looks_after(held, ended, is_gone));
            block_on(when_all(std::move(tasks)));
        } else {
            block_on(when_all(holds_and_waits(std::move(shared), ended), looks_after(held, ended, is_gone)));
        }
        EXPECT_TRUE(is_gone) << (in_vector ? "vector" : "pack");
    }
}

/// Lets a sibling go on, and end, as it goes itself.
struct lets_sibling_end {
    lets_sibling_end(coex::manual_reset_event& goes, const std::atomic<bool>& ended) noexcept
        : goes_(&goes), ended_(&ended) {}
    lets_sibling_end(lets_sibling_end&& other) noexcept
        : goes_(std::exchange(other.goes_, nullptr)), ended_(other.ended_) {}
    lets_sibling_end& operator=(lets_sibling_end&&) = delete;
    ~lets_sibling_end() {
        if (goes_ == nullptr) return;
        goes_->set();
        while (!ended_->load()) std::this_thread::yield();
        for (int i = 0; i < 1000; ++i) std::this_thread::yield();  // until the sibling's error has been noted, too
    }

private:
    coex::manual_reset_event* goes_;
    const std::atomic<bool>* ended_;
};
/// Tells that the frame goes which holds it.
struct tells_its_end {
    explicit tells_its_end(std::atomic<bool>& to) noexcept : to_(&to) {}
    tells_its_end(tells_its_end&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
    tells_its_end& operator=(tells_its_end&&) = delete;
    ~tells_its_end() {
        if (to_ != nullptr) to_->store(true);
    }

private:
    std::atomic<bool>* to_;
};
task<> fails_first(lets_sibling_end held) {
    co_await coex::sleep_for(milliseconds(1));
    static_cast<void>(held);
    throw std::runtime_error("the cause");
}
task<> fails_because_the_other_has_gone(coex::manual_reset_event& other_goes, tells_its_end held) {
    co_await other_goes;
    static_cast<void>(held);
    throw std::runtime_error("what followed from it");
}

TEST(when_all, the_error_that_came_first_wins_over_one_that_its_frame_causes_as_it_goes) {
    coex::manual_reset_event goes;
    std::atomic<bool> second_ended{false};
    static_thread_pool pool{{.threads = 2}};
    const auto both = [&]() -> task<> {
        co_await pool.schedule();
        auto first = fails_first(lets_sibling_end(goes, second_ended));
        auto second = fails_because_the_other_has_gone(goes, tells_its_end(second_ended));
        co_await when_all(std::move(first), std::move(second));
    };
    try {
        block_on(both());
        ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "the cause");
    }
}

TEST(when_all, an_error_stops_the_others_and_is_rethrown_when_all_have_ended) {
    bool first = false;
    bool last = false;
    std::vector<task<int>> tasks;
    tasks.push_back(until_stopped(first));
    tasks.push_back(later(1));
    tasks.push_back(fails("the middle one"));
    tasks.push_back(until_stopped(last));
    EXPECT_EQ(block_on(error_of(when_all(std::move(tasks)))), "the middle one");
    EXPECT_TRUE(first);
    EXPECT_TRUE(last);
}

TEST(when_all, the_first_error_in_time_wins) {
    const auto fails_when_stopped = [](coex::static_thread_pool& pool) -> task<int> {
        const auto token = co_await coex::read_env(coex::get_stop_token);
        while (!token.stop_requested()) co_await pool.schedule();
        throw std::runtime_error("second in time, first in order");
    };
    coex::static_thread_pool pool{coex::pool_options{.name = "errors", .threads = 2}};
    EXPECT_EQ(block_on(error_of(when_all(fails_when_stopped(pool), fails("first in time")))), "first in time");
}

TEST(when_all, an_error_wins_over_a_stop) {
    coex::inplace_stop_source source;
    const auto fails_after_stop = [&source]() -> task<int> {
        source.request_stop();
        throw std::runtime_error("an error");
        co_return 0;
    };
    bool stopped = false;
    EXPECT_EQ(block_on(error_of(when_all(until_stopped(stopped), fails_after_stop())), source.get_token()), "an error");
    EXPECT_TRUE(stopped);
}

TEST(when_all, a_stop_of_the_awaiter_stops_all_tasks) {
    coex::inplace_stop_source source;
    bool one = false;
    bool two = false;
    const auto stopper = [&source]() -> task<int> {
        co_await coex::sleep_for(milliseconds(1));
        source.request_stop();
        co_return 1;
    };
    EXPECT_FALSE(sync_wait(when_all(until_stopped(one), stopper(), until_stopped(two)), source.get_token()));
    EXPECT_TRUE(one);
    EXPECT_TRUE(two);
}

TEST(when_all, of_tasks_that_ignore_a_stop_gives_their_results) {
    coex::inplace_stop_source source;
    source.request_stop();
    EXPECT_EQ(block_on(when_all(at_once(1), at_once(2)), source.get_token()), std::tuple(1, 2));
}

TEST(when_all, a_task_stopped_by_its_own_pool_stops_the_others) {
    bool stopped = false;
    auto pool = std::make_unique<coex::static_thread_pool>(coex::pool_options{.name = "brief", .threads = 1});
    std::atomic<bool> asleep{false};
    const auto sleeper = [&]() -> task<int> {
        co_await pool->schedule();
        asleep = true;
        co_await coex::sleep_for(hours(1));
        co_return 0;
    };
    const auto destroyer = [&]() -> task<int> {
        while (!asleep) co_await coex::sleep_for(milliseconds(1));
        pool.reset();
        co_return 0;
    };
    EXPECT_FALSE(sync_wait(when_all(until_stopped(stopped), sleeper(), destroyer())));
    EXPECT_TRUE(stopped);
}

TEST(when_all, can_be_nested_and_passes_a_stop_down) {
    coex::inplace_stop_source source;
    std::array<bool, 4> stopped{};
    const auto pair = [](bool& left, bool& right) -> task<> {
        co_await when_all(until_stopped(left), until_stopped(right));
    };
    const auto stopper = [&source]() -> task<> {
        co_await coex::sleep_for(milliseconds(1));
        source.request_stop();
    };
    EXPECT_FALSE(
        sync_wait(when_all(pair(stopped[0], stopped[1]), stopper(), pair(stopped[2], stopped[3])), source.get_token()));
    EXPECT_EQ(stopped, (std::array<bool, 4>{true, true, true, true}));
}

TEST(when_all, that_is_not_awaited_destroys_the_tasks_and_runs_none) {
    const auto take = [](counted) -> task<> {
        ADD_FAILURE() << "ran";
        co_return;
    };
    {
        std::vector<task<>> tasks;
        for (int i = 0; i < 3; ++i) tasks.push_back(take(counted(i)));
        const auto range = when_all(std::move(tasks));
        const auto pack = when_all(take(counted(1)), take(counted(2)));
        EXPECT_EQ(counted::live, 5);
    }
    EXPECT_EQ(counted::live, 0);
}

// Children end at once, later, on another pool, with an error or stopped, in random mixtures, while somebody else may
// request stop: the parent goes on exactly once, after all of them, and nothing is left.
TEST(when_all, stampede_of_random_endings_loses_nothing) {
    constexpr unsigned seed = 20;
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::atomic<int> ended{0};
    coex::static_thread_pool pool{coex::pool_options{.name = "mix", .threads = 3}};
    const auto child = [&](unsigned kind, counted argument) -> task<counted> {
        struct note {
            std::atomic<int>& count;
            ~note() { ++count; }
        } const on_exit{ended};
        if (kind & 1U) co_await pool.schedule();
        if (kind % 5 == 0) co_await coex::sleep_for(std::chrono::microseconds(kind));
        if (kind % 31 == 7) throw std::runtime_error("error");
        if (kind % 29 == 3) co_await coex::sleep_for(hours(1));
        co_return counted(argument.value);
    };
    constexpr int rounds = 300;
    for (int round = 0; round < rounds; ++round) {
        coex::inplace_stop_source source;
        const auto root = [&]() -> task<> {
            if (random() % 2 == 0) co_await pool.schedule();
            std::vector<task<counted>> children;
            for (int i = 0; i < 12; ++i) children.push_back(child(static_cast<unsigned>(random() % 1000), counted(i)));
            const auto results = co_await when_all(std::move(children));
            for (int i = 0; i < 12; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)].value, i);
        };
        ended = 0;
        // Requested from the pool, so a child that waits for it in vain cannot hold up the round.
        auto request = pool.submit([&source] { source.request_stop(); });
        try {
            sync_wait(root(), source.get_token());
        } catch (const std::runtime_error&) {
            EXPECT_GE(ended, 1);
        }
        EXPECT_EQ(ended, 12);
        EXPECT_EQ(counted::live, 0);
        request.get();
    }
}

}  // namespace
