#include <exec/sync/channel.hpp>

#include "sync/support.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>

// Senders and receivers of every kind at once. Every value that was taken arrives once, whoever is stopped or leaves.

namespace {

using namespace coex_test;
using coex::channel;
using coex::channel_receiver;
using coex::channel_sender;
using coex::inplace_stop_source;
using coex::static_thread_pool;
using coex::task;

struct account {
    std::atomic<long> sent{0};
    std::atomic<long> sent_sum{0};
    std::atomic<long> received{0};
    std::atomic<long> received_sum{0};

    void send(long value) {
        sent.fetch_add(1);
        sent_sum.fetch_add(value);
    }
    void receive(long value) {
        received.fetch_add(1);
        received_sum.fetch_add(value);
    }
};

using value = std::unique_ptr<long>;

task<> send_in_task(channel_sender<value> tx, account& book, long first, long count) {
    for (long i = first; i < first + count; ++i) {
        if (co_await tx.async_send(std::make_unique<long>(i))) book.send(i);
    }
}
void send_on_thread(const channel_sender<value>& tx, account& book, long first, long count) {
    for (long i = first; i < first + count; ++i) {
        if (tx.send(std::make_unique<long>(i))) book.send(i);
    }
}
task<> receive_in_task(channel_receiver<value> rx, account& book) {
    while (auto each = co_await rx.receive()) book.receive(**each);
}
// Always stopped between two receives or in one: nothing may be lost with it.
task<> receive_until_stopped(channel_receiver<value> rx, account& book) {
    for (;;) {
        auto each = co_await rx.receive();
        if (each) book.receive(**each);
    }
}

struct channel_stampede : testing::TestWithParam<std::size_t> {};

TEST_P(channel_stampede, no_loss_no_duplicate_with_tasks_and_threads_at_both_ends_and_stops) {
    static_thread_pool pool{{.threads = 2}};
    constexpr long count = 200;
    for (int round = 0; round < 10; ++round) {
        account book;
        inplace_stop_source source;
        {
            auto hub = std::make_unique<channel<value>>(GetParam());
            std::vector<task<>> sending;
            std::vector<task<>> receiving;
            std::vector<task<>> stopped;
            for (int i = 0; i < 4; ++i) {
                sending.push_back(send_in_task(hub->sender(), book, i * count, count));
                receiving.push_back(receive_in_task(hub->receiver(), book));
                stopped.push_back(receive_until_stopped(hub->receiver(), book));
            }
            std::thread blocked_sender([&book, tx = hub->sender()] { send_on_thread(tx, book, 4 * count, count); });
            std::thread blocked_receiver([&book, rx = hub->receiver()] {
                for (const value& each : rx) book.receive(*each);
            });
            background c(pool, std::move(stopped), source.get_token());
            background b(pool, std::move(receiving));
            background a(pool, std::move(sending));
            source.request_stop();
            EXPECT_TRUE(a.join());
            EXPECT_TRUE(b.join());
            EXPECT_FALSE(c.join());
            blocked_sender.join();
            blocked_receiver.join();
        }
        EXPECT_EQ(book.sent.load(), 5 * count);
        EXPECT_EQ(book.received.load(), book.sent.load());
        EXPECT_EQ(book.received_sum.load(), book.sent_sum.load());
    }
}

// A sender that is stopped in its wait has not sent: what was taken before, and only that, arrives.
TEST_P(channel_stampede, senders_that_are_stopped_have_sent_what_was_taken) {
    static_thread_pool pool{{.threads = 2}};
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::minstd_rand random(seed);
    for (int round = 0; round < 30; ++round) {
        account book;
        channel<value> hub(GetParam());
        inplace_stop_source source;
        std::vector<task<>> sending;
        for (int i = 0; i < 4; ++i) sending.push_back(send_in_task(hub.sender(), book, i * 1'000, 1'000));
        background a(pool, std::move(sending), source.get_token());
        const auto most = static_cast<long>(random() % 500);
        for (long i = 0; i < most; ++i) {
            const auto each = hub.wait_receive();
            if (!each) break;
            book.receive(**each);
        }
        source.request_stop();
        static_cast<void>(a.join());
        while (const auto each = hub.try_receive()) book.receive(**each);
        EXPECT_EQ(book.received.load(), book.sent.load());
        EXPECT_EQ(book.received_sum.load(), book.sent_sum.load());
    }
}

TEST_P(channel_stampede, receivers_that_leave_end_the_sending) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < 50; ++round) {
        auto hub = std::make_unique<channel<value>>(GetParam());
        std::vector<task<>> sending;
        for (int i = 0; i < 4; ++i) {
            sending.push_back([](channel_sender<value> tx) -> task<> {
                while (co_await tx.async_send(std::make_unique<long>(1))) {
                }
            }(hub->sender()));
        }
        background a(pool, std::move(sending));
        for (int i = 0; i < 10; ++i) EXPECT_TRUE(hub->wait_receive().has_value());
        hub.reset();
        EXPECT_TRUE(a.join());
    }
}

INSTANTIATE_TEST_SUITE_P(, channel_stampede,
                         testing::Values(std::size_t{0}, std::size_t{1}, std::size_t{7}, channel<value>::unbounded),
                         [](const auto& capacity) {
                             return capacity.param == channel<value>::unbounded
                                        ? std::string("unbounded")
                                        : "capacity_" + std::to_string(capacity.param);
                         });

TEST(channel_stress, wake_is_not_lost_between_one_sender_and_one_receiver) {
    for (int round = 0; round < 2'000; ++round) {
        channel<int> hub;
        std::thread sender([tx = hub.sender()]() mutable {
            tx.send(1);
            const auto last = std::move(tx);
        });
        EXPECT_EQ(hub.wait_receive(), 1);
        EXPECT_EQ(hub.wait_receive(), std::nullopt) << "ended";
        sender.join();
    }
}

// The last end that goes destroys what all share, while another thread may be about to leave it.
TEST(channel_stress, ends_may_go_on_any_thread_at_any_time) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < 2'000; ++round) {
        auto hub = std::make_unique<channel<value>>(1);
        pool.post([tx = hub->sender()] { tx.send(std::make_unique<long>(1)); });
        pool.post([rx = hub->receiver()] { static_cast<void>(rx.wait_receive()); });
        pool.post(
            [tx = hub->sender(), rx = hub->receiver()] { static_cast<void>(tx.try_send(std::make_unique<long>(2))); });
        hub.reset();
    }
}

}  // namespace
