#include <exec/io/event_descriptor.hpp>

#include "io/socket_support.hpp"

#include <exec/algo/timeout.hpp>

#include <chrono>
#include <thread>

namespace {

using namespace std::chrono_literals;
using coex::event_descriptor;
using coex::static_thread_pool;
using coex::task;
using coex_test::run_on;

task<std::uint64_t> count_up_to(event_descriptor& event, std::uint64_t last) {
    std::uint64_t sum = 0;
    while (sum < last) sum += co_await event.wait();
    co_return sum;
}

TEST(event_descriptor, no_notification_of_a_plain_thread_is_lost) {
    static_thread_pool pool{{.threads = 2}};
    event_descriptor event(pool);
    std::thread other([&event] {
        for (int i = 0; i < 2'000; ++i) event.notify();
    });
    EXPECT_EQ(run_on(pool, count_up_to(event, 2'000)), 2'000U);
    other.join();
}

task<std::uint64_t> cancelled_then_notified(event_descriptor& event) {
    bool in_time = true;
    try {
        static_cast<void>(co_await coex::timeout(event.wait(), 1ms));
    } catch (const std::exception&) {
        in_time = false;
    }
    EXPECT_FALSE(in_time);
    event.notify(3);
    co_return co_await event.wait();
}

TEST(event_descriptor, a_cancelled_wait_takes_nothing) {
    static_thread_pool pool{{.threads = 1}};
    event_descriptor event(pool);
    EXPECT_EQ(run_on(pool, cancelled_then_notified(event)), 3U);
}

}  // namespace
