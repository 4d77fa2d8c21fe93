#include <exec/io/incoming.hpp>

#include "io/socket_support.hpp"

#include <exec/algo/timeout.hpp>
#include <exec/io/backend_kind.hpp>
#include <exec/io/tcp.hpp>
#include <exec/io/unix.hpp>

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::endpoint;
using coex::incoming_blocks;
using coex::incoming_datagrams;
using coex::receive_buffers;
using coex::received_block;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex::udp_socket;
using coex::unix_stream;
using coex_test::bytes_of;
using coex_test::run_on;

std::string text_of(const received_block& block) {
    return {reinterpret_cast<const char*>(block.bytes().data()), block.size()};
}

// The n-th byte of a stream, such that a loss or a change of order shows.
std::byte byte_at(std::size_t place) {
    return static_cast<std::byte>(place * 7 + place / 251);
}

void send_all(int descriptor, std::size_t from, std::size_t count) {
    std::vector<std::byte> block(count);
    for (std::size_t i = 0; i < count; ++i) block[i] = byte_at(from + i);
    for (std::size_t done = 0; done < count;) {
        const ssize_t sent = ::send(descriptor, block.data() + done, count - done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            std::this_thread::yield();
            continue;
        }
        ASSERT_GT(sent, 0);
        done += static_cast<std::size_t>(sent);
    }
}

/// Reads to the end; returns how many bytes came, or fails where one is wrong.
task<std::size_t> read_to_end(incoming_blocks& incoming, std::size_t place = 0) {
    while (std::optional<received_block> block = co_await incoming.next()) {
        for (const std::byte each : block->bytes()) {
            if (each != byte_at(place)) {
                ADD_FAILURE() << "byte " << place;
                co_return place;
            }
            ++place;
        }
    }
    co_return place;
}

/// Until the receive that a sequence left behind has given everything back.
void wait_until_unused(const receive_buffers& buffers) {
    while (buffers.in_use() != 0) std::this_thread::yield();
}

// With plain receives at once, or each after a wait.
using incoming_test = coex_test::on_both_roads;

task<std::string> one_block(incoming_blocks& incoming) {
    std::optional<received_block> block = co_await incoming.next();
    co_return block ? text_of(*block) : "end";
}

TEST_P(incoming_test, gives_what_comes_block_by_block_and_then_the_end_again_and_again) {
    static_thread_pool pool{{.threads = 1}};
    const receive_buffers buffers(4, 64);
    auto [here, there] = unix_stream::pair(pool);
    incoming_blocks incoming(here, buffers);
    send_all(there.native_handle(), 0, 10);
    EXPECT_EQ(run_on(pool, one_block(incoming)).size(), 10U);
    ASSERT_EQ(::send(there.native_handle(), "hello", 5, 0), 5);
    EXPECT_EQ(run_on(pool, one_block(incoming)), "hello");
    there.shutdown();
    EXPECT_EQ(run_on(pool, one_block(incoming)), "end");
    EXPECT_EQ(run_on(pool, one_block(incoming)), "end");
    EXPECT_EQ(buffers.in_use(), 0U);
}

