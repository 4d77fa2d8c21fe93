#include <exec/coro/sync_wait.hpp>

#include "algo/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/on.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/when_all.hpp>
#include <exec/base/config.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

// A sanitizer brings its own operator new, which must stay the one that its operator delete belongs to.
#if !COEX_ADDRESS_SANITIZER && !COEX_THREAD_SANITIZER
void* operator new(std::size_t bytes) {
    ++allocations;
    if (void* block = std::malloc(bytes)) return block;
    throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
    std::free(block);
}
#endif

namespace {

using namespace coex_test;
using coex::just;
using coex::sync_wait;
using coex::task;

static_assert(std::same_as<decltype(sync_wait(just(1, std::string()))), std::optional<std::tuple<int, std::string>>>);
static_assert(std::same_as<decltype(sync_wait(just())), std::optional<std::tuple<>>>);

TEST(sync_wait, gives_a_tuple_of_the_values) {
    EXPECT_EQ(sync_wait(just(1, std::string("x"))).value(), std::tuple(1, std::string("x")));
    EXPECT_EQ(sync_wait(just()).value(), std::tuple());
    EXPECT_EQ(*std::get<0>(sync_wait(just(std::make_unique<int>(2))).value()), 2);
}

TEST(sync_wait, gives_nothing_for_a_stop) {
    EXPECT_FALSE(sync_wait(coex::just_stopped()));
}

TEST(sync_wait, throws_errors_as_what_they_are) {
    EXPECT_THROW(static_cast<void>(sync_wait(coex::just_error(failure("no")))), std::runtime_error);
    EXPECT_THROW(static_cast<void>(sync_wait(coex::just_error(7))), int);
    try {
        static_cast<void>(sync_wait(coex::just_error(std::make_error_code(std::errc::timed_out))));
        ADD_FAILURE() << "nothing was thrown";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::timed_out);
    }
}

TEST(sync_wait, throws_what_copying_a_value_threw) {
    fragile object(0);
    const auto lend = just() | coex::then([&object]() noexcept -> fragile& { return object; });
    EXPECT_THROW(static_cast<void>(sync_wait(lend)), std::runtime_error);
}

TEST(sync_wait, throws_an_error_that_only_moves) {
    try {
        static_cast<void>(sync_wait(coex::just_error(std::make_unique<int>(3))));
        ADD_FAILURE() << "nothing was thrown";
    } catch (const only_moves& error) {
        EXPECT_EQ(*error, 3);
    }
}

TEST(sync_wait, throws_what_copying_an_error_threw) {
    fragile object(0);
    EXPECT_THROW(static_cast<void>(sync_wait(lent<coex::set_error_t, fragile>(object))), std::runtime_error);
}

TEST(sync_wait, offers_its_own_loop_as_scheduler) {
    const auto caller = std::this_thread::get_id();
    const auto sender = coex::read_env(coex::get_scheduler) |
                        coex::let_value([](auto& loop) { return coex::schedule(loop); }) |
                        coex::then([] { return std::this_thread::get_id(); });
    EXPECT_EQ(std::get<0>(sync_wait(sender).value()), caller);
    const auto same = coex::when_all(coex::read_env(coex::get_start_scheduler), coex::read_env(coex::get_scheduler),
                                     coex::read_env(coex::get_delegation_scheduler)) |
                      coex::then([](auto a, auto b, auto c) { return a == b && b == c; });
    EXPECT_TRUE(std::get<0>(sync_wait(same).value()));
}

TEST(sync_wait, passes_its_token_on) {
    coex::inplace_stop_source source;
    hand<> by;
    source.request_stop();
    EXPECT_FALSE(sync_wait(handed<>(by), source.get_token()));
    EXPECT_TRUE(by.stop_seen);
}

TEST(sync_wait, waits_for_work_on_other_threads) {
    coex::static_thread_pool pool{coex::pool_options{.name = "wait", .threads = 2}};
    const auto where = [&pool] { return pool.this_thread_index().has_value(); };
    EXPECT_TRUE(std::get<0>(sync_wait(coex::schedule(pool.get_scheduler()) | coex::then(where)).value()));
    const auto back = coex::on(pool.get_scheduler(), just()) | coex::then(where);
    EXPECT_FALSE(std::get<0>(sync_wait(back).value()));
}

TEST(sync_wait, the_pool_may_be_destroyed_as_soon_as_it_returns) {
    for (int round = 0; round < 200; ++round) {
        coex::static_thread_pool pool{coex::pool_options{.name = "brief", .threads = 2}};
        EXPECT_EQ(sync_wait(coex::schedule(pool.get_scheduler()) | coex::then([] { return 1; })), std::tuple(1));
    }
}

TEST(sync_wait, of_schedule_and_then_allocates_nothing) {
    if (COEX_ADDRESS_SANITIZER || COEX_THREAD_SANITIZER) GTEST_SKIP() << "the sanitizer counts for itself";
    coex::static_thread_pool pool{coex::pool_options{.name = "count", .threads = 2}};
    const auto once = [&pool] {
        const auto sender = coex::schedule(pool.get_scheduler()) | coex::then([] { return 20; }) |
                            coex::then([](int x) { return x + 1; });
        return std::get<0>(sync_wait(sender).value());
    };
    EXPECT_EQ(once(), 21);
    const std::size_t before = allocations;
    for (int round = 0; round < 100; ++round) EXPECT_EQ(once(), 21);
    EXPECT_EQ(allocations, before);
}

TEST(sync_wait, of_a_composition_allocates_nothing) {
    if (COEX_ADDRESS_SANITIZER || COEX_THREAD_SANITIZER) GTEST_SKIP() << "the sanitizer counts for itself";
    coex::static_thread_pool pool{coex::pool_options{.name = "count", .threads = 2}};
    const auto there = pool.get_scheduler();
    const auto once = [there] {
        auto both =
            coex::when_all(coex::on(there, just(1)), coex::schedule(there) | coex::let_value([] { return just(2); }));
        auto [one, two] = sync_wait(std::move(both)).value();
        return one + two;
    };
    EXPECT_EQ(once(), 3);
    const std::size_t before = allocations;
    for (int round = 0; round < 100; ++round) EXPECT_EQ(once(), 3);
    EXPECT_EQ(allocations, before);
}

}  // namespace
