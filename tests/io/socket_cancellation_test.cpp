#include "io/socket_support.hpp"

#include <exec/io/datagram.hpp>
#include <exec/io/poll.hpp>

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <thread>

namespace {

using coex::endpoint;
using coex::inplace_stop_source;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex::tcp_listener;
using coex::tcp_stream;
using coex::unix_stream;
using coex_test::bytes_of;
using coex_test::room_in;

/// All that can wait, each on an object that will never be ready.
struct waiting_rooms {
    explicit waiting_rooms(static_thread_pool& pool)
        : ends(unix_stream::pair(pool)),
          listener(tcp_listener::listen(pool, endpoint::loopback(0))),
          udp(coex::udp_socket::bind(pool, endpoint::loopback(0))) {
        ends.first.set_send_buffer(4096);
    }

    std::pair<unix_stream, unix_stream> ends;
    tcp_listener listener;
    coex::udp_socket udp;
};

/// More than any socket takes.
const std::string& large_text() {
    static const std::string text(10'000'000, 'x');
    return text;
}

task<int> wait_in(static_thread_pool& pool, waiting_rooms& rooms, int which) {
    co_await pool.schedule();
    std::array<std::byte, 16> block{};
    switch (which) {
        case 0:
            co_await rooms.ends.first.read_some(block);
            break;
        case 1:
            co_await rooms.ends.first.read_exactly(block);
            break;
        case 2:
            co_await rooms.ends.first.write_all(bytes_of(large_text()));
            break;
        case 3: {
            const tcp_stream stream = co_await rooms.listener.accept();
            break;
        }
        case 4:
            co_await rooms.udp.recv_from(block);
            break;
        default:
            co_await coex::poll(pool, rooms.ends.first.native_handle(), coex::poll_events::readable);
            break;
    }
    co_return 1;
}
constexpr int rooms_count = 6;

class socket_cancellation : public ::testing::Test {
protected:
    static_thread_pool pool{{.name = "net", .threads = 2}};
};

TEST_F(socket_cancellation, a_stop_before_the_start_begins_nothing) {
    waiting_rooms rooms(pool);
    inplace_stop_source source;
    source.request_stop();
    for (int which = 0; which < rooms_count; ++which) {
        EXPECT_FALSE(sync_wait(wait_in(pool, rooms, which), source.get_token()).has_value()) << which;
    }
}

TEST_F(socket_cancellation, every_operation_in_flight_is_cancelled) {
    for (int which = 0; which < rooms_count; ++which) {
        for (int i = 0; i < 50; ++i) {
            waiting_rooms rooms(pool);
            inplace_stop_source source;
            std::thread stopper([&] {
                for (int pauses = 0; pauses < i; ++pauses) std::this_thread::yield();
                source.request_stop();
            });
            EXPECT_FALSE(sync_wait(wait_in(pool, rooms, which), source.get_token()).has_value()) << which;
            stopper.join();
        }
    }
}

TEST_F(socket_cancellation, those_that_share_a_socket_all_end) {
    waiting_rooms rooms(pool);
    for (int turn = 0; turn < 20; ++turn) {
        std::vector<task<int>> all;
        for (int i = 0; i < 60; ++i) {
            const int which = i % rooms_count;
            if (which != 2) all.push_back(wait_in(pool, rooms, which));
        }
        inplace_stop_source source;
        std::thread stopper([&] { source.request_stop(); });
        EXPECT_FALSE(sync_wait(coex::when_all(std::move(all)), source.get_token()).has_value());
        stopper.join();
    }
}

TEST_F(socket_cancellation, the_end_of_a_pool_ends_what_waits) {
    for (int which = 0; which < rooms_count; ++which) {
        auto brief = std::make_unique<static_thread_pool>(coex::pool_options{.threads = 2});
        waiting_rooms rooms(*brief);
        std::atomic<bool> entered{false};
        const auto enter = [](static_thread_pool& on, waiting_rooms& in, int room,
                              std::atomic<bool>& begun) -> task<int> {
            co_await on.schedule();
            begun.store(true);
            co_return co_await wait_in(on, in, room);
        };
        std::thread waiter([&] { EXPECT_FALSE(sync_wait(enter(*brief, rooms, which, entered)).has_value()) << which; });
        while (!entered.load()) std::this_thread::yield();
        brief.reset();
        waiter.join();
    }
}

/// Receives single bytes until one of them is 'z', or until it is stopped; counts them.
task<void> count_bytes(unix_stream& from, std::atomic<int>& count) {
    for (;;) {
        std::array<std::byte, 1> byte{};
        if (co_await from.read_some(byte) == 0) co_return;
        count.fetch_add(1);
        if (byte[0] == std::byte{'z'}) co_return;
    }
}

// A cancelled read_some has received nothing: whatever is cancelled when, no byte is lost and none comes twice.
TEST_F(socket_cancellation, a_read_that_is_cancelled_while_data_comes_loses_nothing) {
    std::mt19937 random(4711);
    for (int turn = 0; turn < 300; ++turn) {
        auto [near, far] = unix_stream::pair(pool);
        std::atomic<int> count{0};
        inplace_stop_source source;
        const int sent = static_cast<int>(random() % 50);
        std::thread writer([&, to = near.native_handle()] {
            for (int i = 0; i < sent; ++i) EXPECT_EQ(::write(to, "a", 1), 1);
            source.request_stop();
            EXPECT_EQ(::write(to, "z", 1), 1);
        });
        const auto there = [](static_thread_pool& on, unix_stream& from, std::atomic<int>& counter) -> task<void> {
            co_await on.schedule();
            co_await count_bytes(from, counter);
        };
        const bool stopped = !sync_wait(there(pool, far, count), source.get_token()).has_value();
        writer.join();
        if (stopped) coex::block_on(count_bytes(far, count));
        EXPECT_EQ(count.load(), sent + 1);
    }
}

}  // namespace