TEST_P(incoming_test, a_long_stream_arrives_whole_and_in_order_and_all_buffers_come_back) {
    static_thread_pool pool{{.threads = 2}};
    const receive_buffers buffers(8, 1'000);
    for (const std::size_t ahead : {std::size_t{1}, std::size_t{4}, std::size_t{100}}) {
        auto [here, there] = unix_stream::pair(pool);
        constexpr std::size_t count = 3'000'000;
        std::thread sender([&, from = std::move(there)] { send_all(from.native_handle(), 0, count); });
        {
            incoming_blocks incoming(here, buffers, {.ahead = ahead});
            EXPECT_EQ(run_on(pool, read_to_end(incoming)), count);
        }
        sender.join();
        wait_until_unused(buffers);
    }
}

task<void> read_holding(incoming_blocks& incoming, std::size_t most, std::vector<received_block>& held) {
    while (held.size() < most) {
        std::optional<received_block> block = co_await incoming.next();
        if (!block) break;
        held.push_back(std::move(*block));
    }
}

TEST_P(incoming_test, who_holds_all_buffers_still_receives) {
    static_thread_pool pool{{.threads = 1}};
    const receive_buffers buffers(2, 100);
    auto [here, there] = unix_stream::pair(pool);
    auto [other_here, other_there] = unix_stream::pair(pool);
    incoming_blocks incoming(here, buffers, {.ahead = 1});
    incoming_blocks other(other_here, buffers, {.ahead = 1});
    std::vector<received_block> held;
    std::thread sender([&] {
        for (std::size_t i = 0; i < 20; ++i) send_all(there.native_handle(), i * 50, 50);
        there.shutdown();
    });
    run_on(pool, read_holding(incoming, 1'000, held));
    sender.join();
    std::size_t place = 0;
    for (const received_block& each : held) {
        for (const std::byte byte : each.bytes()) ASSERT_EQ(byte, byte_at(place++));
    }
    EXPECT_EQ(place, 1'000U);
    EXPECT_EQ(buffers.in_use(), held.size());
    ASSERT_EQ(::send(other_there.native_handle(), "hello", 5, 0), 5);
    EXPECT_EQ(run_on(pool, one_block(other)), "hello");
    held.clear();
    EXPECT_EQ(buffers.in_use(), 0U);
}

// What the kernel has is not counted; so it is filled to see that nothing of it is lost.
task<std::string> receive_and_answer(incoming_blocks& incoming, unix_stream& stream) {
    std::string question = co_await one_block(incoming);
    co_await coex::timeout(stream.write_all(bytes_of(question)), std::chrono::seconds(20));
    co_return question;
}

TEST_P(incoming_test, keeps_no_slot_of_the_io_depth_while_nobody_waits_for_it) {
    static_thread_pool pool{{.threads = 1, .io_depth = 1}};
    const receive_buffers buffers(4, 64);
    auto [here, there] = unix_stream::pair(pool);
    incoming_blocks incoming(here, buffers);
    ASSERT_EQ(::send(there.native_handle(), "hello", 5, 0), 5);
    EXPECT_EQ(run_on(pool, receive_and_answer(incoming, here)), "hello");
}

TEST(incoming, every_buffer_is_back_at_the_kernel_after_much_traffic) {
    static_thread_pool pool{{.threads = 1}};
    const receive_buffers buffers(16, 64);
    for (int round = 0; round < 20; ++round) {
        auto [here, there] = unix_stream::pair(pool);
        std::thread sender([&, from = std::move(there)] { send_all(from.native_handle(), 0, 20'000); });
        {
            incoming_blocks incoming(here, buffers, {.ahead = 3});
            EXPECT_EQ(run_on(pool, read_to_end(incoming)), 20'000U);
        }
        sender.join();
    }
    wait_until_unused(buffers);
    if (coex::active_io_backend() != coex::io_backend_kind::io_uring) return;
    auto [here, there] = unix_stream::pair(pool);
    incoming_blocks incoming(here, buffers, {.ahead = 1'000});
    ASSERT_EQ(::send(there.native_handle(), "x", 1, 0), 1);
    EXPECT_EQ(run_on(pool, one_block(incoming)), "x");
    // One at a time, so that each takes a buffer: the 16th takes the last one.
    for (std::size_t i = 1; i <= 16; ++i) {
        send_all(there.native_handle(), 0, 1);
        while (buffers.in_use() < i) std::this_thread::yield();
    }
}

TEST_P(incoming_test, a_cancelled_wait_loses_nothing) {
    static_thread_pool pool{{.threads = 2}};
    const receive_buffers buffers(4, 128);
    auto [here, there] = unix_stream::pair(pool);
    incoming_blocks incoming(here, buffers, {.ahead = 2});
    std::size_t place = 0;
    std::size_t sent = 0;
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        coex::inplace_stop_source stop;
        const std::size_t more = random() % 3 == 0 ? 0 : 1 + random() % 300;
        std::thread other([&, pauses = random() % 6] {
            if (more != 0) send_all(there.native_handle(), sent, more);
            for (std::uint_fast32_t i = 0; i < pauses; ++i) std::this_thread::yield();
            stop.request_stop();
        });
        const auto got = sync_wait(incoming.next(), stop.get_token());
        other.join();
        sent += more;
        if (!got) continue;
        ASSERT_TRUE(std::get<0>(*got).has_value());
        for (const std::byte each : std::get<0>(*got)->bytes()) ASSERT_EQ(each, byte_at(place++)) << "round " << round;
    }
    there.shutdown();
    EXPECT_EQ(run_on(pool, read_to_end(incoming, place)), sent);
    EXPECT_EQ(buffers.in_use(), 0U);
}

task<void> serve(static_thread_pool& pool, unix_stream& from, const receive_buffers& buffers, std::size_t blocks,
                 std::size_t ahead) {
    co_await pool.schedule();
    incoming_blocks incoming(from, buffers, {.ahead = ahead});
    for (std::size_t i = 0; i < blocks; ++i) {
        if (!co_await incoming.next()) break;
    }
}

// Sequences that go early, in the middle of traffic, many of which share one group.
TEST_P(incoming_test, sequences_that_go_at_any_moment_give_all_buffers_back) {
    static_thread_pool pool{{.threads = 2}};
    const receive_buffers buffers(32, 64);
    std::mt19937 random(11);
    constexpr std::size_t connections = 40;
    for (int round = 0; round < 10; ++round) {
        std::vector<std::pair<unix_stream, unix_stream>> pairs;
        for (std::size_t i = 0; i < connections; ++i) pairs.push_back(unix_stream::pair(pool));
        std::vector<std::thread> readers;
        coex::inplace_stop_source stop;
        for (auto& each : pairs) {
            readers.emplace_back([&, blocks = random() % 30, ahead = 1 + random() % 8] {
                static_cast<void>(sync_wait(serve(pool, each.first, buffers, blocks, ahead), stop.get_token()));
            });
        }
        for (int part = 0; part < 20; ++part) {
            for (auto& each : pairs) {
                static_cast<void>(::send(each.second.native_handle(), "0123456789", 10, MSG_DONTWAIT | MSG_NOSIGNAL));
            }
        }
        stop.request_stop();
        for (std::thread& each : readers) each.join();
        wait_until_unused(buffers);
    }
}

task<void> next_is_waited_for(incoming_blocks& from) {
    static_cast<void>(co_await from.next());
}
task<void> tell(std::atomic<bool>& begun) {
    begun.store(true);
    co_return;
}
/// Takes one block, and tells once it waits for another: `when_all` starts the second when the first has suspended.
task<void> wait_twice(incoming_blocks& from, std::optional<received_block>& to, std::atomic<bool>& begun) {
    to = co_await from.next();
    co_await coex::when_all(next_is_waited_for(from), tell(begun));
}

TEST_P(incoming_test, a_pool_that_is_destroyed_ends_the_wait_and_what_is_left_may_go_later) {
    const receive_buffers buffers(4, 64);
    for (int round = 0; round < 50; ++round) {
        auto pool = std::make_unique<static_thread_pool>(coex::pool_options{.threads = 2});
        auto ends = unix_stream::pair(*pool);
        auto incoming = std::make_unique<incoming_blocks>(ends.first, buffers);
        ASSERT_EQ(::send(ends.second.native_handle(), "hello", 5, 0), 5);
        std::optional<received_block> first;
        std::atomic<bool> begun{false};
        std::thread waiting([&] { EXPECT_FALSE(sync_wait(wait_twice(*incoming, first, begun)).has_value()); });
        while (!begun.load()) std::this_thread::yield();
        pool.reset();
        waiting.join();
        incoming.reset();
        ASSERT_TRUE(first.has_value());
        EXPECT_EQ(text_of(*first), "hello");
    }
    EXPECT_EQ(buffers.in_use(), 0U);
}

TEST_P(incoming_test, one_that_is_assigned_another_ends_its_own_receiving) {
    static_thread_pool pool{{.threads = 1}};
    const receive_buffers buffers(4, 64);
    auto first = unix_stream::pair(pool);
    auto second = unix_stream::pair(pool);
    incoming_blocks incoming(first.first, buffers);
    ASSERT_EQ(::send(first.second.native_handle(), "one", 3, 0), 3);
    EXPECT_EQ(run_on(pool, one_block(incoming)), "one");
    incoming_blocks other(second.first, buffers);
    incoming = std::move(other);
    ASSERT_EQ(::send(second.second.native_handle(), "two", 3, 0), 3);
    EXPECT_EQ(run_on(pool, one_block(incoming)), "two");
    // Soon nobody receives from the first one any more: a plain call gets what comes.
    char left = ' ';
    do {
        ASSERT_EQ(::send(first.second.native_handle(), "x", 1, 0), 1);
        std::this_thread::yield();
    } while (::recv(first.first.native_handle(), &left, 1, MSG_DONTWAIT) != 1);
    EXPECT_EQ(left, 'x');
    while (buffers.in_use() != 0) std::this_thread::yield();  // nor keeps what came meanwhile
}

task<std::string> failure(incoming_blocks& incoming) {
    try {
        static_cast<void>(co_await incoming.next());
    } catch (const std::system_error& error) {
        co_return error.what();
    }
    co_return "no error";
}

TEST_P(incoming_test, an_error_names_the_socket) {
    static_thread_pool pool{{.threads = 1}};
    const receive_buffers buffers(4, 64);
    coex::tcp_stream unconnected(pool, ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    incoming_blocks incoming(unconnected, buffers);
    const std::string what = run_on(pool, failure(incoming));
    EXPECT_EQ(what.substr(0, 8), "receive ") << what;
    EXPECT_NE(what.find("not connected"), std::string::npos) << what;
}

TEST(incoming, sizes_that_make_no_sense_are_refused) {
    EXPECT_THROW(receive_buffers(0), std::invalid_argument);
    EXPECT_THROW(receive_buffers(40'000), std::invalid_argument);
    EXPECT_THROW(receive_buffers(1, 0), std::invalid_argument);
    static_thread_pool pool{{.threads = 1}};
    auto ends = unix_stream::pair(pool);
    const receive_buffers buffers;
    EXPECT_THROW(incoming_blocks(ends.first, buffers, {.ahead = 0}), std::invalid_argument);
}

struct told {
    std::string text;
    endpoint from;
    bool truncated = false;
};

// Into a vector of its caller: g++ 12 -O2 loses the beginning of one that lies in the frame of this loop.
task<void> take_datagrams(incoming_datagrams& incoming, std::vector<told>& all, std::size_t count) {
    while (all.size() < count) {
        coex::received_datagram each = co_await incoming.next();
        all.push_back({text_of(each.block), each.from, each.truncated});
    }
}

TEST_P(incoming_test, datagrams_come_one_by_one_with_their_senders) {
    static_thread_pool pool{{.threads = 1}};
    const receive_buffers buffers(8, 100);
    udp_socket here = udp_socket::bind(pool, endpoint::loopback(0));
    udp_socket there = udp_socket::bind(pool, endpoint::loopback(0));
    incoming_datagrams incoming(here, buffers);
    const endpoint to = here.local_endpoint();
    const auto send = [&](const std::string& text) {
        const auto* address = static_cast<const sockaddr*>(to.data());
        ASSERT_EQ(::sendto(there.native_handle(), text.data(), text.size(), 0, address, to.size()),
                  static_cast<ssize_t>(text.size()));
    };
    std::vector<std::string> texts = {"one", "", std::string(100, 'x'), "four"};
    for (const std::string& each : texts) send(each);
    std::vector<told> got;
    run_on(pool, take_datagrams(incoming, got, texts.size()));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        EXPECT_EQ(got[i].text, texts[i]);
        EXPECT_EQ(got[i].from, there.local_endpoint());
        EXPECT_FALSE(got[i].truncated);
    }
    send(std::string(5'000, 'y'));
    send("after");
    std::vector<told> more;
    run_on(pool, take_datagrams(incoming, more, 2));
    EXPECT_TRUE(more[0].truncated);
    EXPECT_GE(more[0].text.size(), 100U);
    EXPECT_EQ(more[1].text, "after");
    EXPECT_EQ(buffers.in_use(), 0U);
}

COEX_ON_BOTH_ROADS(incoming_test);

}  // namespace
