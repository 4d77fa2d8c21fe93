// Operations awaited on workers that a pool has only for a while.

#include <exec/io/poll.hpp>

#include "io/socket_support.hpp"
#include "support/elastic.hpp"

#include <exec/base/config.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

namespace {

using coex::poll_events;
using coex::static_thread_pool;
using coex::task;
using namespace std::chrono_literals;

constexpr int rounds = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 5 : 50;

task<> read_byte(static_thread_pool& pool, int descriptor, std::atomic<int>& begun) {
    begun.fetch_add(1);
    EXPECT_TRUE(coex::has(co_await coex::poll(pool, descriptor, poll_events::readable), poll_events::readable));
    char byte = 0;
    EXPECT_EQ(::read(descriptor, &byte, 1), 1);
}

// The worker that began an operation must stay, however long nothing happens: with its thread the operation would end.
TEST(elastic_io, what_a_worker_has_begun_survives_its_time_without_work) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    for (int round = 0; round < rounds; ++round) {
        std::atomic<int> begun{0};
        std::latch hold(1);
        static_thread_pool pool{{.threads = 1, .max_threads = 4, .keep_alive = 1ms}};
        auto blocked = pool.submit([&hold] { hold.wait(); });  // so that others begin the operations
        std::vector<coex::submission<void>> handles;
        for (int i = 0; i < 8; ++i) handles.push_back(pool.submit([&] { return read_byte(pool, ends[0], begun); }));
        while (begun.load() != 8) std::this_thread::yield();
        std::this_thread::sleep_for(5ms);
        EXPECT_EQ(::write(ends[1], "12345678", 8), 8);
        for (auto& each : handles) each.get();
        hold.count_down();
        blocked.get();
        while (pool.stats().threads != 1) std::this_thread::yield();
    }
    ::close(ends[0]);
    ::close(ends[1]);
}

// Begun there, it would have ended with the thread, as if the kernel were short of memory.
TEST(elastic_io, what_a_worker_posts_as_it_leaves_may_wait_for_long) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    std::atomic<int> begun{0};
    std::optional<coex::submission<void>> reading;
    std::atomic<bool> is_held{false};
    std::atomic<bool> has_posted{false};
    std::atomic<static_thread_pool*> made{nullptr};
    const auto on_stop = [&](unsigned index) {
        if (index == 0 || !is_held.load() || has_posted.load()) return;
        reading = made.load()->submit([&] { return read_byte(*made.load(), ends[0], begun); });
        has_posted.store(true);
    };
    static_thread_pool pool{{.threads = 1, .max_threads = 2, .keep_alive = 0ms, .on_thread_stop = on_stop}};
    made.store(&pool);
    std::latch release(1);
    auto blocked = coex_test::hold_first_worker(pool, release);
    is_held.store(true);
    pool.submit([] {}).get();  // by another worker, which then leaves
    while (!has_posted.load()) std::this_thread::yield();
    while (begun.load() == 0) std::this_thread::yield();
    std::this_thread::sleep_for(5ms);
    EXPECT_EQ(::write(ends[1], "1", 1), 1);
    reading->get();
    release.count_down();
    blocked.get();
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
