// Both libraries in one file, coex first; the other order: stdexec_first_test.cpp.
#include <exec/exec.hpp>

#include <exec/interop/stdexec_adaptors.hpp>
#include <exec/interop/stdexec_parallel_scheduler.hpp>
#include <exec/interop/stdexec_scheduler.hpp>

#include <stdexec/execution.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using coex::interop::as_coex;
using coex::interop::as_stdexec;
using coex::interop::stdexec_scheduler;

static_assert(stdexec::scheduler<stdexec_scheduler>);
static_assert(stdexec::sender_in<decltype(stdexec::schedule(std::declval<stdexec_scheduler>())), stdexec::env<>>);
static_assert(std::is_same_v<stdexec::completion_signatures_of_t<decltype(std::declval<stdexec_scheduler>().schedule()),
                                                                 stdexec::env<>>,
                             stdexec::completion_signatures<stdexec::set_value_t()>>);
static_assert(coex::sender<decltype(as_coex(stdexec::just(1)))>);
static_assert(stdexec::sender<decltype(as_stdexec(coex::just(1)))>);

coex::static_thread_pool& pool() {
    static coex::static_thread_pool two(coex::pool_options{.name = "interop", .threads = 2});
    return two;
}
stdexec_scheduler scheduler() {
    return as_stdexec(pool().get_scheduler());
}
bool on_pool() {
    return pool().this_thread_index().has_value();
}

TEST(stdexec_scheduler, runs_pipelines_of_stdexec_on_the_pool) {
    const auto result = stdexec::sync_wait(stdexec::schedule(scheduler()) | stdexec::then([] { return on_pool(); }));
    EXPECT_TRUE(std::get<0>(result.value()));
}

TEST(stdexec_scheduler, is_what_its_senders_complete_on_and_promises_parallel_progress) {
    EXPECT_EQ(stdexec::get_completion_scheduler<stdexec::set_value_t>(stdexec::get_env(stdexec::schedule(scheduler()))),
              scheduler());
    EXPECT_EQ(stdexec::get_forward_progress_guarantee(scheduler()), stdexec::forward_progress_guarantee::parallel);
    coex::static_thread_pool other(coex::pool_options{.name = "other", .threads = 1});
    EXPECT_NE(as_stdexec(other.get_scheduler()), scheduler());
}

TEST(stdexec_scheduler, takes_work_by_starts_on_continues_on_and_on) {
    auto here = [] { return on_pool(); };
    EXPECT_TRUE(
        std::get<0>(*stdexec::sync_wait(stdexec::starts_on(scheduler(), stdexec::just() | stdexec::then(here)))));
    EXPECT_TRUE(
        std::get<0>(*stdexec::sync_wait(stdexec::just() | stdexec::continues_on(scheduler()) | stdexec::then(here))));
    const auto [there, back] =
        *stdexec::sync_wait(stdexec::on(scheduler(), stdexec::just() | stdexec::then(here)) |
                            stdexec::let_value([&](bool& was_there) { return stdexec::just(was_there, on_pool()); }));
    EXPECT_TRUE(there);
    EXPECT_FALSE(back);
}

