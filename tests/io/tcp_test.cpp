#include <exec/io/tcp.hpp>

#include "io/socket_support.hpp"

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

namespace {

using namespace std::chrono_literals;
using coex::block_on;
using coex::endpoint;
using coex::static_thread_pool;
using coex::task;
using coex::tcp_listener;
using coex::tcp_stream;
using coex_test::bytes_of;
using coex_test::echo;
using coex_test::failure_of;
using coex_test::room_in;
using coex_test::run_on;

task<std::pair<tcp_stream, tcp_stream>> connected_pair(static_thread_pool& pool,
                                                       coex::address_family family = coex::address_family::ipv4) {
    tcp_listener listener = tcp_listener::listen(pool, endpoint::loopback(0, family));
    tcp_stream near = co_await tcp_stream::connect(pool, listener.local_endpoint());
    tcp_stream far = co_await listener.accept();
    co_return std::pair<tcp_stream, tcp_stream>(std::move(near), std::move(far));
}

task<std::string> receive_text(tcp_stream& from, std::size_t bytes) {
    std::string text(bytes, '\0');
    co_await from.read_exactly(room_in(text));
    co_return text;
}

class tcp : public ::testing::Test {
protected:
    static_thread_pool pool{{.name = "net", .threads = 2}};
};

TEST_F(tcp, what_one_end_writes_the_other_reads) {
    for (const auto family : {coex::address_family::ipv4, coex::address_family::ipv6}) {
        auto [near, far] = run_on(pool, connected_pair(pool, family));
        const std::string text = "hello";
        block_on([](tcp_stream& to, const std::string& sent) -> task<void> { co_await to.write_all(bytes_of(sent)); }(
                                                                 near, text));
        EXPECT_EQ(block_on(receive_text(far, 5)), "hello");
        EXPECT_EQ(near.remote_endpoint(), far.local_endpoint());
        EXPECT_EQ(far.remote_endpoint(), near.local_endpoint());
    }
}

TEST_F(tcp, read_some_gives_what_there_is_and_nothing_at_the_end) {
    auto [near, far] = run_on(pool, connected_pair(pool));
    const auto read = [](tcp_stream& to, tcp_stream& from) -> task<std::vector<std::size_t>> {
        const std::string sent = "abc";
        co_await to.write_all(bytes_of(sent));
        std::string block(10, '\0');
        std::vector<std::size_t> counts;
        counts.push_back(co_await from.read_some(room_in(block)));
        to.shutdown();
        counts.push_back(co_await from.read_some(room_in(block)));
        counts.push_back(co_await from.read_some(std::span<std::byte>()));
        co_return counts;
    };
    EXPECT_EQ(block_on(read(near, far)), (std::vector<std::size_t>{3, 0, 0}));
}

task<void> write_text(tcp_stream& to, const std::string& text) {
    co_await to.write_all(bytes_of(text));
    to.shutdown();
}

TEST_F(tcp, a_large_write_is_whole_though_the_buffers_are_small) {
    auto [near, far] = run_on(pool, connected_pair(pool));
    near.set_send_buffer(50'000);
    std::string sent(3'000'000, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 % 251);
    std::thread writer([&] { block_on(write_text(near, sent)); });
    const std::string received = block_on(receive_text(far, sent.size()));
    writer.join();
    EXPECT_TRUE(received == sent);
}

TEST_F(tcp, an_early_end_of_the_stream_is_an_error_of_read_exactly_that_says_how_far_it_came) {
    auto [near, far] = run_on(pool, connected_pair(pool));
    block_on(write_text(near, "abc"));
    const auto [code, text] = failure_of(pool, receive_text(far, 8));
    EXPECT_EQ(code, coex::io_errc::end_of_stream);
    EXPECT_NE(text.find("read_exactly 127.0.0.1:"), std::string::npos) << text;
    EXPECT_NE(text.find("3 of 8 bytes done"), std::string::npos) << text;
}

TEST_F(tcp, a_refused_connection_names_the_address) {
    const auto [code, text] = failure_of(pool, [](static_thread_pool& on) -> task<void> {
        const endpoint nobody = endpoint::loopback(1);
        tcp_stream stream = co_await tcp_stream::connect(on, nobody);
    }(pool));
    EXPECT_EQ(code, std::errc::connection_refused);
    EXPECT_EQ(text, "connect 127.0.0.1:1: Connection refused");
}

TEST_F(tcp, a_port_in_use_is_an_error_that_names_it) {
    const tcp_listener first = tcp_listener::listen(pool, endpoint::loopback(0));
    try {
        const tcp_listener second = tcp_listener::listen(pool, first.local_endpoint());
        FAIL() << "two listen on one port";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::address_in_use);
        EXPECT_EQ(std::string(error.what()),
                  "listen " + first.local_endpoint().to_string() + ": Address already in use");
    }
}

TEST_F(tcp, two_may_listen_on_one_port_that_is_reused) {
    const tcp_listener first = tcp_listener::listen(pool, endpoint::loopback(0), {.reuse_port = true});
    const tcp_listener second = tcp_listener::listen(pool, first.local_endpoint(), {.reuse_port = true});
    EXPECT_EQ(first.local_endpoint(), second.local_endpoint());
}

TEST_F(tcp, writing_to_a_peer_that_is_gone_is_an_error_and_no_signal) {
    auto [near, far] = run_on(pool, connected_pair(pool));
    far.close();
    const auto write_much = [](tcp_stream& to) -> task<void> {
        const std::string block(100'000, 'x');
        for (int i = 0; i < 1000; ++i) co_await to.write_all(bytes_of(block));
    };
    const auto [code, text] = failure_of(pool, write_much(near));
    EXPECT_TRUE(code == std::errc::connection_reset || code == std::errc::broken_pipe) << text;
    EXPECT_NE(text.find("write_all 127.0.0.1:"), std::string::npos) << text;
}

TEST_F(tcp, operations_on_a_closed_stream_fail_with_bad_descriptor) {
    auto [near, far] = run_on(pool, connected_pair(pool));
    near.close();
    EXPECT_FALSE(near.is_open());
    EXPECT_EQ(failure_of(pool, receive_text(near, 1)).first, std::errc::bad_file_descriptor);
    EXPECT_EQ(failure_of(pool, write_text(near, "x")).first, std::errc::bad_file_descriptor);
    EXPECT_THROW(static_cast<void>(near.local_endpoint()), std::system_error);
}

TEST_F(tcp, an_operation_on_what_is_no_socket_is_an_error) {
    coex_test::pipe_pair pipe;
    tcp_stream no_socket(pool, pipe.take_reading_end());
    EXPECT_EQ(failure_of(pool, receive_text(no_socket, 1)).first, std::errc::not_a_socket);
}

TEST_F(tcp, two_hundred_and_fifty_readers_wait_and_hold_no_worker) {
    static_thread_pool single{{.threads = 1}};
    constexpr int connections = 250;
    std::vector<tcp_stream> near;
    std::vector<tcp_stream> far;
    for (int i = 0; i < connections; ++i) {
        auto [a, b] = run_on(single, connected_pair(single));
        near.push_back(std::move(a));
        far.push_back(std::move(b));
    }
    std::vector<task<std::string>> readers;
    for (tcp_stream& each : far) readers.push_back(receive_text(each, 4));
    std::vector<std::string> received;
    std::thread waiting([&] { received = run_on(single, coex::when_all(std::move(readers))); });
    // A plain task runs to its end on the only worker meanwhile.
    for (int i = 0; i < 100; ++i) EXPECT_EQ(single.submit([i] { return i; }).get(), i);
    for (tcp_stream& each : near) block_on(write_text(each, "ping"));
    waiting.join();
    EXPECT_EQ(received, std::vector<std::string>(connections, "ping"));
}

task<int> serve(tcp_listener& listener, std::size_t connections) {
    std::vector<task<void>> sessions;
    for (std::size_t i = 0; i < connections; ++i) sessions.push_back(echo(co_await listener.accept()));
    co_await coex::when_all(std::move(sessions));
    co_return 0;
}

task<int> talk(static_thread_pool& pool, endpoint server, int rounds) {
    tcp_stream stream = co_await tcp_stream::connect(pool, server);
    std::array<std::byte, 64> sent{};
    std::array<std::byte, 64> received{};
    for (int i = 0; i < rounds; ++i) {
        sent.fill(static_cast<std::byte>(i));
        co_await stream.write_all(sent);
        co_await stream.read_exactly(received);
        if (received != sent) co_return -1;
    }
    stream.shutdown();
    co_return rounds;
}

task<int> talk_all(static_thread_pool& pool, endpoint server, int clients, int rounds) {
    std::vector<task<int>> all;
    for (int i = 0; i < clients; ++i) all.push_back(talk(pool, server, rounds));
    int sum = 0;
    for (const int each : co_await coex::when_all(std::move(all))) sum += each;
    co_return sum;
}

TEST_F(tcp, a_hundred_clients_are_served_at_once) {
    constexpr int clients = 100;
    constexpr int rounds = 20;
    const auto before = coex_test::open_descriptors();
    for (int turn = 0; turn < 3; ++turn) {
        tcp_listener listener = tcp_listener::listen(pool, endpoint::loopback(0));
        auto both = [](static_thread_pool& on, tcp_listener& from) -> task<int> {
            co_await on.schedule();
            auto [nothing, sum] =
                co_await coex::when_all(serve(from, clients), talk_all(on, from.local_endpoint(), clients, rounds));
            co_return sum;
        };
        EXPECT_EQ(block_on(both(pool, listener)), clients * rounds);
    }
    EXPECT_LE(coex_test::open_descriptors(), before + coex_test::most_of_a_backend);
}

}  // namespace
