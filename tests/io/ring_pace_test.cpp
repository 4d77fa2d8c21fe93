// What a worker leaves to the call by which it falls asleep in its ring, and how it sleeps there.
#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/backend_kind.hpp>
#include <exec/io/timer.hpp>
#include <exec/io/unix.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/sync/manual_reset_event.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>

namespace {

using coex::manual_reset_event;
using coex::static_thread_pool;
using coex::task;
using coex::unix_stream;
using namespace std::chrono_literals;

class ring_pace_test : public ::testing::Test {
protected:
    void SetUp() override {
        if (coex::active_io_backend() != coex::io_backend_kind::io_uring) GTEST_SKIP() << "no ring is used";
    }
};

void write_one_byte(const unix_stream& to) {
    ASSERT_EQ(::write(to.native_handle(), "x", 1), 1);
}

task<> read_one_byte(unix_stream& from) {
    std::array<std::byte, 1> block{};
    EXPECT_EQ(co_await from.read_some(block), 1U);
}

/// Reads what comes long after each other, so that the worker learns that looking around is in vain.
task<> read_seldom(unix_stream& from, unix_stream& to) {
    for (int i = 0; i < 30; ++i) {
        const auto write_later = [&to]() -> task<> {
            co_await coex::sleep_for(2ms);
            write_one_byte(to);
        };
        auto later = write_later();
        co_await coex::when_all(read_one_byte(from), std::move(later));
    }
}

task<> read_often(unix_stream& from, manual_reset_event& begins, int& received) {
    begins.set();
    for (int i = 0; i < 10; ++i) {
        co_await read_one_byte(from);
        ++received;
    }
}

/// How often a task has to let others run, at most, until another's read has ended, whose data is there.
task<int> yields_until_read(static_thread_pool& pool, unix_stream& from, unix_stream& to) {
    co_await pool.schedule();
    co_await read_seldom(from, to);
    manual_reset_event begins;
    int received = 0;
    int most = 0;
    const auto let_read = [&]() -> task<> {
        co_await begins;
        for (int i = 0; i < 10; ++i) {
            write_one_byte(to);
            int yields = 0;
            for (bool is_there = false; !is_there; ++yields) {
                pool.yield_now();
                is_there = received != i;
            }
            most = std::max(most, yields);
        }
    };
    auto letting = let_read();
    co_await coex::when_all(std::move(letting), read_often(from, begins, received));
    co_return most;
}

TEST_F(ring_pace_test, a_task_that_lets_others_run_submits_what_they_have_begun) {
    static_thread_pool pool{{.threads = 1}};
    for (int i = 0; i < 5; ++i) {
        auto [from, to] = unix_stream::pair(pool);
        EXPECT_LE(coex::block_on(yields_until_read(pool, from, to)), 8);
    }
}

/// Reads on a worker by which the pool has grown; holds the one that it always has until somebody does.
task<> read_on_another(static_thread_pool& pool, unix_stream& from, std::atomic<bool>& reads) {
    co_await pool.schedule();
    if (pool.this_thread_index() == 0U) {
        while (!reads.load()) std::this_thread::yield();
        co_return;
    }
    reads.store(true);
    co_await read_one_byte(from);
}

TEST_F(ring_pace_test, a_worker_that_cannot_leave_because_of_its_input_sleeps) {
    std::atomic<bool> reads{false};
    static_thread_pool pool{{.threads = 1, .max_threads = 2, .keep_alive = 50ms}};
    auto [from, to] = unix_stream::pair(pool);
    const auto two = [&, &mine = from]() -> task<> {
        co_await coex::when_all(read_on_another(pool, mine, reads), read_on_another(pool, mine, reads));
    };
    std::thread writer([&, &mine = to] {
        while (!reads.load()) std::this_thread::yield();
        const std::uint64_t before = pool.stats().parked;
        std::this_thread::sleep_for(500ms);  // ten times as long as it stays without work
        // Every 50 ms it looks whether it may leave by now. If it spun, it would fall asleep thousands of times.
        EXPECT_LT(pool.stats().parked - before, 1000U);
        write_one_byte(mine);
        write_one_byte(mine);
    });
    coex::block_on(two());
    writer.join();
}

}  // namespace
