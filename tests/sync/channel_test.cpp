#include <exec/sync/channel.hpp>

#include "coro/support.hpp"
#include "sync/support.hpp"

#include <exec/algo/then.hpp>
#include <exec/coro/sync_wait.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>

namespace {

using namespace coex_test;
using coex::block_on;
using coex::channel;
using coex::channel_receiver;
using coex::channel_sender;
using coex::inplace_stop_source;
using coex::send_status;
using coex::static_thread_pool;
using coex::task;

template <class T>
task<std::vector<T>> receive_all(channel_receiver<T> rx) {
    std::vector<T> all;
    while (auto value = co_await rx.receive()) all.push_back(std::move(*value));
    co_return all;
}

task<> send_numbers(channel_sender<int> tx, int count) {
    for (int i = 0; i < count; ++i) {
        const bool taken = co_await tx.async_send(i);
        if (!taken) co_return;
    }
}

std::vector<int> numbers(int count) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

TEST(channel, hands_over_values_in_the_order_in_which_they_were_sent) {
    channel<std::unique_ptr<int>> results;
    {
        const auto tx = results.sender();
        for (int i = 0; i < 100; ++i) EXPECT_TRUE(tx.send(std::make_unique<int>(i)));
    }
    int expected = 0;
    for (auto& value : results) EXPECT_EQ(*value, expected++);
    EXPECT_EQ(expected, 100);
}

TEST(channel, a_loop_on_a_thread_ends_when_the_last_sender_of_posted_tasks_is_gone) {
    static_thread_pool pool{{.threads = 4}};
    channel<int> results;
    for (int i = 0; i < 100; ++i) pool.post([tx = results.sender(), i]() mutable { tx.send(i); });
    int total = 0;
    for (const int value : results) total += value;
    EXPECT_EQ(total, 4'950);
}

TEST(channel, a_loop_in_a_task_ends_when_the_last_sender_is_gone) {
    channel<int> results;
    std::thread sending([tx = results.sender()] {
        const auto copy = tx;
        for (int i = 0; i < 100; ++i) copy.send(i);
    });
    EXPECT_EQ(block_on(receive_all(results.receiver())), numbers(100));
    sending.join();
}

TEST(channel, without_any_sender_a_loop_ends_at_once) {
    channel<int> results;
    for (const int value : results) FAIL() << value;
    EXPECT_FALSE(results.wait_receive().has_value());
    EXPECT_FALSE(block_on(results.receive()).has_value());
    EXPECT_FALSE(results.try_receive().has_value());
    results.sender().send(1);
    EXPECT_EQ(results.wait_receive(), 1) << "values outlive their sender";
}

TEST(channel, a_bounded_one_refuses_what_has_no_room) {
    channel<std::string> results(2);
    const auto tx = results.sender();
    std::string third = "third";
    EXPECT_EQ(tx.try_send("first"), send_status::sent);
    EXPECT_EQ(tx.try_send("second"), send_status::sent);
    EXPECT_EQ(tx.try_send(std::move(third)), send_status::full);
    EXPECT_EQ(third, "third") << "not taken, so not moved from";
    EXPECT_EQ(results.try_receive(), "first");
    EXPECT_EQ(tx.try_send(std::move(third)), send_status::sent);
    EXPECT_EQ(results.try_receive(), "second");
    EXPECT_EQ(results.try_receive(), "third");
    EXPECT_EQ(results.try_receive(), std::nullopt);
}

TEST(channel, sending_to_nobody_is_refused_and_the_value_kept) {
    auto rx = std::make_unique<channel<std::string>>();
    const auto tx = rx->sender();
    EXPECT_TRUE(tx.send("never received, destroyed with the last receiver"));
    EXPECT_TRUE(tx.has_receivers());
    rx.reset();
    EXPECT_FALSE(tx.has_receivers());
    std::string value = "kept";
    EXPECT_FALSE(tx.send(std::move(value)));
    EXPECT_EQ(value, "kept");
    EXPECT_EQ(tx.try_send(std::move(value)), send_status::no_receiver);
    EXPECT_EQ(value, "kept");
    EXPECT_FALSE(block_on(tx.async_send(value)));
}

TEST(channel, a_sender_that_waits_learns_that_the_last_receiver_is_gone) {
    static_thread_pool pool{{.threads = 1}};
    for (int round = 0; round < 100; ++round) {
        auto rx = std::make_unique<channel<int>>(1);
        const auto tx = rx->sender();
        ASSERT_TRUE(tx.send(1));
        std::atomic<int> taken{-1};
        std::thread blocked([&] { taken.store(tx.send(2) ? 1 : 0); });
        auto awaiting = pool.submit([&tx] { return tx.send(3); });
        rx.reset();
        blocked.join();
        EXPECT_EQ(taken.load(), 0);
        EXPECT_FALSE(awaiting.get());
    }
}

TEST(channel, a_sender_that_waits_goes_on_when_there_is_room) {
    channel<int> results(1);
    std::thread sender([tx = results.sender()] {
        for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(tx.send(i));
    });
    int expected = 0;
    for (const int value : results) EXPECT_EQ(value, expected++);
    EXPECT_EQ(expected, 1'000);
    sender.join();
}

TEST(channel, one_without_room_hands_over_directly) {
    static_thread_pool pool{{.threads = 2}};
    channel<int> results(0);
    EXPECT_EQ(results.sender().try_send(1), send_status::full) << "nobody is waiting for it";
    std::vector<task<>> tasks;
    tasks.push_back(send_numbers(results.sender(), 1'000));
    background sending(pool, std::move(tasks));
    int expected = 0;
    while (expected < 1'000) {
        const auto value = results.wait_receive();
        if (!value) continue;
        EXPECT_EQ(*value, expected++);
    }
    sending.join();
}

TEST(channel, tasks_that_wait_hold_no_worker) {
    static_thread_pool pool{{.threads = 1}};
    channel<int> forth(0);
    channel<int> back;
    auto tx = std::make_unique<channel_sender<int>>(forth.sender());
    std::vector<task<>> tasks;
    tasks.push_back([](channel_receiver<int> from, channel_sender<int> to) -> task<> {
        while (auto value = co_await from.receive()) {
            const bool taken = co_await to.async_send(*value + 1);
            EXPECT_TRUE(taken);
        }
    }(forth.receiver(), back.sender()));
    background echo(pool, std::move(tasks));
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(tx->send(i));
        EXPECT_EQ(back.wait_receive(), i + 1);
        EXPECT_EQ(pool.submit([] { return 7; }).get(), 7) << "the only worker is free";
    }
    tx.reset();
    echo.join();
}

TEST(channel, a_task_resumes_where_it_was) {
    static_thread_pool pool{{.threads = 1}};
    channel<int> results(1);
    std::vector<task<>> tasks;
    tasks.push_back([](static_thread_pool& home, channel_receiver<int> rx) -> task<> {
        while (co_await rx.receive()) EXPECT_TRUE(is_on(home));
    }(pool, results.receiver()));
    auto tx = std::make_unique<channel_sender<int>>(results.sender());
    background receiving(pool, std::move(tasks));
    for (int i = 0; i < 100; ++i) tx->send(i);
    tx.reset();
    receiving.join();
}

TEST(channel, a_worker_that_waits_runs_other_work_of_its_pool) {
    static_thread_pool pool{{.threads = 1}};
    const int total = pool.install([&pool] {
        channel<int> results(1);
        for (int i = 0; i < 100; ++i) pool.post([tx = results.sender(), i] { tx.send(i); });
        int sum = 0;
        for (const int value : results) sum += value;
        return sum;
    });
    EXPECT_EQ(total, 4'950);
}

TEST(channel, receivers_share_the_values) {
    static_thread_pool pool{{.threads = 2}};
    channel<int> results(4);
    std::vector<task<>> tasks;
    std::atomic<int> received{0};
    std::atomic<long> sum{0};
    for (int i = 0; i < 4; ++i) {
        tasks.push_back([](channel_receiver<int> rx, std::atomic<int>& count, std::atomic<long>& total) -> task<> {
            while (auto value = co_await rx.receive()) {
                count.fetch_add(1);
                total.fetch_add(*value);
            }
        }(results.receiver(), received, sum));
    }
    auto tx = std::make_unique<channel_sender<int>>(results.sender());
    background receiving(pool, std::move(tasks));
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(tx->send(i));
    tx.reset();
    receiving.join();
    EXPECT_EQ(received.load(), 1'000);
    EXPECT_EQ(sum.load(), 499'500);
}

TEST(channel, a_stop_ends_waits_and_loses_no_value) {
    static_thread_pool pool{{.threads = 1}};
    channel<int> results(1);
    const auto tx = results.sender();
    inplace_stop_source source;
    std::atomic<int> begun{0};
    std::vector<task<>> tasks;
    tasks.push_back([](channel_receiver<int> rx, std::atomic<int>& arrived) -> task<> {
        arrived.fetch_add(1);
        static_cast<void>(co_await rx.receive());
        ADD_FAILURE() << "received something";
    }(results.receiver(), begun));
    background receiving(pool, std::move(tasks), source.get_token());
    wait_until(begun, 1);
    pool.submit([] {}).get();
    source.request_stop();
    EXPECT_FALSE(receiving.join());
    EXPECT_TRUE(tx.send(1)) << "has room, as it waits for nobody";
    EXPECT_FALSE(tx.send(2, source.get_token()));
    EXPECT_EQ(results.wait_receive(source.get_token()), std::nullopt);
    EXPECT_TRUE(background::stops([&] { static_cast<void>(block_on(results.receive(), source.get_token())); }));
    EXPECT_EQ(results.try_receive(), 1);

    inplace_stop_source later;
    std::thread blocked([&] { EXPECT_EQ(results.wait_receive(later.get_token()), std::nullopt); });
    later.request_stop();
    blocked.join();
}

TEST(channel, is_a_sender_too) {
    channel<int> results(1);
    const auto tx = results.sender();
    auto taken = coex::sync_wait(tx.async_send(4) | coex::then([](bool sent) { return sent; }));
    EXPECT_TRUE(std::get<0>(*taken));
    auto value = coex::sync_wait(results.receive() | coex::then([](std::optional<int> each) { return *each + 1; }));
    EXPECT_EQ(std::get<0>(*value), 5);
}

TEST(channel, its_senders_and_receivers_may_outlive_it) {
    auto owner = std::make_unique<channel<std::string>>();
    const auto tx = owner->sender();
    const auto rx = owner->receiver();
    owner.reset();
    EXPECT_TRUE(tx.send("still here"));
    EXPECT_EQ(rx.try_receive(), "still here");
    channel<std::string> moved;
    channel<std::string> target = std::move(moved);
    EXPECT_FALSE(moved);
    EXPECT_TRUE(target.sender().send("moved"));
    EXPECT_EQ(target.try_receive(), "moved");
}

TEST(channel, destructors_run_once) {
    {
        channel<counted> results(1);
        const auto tx = results.sender();
        block_on([](channel_sender<counted> to, channel_receiver<counted> from) -> task<> {
            const bool taken = co_await to.async_send(counted(1));
            EXPECT_TRUE(taken);
            const auto value = co_await from.receive();
            EXPECT_EQ(value->value, 1);
        }(tx, results.receiver()));
        EXPECT_EQ(counted::live.load(), 0);
        EXPECT_TRUE(tx.send(counted(2)));
        EXPECT_EQ(counted::live.load(), 1);
        // Waits, and is stopped: the value goes with the task.
        inplace_stop_source source;
        static_thread_pool pool{{.threads = 1}};
        std::vector<task<>> tasks;
        std::atomic<int> begun{0};
        tasks.push_back([](channel_sender<counted> to, std::atomic<int>& arrived) -> task<> {
            arrived.fetch_add(1);
            static_cast<void>(co_await to.async_send(counted(3)));
        }(tx, begun));
        background sending(pool, std::move(tasks), source.get_token());
        wait_until(begun, 1);
        source.request_stop();
        EXPECT_FALSE(sending.join());
        EXPECT_EQ(counted::live.load(), 1);
    }
    EXPECT_EQ(counted::live.load(), 0);
}

TEST(channel, an_end_that_was_moved_from_aborts_with_a_message) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    channel<int> results;
    auto tx = results.sender();
    const auto moved = std::move(tx);
    EXPECT_DEATH(tx.send(1), "used after it was moved from");
}

}  // namespace