TEST(stdexec_bulk, calls_for_every_index_once_and_sends_the_values_on) {
    std::vector<std::atomic<int>> calls(10'000);
    auto work = stdexec::schedule(scheduler()) | stdexec::then([] { return 7; }) |
                stdexec::bulk(stdexec::par, calls.size(), [&](std::size_t i, int& value) {
                    calls[i] += value;
                    EXPECT_TRUE(on_pool());
                });
    EXPECT_EQ(std::get<0>(*stdexec::sync_wait(std::move(work))), 7);
    for (const auto& each : calls) ASSERT_EQ(each, 7);
}

TEST(stdexec_bulk, of_chunks_gives_several_that_make_up_the_whole) {
    std::atomic<int> chunks = 0;
    std::atomic<int> items = 0;
    stdexec::sync_wait(stdexec::just() | stdexec::continues_on(scheduler()) |
                       stdexec::bulk_chunked(stdexec::par, 1'000, [&](int begin, int end) {
                           ++chunks;
                           items += end - begin;
                       }));
    EXPECT_GT(chunks, 1);
    EXPECT_EQ(items, 1'000);
}

TEST(stdexec_bulk, that_is_unchunked_lets_calls_wait_for_each_other) {
    std::atomic<int> arrived = 0;
    stdexec::sync_wait(stdexec::schedule(scheduler()) | stdexec::bulk_unchunked(stdexec::par, 2, [&](int) {
                           ++arrived;
                           while (arrived != 2) std::this_thread::yield();
                       }));
    EXPECT_EQ(arrived, 2);
}

TEST(stdexec_bulk, of_a_sequential_policy_stays_on_one_thread) {
    std::set<std::thread::id> threads;
    stdexec::sync_wait(stdexec::schedule(scheduler()) |
                       stdexec::bulk(stdexec::seq, 100, [&](int) { threads.insert(std::this_thread::get_id()); }));
    EXPECT_EQ(threads.size(), 1u);
}

TEST(stdexec_bulk, tells_the_first_exception_and_takes_move_only_values) {
    EXPECT_THROW(
        stdexec::sync_wait(stdexec::schedule(scheduler()) | stdexec::bulk(stdexec::par, 100,
                                                                          [](int i) {
                                                                              if (i == 50)
                                                                                  throw std::runtime_error("fifty");
                                                                          })),
        std::runtime_error);
    auto result =
        stdexec::sync_wait(stdexec::schedule(scheduler()) | stdexec::then([] { return std::make_unique<int>(3); }) |
                           stdexec::bulk(stdexec::par, 4, [](int, std::unique_ptr<int>&) noexcept {}));
    EXPECT_EQ(*std::get<0>(*result), 3);
}

coex::task<int> waits_for_stdexec() {
    co_await pool().schedule();
    auto work = stdexec::just(40) | stdexec::then([](int value) { return value + 2; });
    const int value = co_await as_coex(std::move(work));
    EXPECT_TRUE(on_pool());
    co_return value;
}

TEST(as_coex, lets_a_task_await_a_sender_of_stdexec_and_resume_where_it_was) {
    EXPECT_EQ(coex::block_on(waits_for_stdexec()), 42);
}

static_assert(coex::awaitable<decltype(stdexec::just(1))>);
static_assert(std::is_same_v<coex::await_result_t<decltype(stdexec::just(1, 'x'))>, std::tuple<int, char>>);

TEST(await, takes_a_sender_of_stdexec_as_it_is_and_resumes_where_the_task_was) {
    const auto work = []() -> coex::task<int> {
        co_await pool().schedule();
        auto kept = stdexec::just(20) | stdexec::then([](int value) { return value + 1; });
        const int copied = co_await kept;
        const int moved = co_await std::move(kept);
        coex::static_thread_pool other(coex::pool_options{.name = "other", .threads = 1});
        co_await stdexec::schedule(as_stdexec(other.get_scheduler()));
        EXPECT_TRUE(on_pool());
        co_return copied + moved;
    };
    EXPECT_EQ(coex::block_on(work()), 42);
}

TEST(await, of_a_sender_of_stdexec_throws_its_error_and_is_stopped_by_it) {
    const auto fails = []() -> coex::task<> { co_await stdexec::just_error(7); };
    EXPECT_THROW(coex::block_on(fails()), int);
    const auto stops = []() -> coex::task<> {
        co_await stdexec::just_stopped();
        ADD_FAILURE() << "went on";
    };
    EXPECT_FALSE(coex::sync_wait(stops()).has_value());
}

// --- what stdexec runs on a pool of coex --------------------------------------------------------------------------

stdexec::task<int> their_child(int value) {
    co_return value;
}
stdexec::task<int> their_task() {
    const int one = co_await their_child(1);
    co_await stdexec::schedule(scheduler());
    EXPECT_TRUE(on_pool());
    co_return one + 1;
}
stdexec::task<int> their_failing_task() {
    throw std::runtime_error("thrown");
    co_return 0;
}

TEST(stdexec_task, runs_on_a_pool_of_coex) {
    const auto result =
        stdexec::sync_wait(stdexec::schedule(scheduler()) | stdexec::let_value([] { return their_task(); }));
    EXPECT_EQ(std::get<0>(result.value()), 2);
    EXPECT_THROW(
        stdexec::sync_wait(stdexec::schedule(scheduler()) | stdexec::let_value([] { return their_failing_task(); })),
        std::runtime_error);
}

TEST(stdexec_task, is_awaited_in_a_task_of_coex) {
    const auto ours = []() -> coex::task<int> {
        co_await pool().schedule();
        const int theirs = co_await their_task();
        EXPECT_TRUE(on_pool());
        co_return theirs + 10;
    };
    EXPECT_EQ(coex::block_on(ours()), 12);
}

TEST(stdexec_counting_scope, owns_work_that_runs_on_a_pool_of_coex) {
    constexpr int count = 1000;
    std::atomic<int> ran{0};
    stdexec::counting_scope scope;
    for (int i = 0; i < count; ++i) {
        auto work = stdexec::starts_on(scheduler(), stdexec::just() | stdexec::then([&ran]() noexcept { ++ran; }));
        stdexec::spawn(std::move(work), scope.get_token());
    }
    auto future = stdexec::spawn_future(stdexec::starts_on(scheduler(), stdexec::just(3)), scope.get_token());
    EXPECT_EQ(std::get<0>(stdexec::sync_wait(std::move(future)).value()), 3);
    stdexec::sync_wait(scope.join());
    EXPECT_EQ(ran.load(), count);
}

TEST(as_coex, gives_the_senders_of_stdexec_to_the_algorithms_of_coex) {
    const auto both = coex::sync_wait(coex::when_all(as_coex(stdexec::just(1)), as_coex(stdexec::just(2))));
    EXPECT_EQ(*both, std::tuple(1, 2));
    EXPECT_THROW(
        (void)coex::sync_wait(as_coex(stdexec::just() | stdexec::then([] { throw std::runtime_error("no"); }))),
        std::runtime_error);
    EXPECT_FALSE(coex::sync_wait(as_coex(stdexec::just_stopped())).has_value());
}

TEST(as_coex, passes_stop_token_and_scheduler_into_stdexec) {
    coex::inplace_stop_source source;
    auto asks = as_coex(stdexec::get_stop_token() | stdexec::then([](auto token) { return token.stop_requested(); }));
    EXPECT_FALSE(std::get<0>(*coex::sync_wait(asks, source.get_token())));
    source.request_stop();
    EXPECT_TRUE(std::get<0>(*coex::sync_wait(asks, source.get_token())));
    auto where = as_coex(stdexec::get_scheduler() | stdexec::let_value([](auto& found) {
                             return stdexec::schedule(found) | stdexec::then([] { return on_pool(); });
                         }));
    EXPECT_TRUE(std::get<0>(*coex::sync_wait(coex::starts_on(pool().get_scheduler(), std::move(where)))));
}

coex::task<int> moves_about(int value) {
    EXPECT_TRUE(on_pool());
    co_await pool().schedule();
    co_return value + 1;
}

TEST(as_stdexec, runs_a_task_of_coex_in_pipelines_of_stdexec) {
    auto work = stdexec::starts_on(scheduler(), as_stdexec(moves_about(1))) |
                stdexec::let_value([](int& value) { return as_stdexec(moves_about(value)); });
    EXPECT_EQ(std::get<0>(*stdexec::sync_wait(std::move(work))), 3);
}

TEST(as_stdexec, passes_values_errors_and_stops_on) {
    const auto [number, text] = *stdexec::sync_wait(as_stdexec(coex::just(1, std::string("one"))));
    EXPECT_EQ(number, 1);
    EXPECT_EQ(text, "one");
    EXPECT_THROW(stdexec::sync_wait(as_stdexec(coex::just() | coex::then([] { throw std::runtime_error("no"); }))),
                 std::runtime_error);
    const auto [instead] =
        *stdexec::sync_wait(as_stdexec(coex::just_stopped()) | stdexec::let_stopped([] { return stdexec::just(5); }));
    EXPECT_EQ(instead, 5);
}

TEST(as_stdexec, tells_where_its_sender_completes_so_that_bulk_runs_there) {
    std::atomic<int> on_the_pool = 0;
    std::atomic<int> chunks = 0;
    stdexec::sync_wait(as_stdexec(coex::schedule(pool().get_scheduler()) | coex::then([]() noexcept {})) |
                       stdexec::bulk_chunked(stdexec::par, 100, [&](int, int) {
                           ++chunks;
                           if (on_pool()) ++on_the_pool;
                       }));
    EXPECT_GT(chunks, 1);
    EXPECT_EQ(on_the_pool, chunks);
}

TEST(as_stdexec, passes_the_stop_of_stdexec_into_operations_of_coex) {
    stdexec::inplace_stop_source source;
    std::thread stopper([&] { source.request_stop(); });
    const auto result = stdexec::sync_wait(stdexec::write_env(
        stdexec::starts_on(scheduler(),
                           as_stdexec(coex::schedule_after(pool().get_scheduler(), std::chrono::hours(1)))),
        stdexec::prop(stdexec::get_stop_token, source.get_token())));
    stopper.join();
    EXPECT_FALSE(result.has_value());
}

TEST(parallel_scheduler, runs_on_the_default_pool_when_its_object_is_linked) {
    auto parallel = stdexec::get_parallel_scheduler();
    const auto on_default = [] { return coex::default_pool().this_thread_index().has_value(); };
    EXPECT_TRUE(std::get<0>(*stdexec::sync_wait(stdexec::schedule(parallel) | stdexec::then(on_default))));
    std::vector<std::atomic<int>> calls(1'000);
    stdexec::sync_wait(stdexec::schedule(parallel) | stdexec::bulk(stdexec::par, calls.size(), [&](std::size_t i) {
                           ++calls[i];
                           EXPECT_TRUE(on_default());
                       }));
    for (const auto& each : calls) ASSERT_EQ(each, 1);
}

}  // namespace
