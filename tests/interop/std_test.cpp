// The façade for std::execution: what a program says that knows the standard's names only. Until a standard library has
// them, standard/execution stands in for it.
#include <exec/exec.hpp>

#include <exec/interop/std_adaptors.hpp>
#include <exec/interop/std_parallel_scheduler.hpp>
#include <exec/interop/std_scheduler.hpp>

#include <execution>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

namespace ex = std::execution;
using coex::interop::as_coex;
using coex::interop::as_std;
using coex::interop::std_scheduler;
using std::this_thread::sync_wait;

static_assert(ex::scheduler<std_scheduler>);
static_assert(
    std::is_same_v<ex::completion_signatures_of_t<decltype(std::declval<std_scheduler>().schedule()), ex::env<>>,
                   ex::completion_signatures<ex::set_value_t()>>);
static_assert(coex::sender<decltype(as_coex(ex::just(1)))>);
static_assert(ex::sender<decltype(as_std(coex::just(1)))>);
static_assert(coex::awaitable<decltype(ex::just(1))>);

coex::static_thread_pool& pool() {
    static coex::static_thread_pool two(coex::pool_options{.name = "interop", .threads = 2});
    return two;
}
std_scheduler scheduler() {
    return as_std(pool().get_scheduler());
}
bool on_pool() {
    return pool().this_thread_index().has_value();
}

TEST(std_scheduler, runs_pipelines_of_the_standard_on_the_pool) {
    EXPECT_TRUE(std::get<0>(*sync_wait(ex::schedule(scheduler()) | ex::then([] { return on_pool(); }))));
    EXPECT_TRUE(std::get<0>(*sync_wait(ex::starts_on(scheduler(), ex::just() | ex::then([] { return on_pool(); })))));
    EXPECT_TRUE(
        std::get<0>(*sync_wait(ex::just() | ex::continues_on(scheduler()) | ex::then([] { return on_pool(); }))));
    EXPECT_TRUE(std::get<0>(*sync_wait(ex::on(scheduler(), ex::just() | ex::then([] { return on_pool(); })))));
}

TEST(std_scheduler, is_what_its_senders_complete_on_and_promises_parallel_progress) {
    EXPECT_EQ(ex::get_completion_scheduler<ex::set_value_t>(ex::get_env(ex::schedule(scheduler()))), scheduler());
    EXPECT_EQ(ex::get_forward_progress_guarantee(scheduler()), ex::forward_progress_guarantee::parallel);
}

TEST(std_bulk, calls_for_every_index_on_all_threads_of_the_pool) {
    std::vector<std::atomic<int>> calls(10'000);
    std::atomic<int> chunks = 0;
    auto work = ex::schedule(scheduler()) | ex::then([] { return 7; }) |
                ex::bulk(ex::par, calls.size(), [&](std::size_t i, int& value) { calls[i] += value; }) |
                ex::bulk_chunked(ex::par_unseq, 1'000, [&](int, int, int&) {
                    ++chunks;
                    EXPECT_TRUE(on_pool());
                });
    EXPECT_EQ(std::get<0>(*sync_wait(std::move(work))), 7);
    for (const auto& each : calls) ASSERT_EQ(each, 7);
    EXPECT_GT(chunks, 1);
}

TEST(std_bulk, of_a_sequential_policy_stays_on_one_thread) {
    const std::thread::id here = std::this_thread::get_id();
    int others = 0;
    sync_wait(ex::just() |
              ex::bulk_unchunked(ex::seq, 100, [&](int) { others += std::this_thread::get_id() != here; }));
    EXPECT_EQ(others, 0);
}

ex::task<int> their_task() {
    co_await ex::schedule(scheduler());
    EXPECT_TRUE(on_pool());
    co_return 2;
}

coex::task<int> our_task() {
    co_await pool().schedule();
    auto kept = ex::just(20) | ex::then([](int value) { return value + 20; });
    const int first = co_await std::move(kept);
    EXPECT_TRUE(on_pool());
    const int second = co_await their_task();
    EXPECT_TRUE(on_pool());
    co_return first + second;
}

