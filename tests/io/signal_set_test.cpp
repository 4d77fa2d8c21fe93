#include <exec/io/signal_set.hpp>

#include "io/socket_support.hpp"

#include <exec/algo/timeout.hpp>

#include <unistd.h>
#include <chrono>
#include <csignal>

namespace {

using namespace std::chrono_literals;
using coex::signal_set;
using coex::static_thread_pool;
using coex::task;
using coex_test::run_on;

// Before the pools: their threads inherit what is blocked. The helper threads of the process do too.
class signals : public ::testing::Test {
protected:
    signals() { signal_set::block({SIGUSR1, SIGUSR2}); }
};

task<int> next_of(signal_set& set) {
    co_return co_await set.next();
}

TEST_F(signals, one_sent_before_it_is_awaited_is_not_lost) {
    static_thread_pool pool{{.threads = 2}};
    signal_set set(pool, {SIGUSR1, SIGUSR2});
    ASSERT_EQ(::kill(::getpid(), SIGUSR2), 0);
    EXPECT_EQ(run_on(pool, next_of(set)), SIGUSR2);
}

task<int> send_while_waiting(signal_set& set) {
    const auto send = []() -> task<int> { co_return ::kill(::getpid(), SIGUSR1); };
    const auto [got, sent] = co_await coex::when_all(next_of(set), send());
    EXPECT_EQ(sent, 0);
    co_return got;
}

TEST_F(signals, one_sent_while_it_is_awaited_arrives) {
    static_thread_pool pool{{.threads = 2}};
    signal_set set(pool, {SIGUSR1});
    for (int i = 0; i < 100; ++i) ASSERT_EQ(run_on(pool, send_while_waiting(set)), SIGUSR1);
}

task<int> cancelled_then_sent(signal_set& set) {
    bool in_time = true;
    try {
        static_cast<void>(co_await coex::timeout(set.next(), 1ms));
    } catch (const std::exception&) {
        in_time = false;
    }
    EXPECT_FALSE(in_time);
    EXPECT_EQ(::kill(::getpid(), SIGUSR1), 0);
    co_return co_await set.next();
}

TEST_F(signals, a_cancelled_wait_takes_none) {
    static_thread_pool pool{{.threads = 1}};
    signal_set set(pool, {SIGUSR1});
    EXPECT_EQ(run_on(pool, cancelled_then_sent(set)), SIGUSR1);
}

TEST_F(signals, what_is_no_signal_is_an_error) {
    static_thread_pool pool{{.threads = 1}};
    try {
        const signal_set set(pool, {SIGUSR1, 12'345});
        FAIL() << "no error";
    } catch (const std::system_error& error) {
        EXPECT_STREQ(error.what(), "signal_set (12345 is no signal): Invalid argument");
    }
}

}  // namespace