TEST(await, takes_senders_and_tasks_of_the_standard_and_resumes_where_the_task_was) {
    EXPECT_EQ(coex::block_on(our_task()), 42);
    const auto fails = []() -> coex::task<> { co_await ex::just_error(7); };
    EXPECT_THROW(coex::block_on(fails()), int);
    const auto stops = []() -> coex::task<> { co_await ex::just_stopped(); };
    EXPECT_FALSE(coex::sync_wait(stops()).has_value());
}

TEST(as_coex, gives_the_senders_of_the_standard_to_the_algorithms_of_coex) {
    EXPECT_EQ(*coex::sync_wait(coex::when_all(as_coex(ex::just(1)), as_coex(ex::just(2)))), std::tuple(1, 2));
}

TEST(as_coex, passes_stop_token_and_scheduler_on) {
    coex::inplace_stop_source source;
    source.request_stop();
    auto asks =
        as_coex(ex::read_env(std::get_stop_token) | ex::then([](auto token) { return token.stop_requested(); }));
    EXPECT_TRUE(std::get<0>(*coex::sync_wait(std::move(asks), source.get_token())));
    auto where = as_coex(ex::read_env(ex::get_scheduler) | ex::let_value([](auto& found) {
                             return ex::schedule(found) | ex::then([] { return on_pool(); });
                         }));
    EXPECT_TRUE(std::get<0>(*coex::sync_wait(coex::starts_on(pool().get_scheduler(), std::move(where)))));
}

coex::task<int> moves_about(int value) {
    EXPECT_TRUE(on_pool());
    co_await pool().schedule();
    co_return value + 1;
}

TEST(as_std, runs_a_task_of_coex_in_pipelines_of_the_standard) {
    auto work = ex::starts_on(scheduler(), as_std(moves_about(1))) |
                ex::let_value([](int& value) { return as_std(moves_about(value)); });
    EXPECT_EQ(std::get<0>(*sync_wait(std::move(work))), 3);
    EXPECT_THROW(sync_wait(as_std(coex::just() | coex::then([] { throw std::runtime_error("no"); }))),
                 std::runtime_error);
    const auto [instead] = *sync_wait(as_std(coex::just_stopped()) | ex::let_stopped([] { return ex::just(5); }));
    EXPECT_EQ(instead, 5);
}

TEST(as_std, passes_the_stop_of_the_standard_into_operations_of_coex) {
    std::inplace_stop_source source;
    std::thread stopper([&] { source.request_stop(); });
    const auto result = sync_wait(ex::write_env(
        ex::starts_on(scheduler(), as_std(coex::schedule_after(pool().get_scheduler(), std::chrono::hours(1)))),
        ex::prop(std::get_stop_token, source.get_token())));
    stopper.join();
    EXPECT_FALSE(result.has_value());
}

TEST(std_counting_scope, owns_work_that_runs_on_a_pool_of_coex) {
    std::atomic<int> ran{0};
    ex::counting_scope scope;
    for (int i = 0; i < 100; ++i) {
        ex::spawn(ex::starts_on(scheduler(), ex::just() | ex::then([&ran]() noexcept { ++ran; })), scope.get_token());
    }
    sync_wait(scope.join());
    EXPECT_EQ(ran, 100);
}

}  // namespace

// The program's own, as [exec.par.scheduler] lets it be replaced. A definition cannot go through the stand-in's
// using-declaration: where the standard's own function is, it is std::execution's.
std::shared_ptr<std::execution::parallel_scheduler_replacement::parallel_scheduler_backend>
stdexec::parallel_scheduler_replacement::query_parallel_scheduler_backend() {
    return coex::interop::make_std_parallel_scheduler_backend(pool().get_scheduler());
}

namespace {

TEST(std_parallel_scheduler, runs_on_the_pool_that_the_program_says) {
    auto parallel = ex::get_parallel_scheduler();
    EXPECT_TRUE(std::get<0>(*sync_wait(ex::schedule(parallel) | ex::then([] { return on_pool(); }))));
    std::vector<std::atomic<int>> calls(1'000);
    sync_wait(ex::schedule(parallel) | ex::bulk(ex::par, calls.size(), [&](std::size_t i) {
                  ++calls[i];
                  EXPECT_TRUE(on_pool());
              }));
    for (const auto& each : calls) ASSERT_EQ(each, 1);
}

}  // namespace
