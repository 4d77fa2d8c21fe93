#include <exec/io/datagram.hpp>

#include "io/socket_support.hpp"

#include <array>

namespace {

using coex::datagram;
using coex::datagram_socket;
using coex::endpoint;
using coex::static_thread_pool;
using coex::task;
using coex::udp_socket;
using coex::unix_datagram_socket;
using coex_test::bytes_of;
using coex_test::failure_of;
using coex_test::room_in;
using coex_test::run_on;

task<std::size_t> send(datagram_socket& from, std::string text, endpoint to) {
    co_return co_await from.send_to(bytes_of(text), to);
}

struct received {
    std::string text;
    datagram details;
};

task<received> receive(datagram_socket& on, std::size_t room) {
    std::string block(room, '\0');
    const datagram details = co_await on.recv_from(room_in(block));
    block.resize(details.bytes);
    received all;
    all.text = block;
    all.details = details;
    co_return all;
}

class datagrams : public ::testing::Test {
protected:
    static_thread_pool pool{{.name = "net", .threads = 2}};
    coex_test::scratch_directory scratch;
};

TEST_F(datagrams, udp_keeps_the_limits_of_messages_and_tells_the_sender) {
    for (const auto family : {coex::address_family::ipv4, coex::address_family::ipv6}) {
        udp_socket a = udp_socket::bind(pool, endpoint::loopback(0, family));
        udp_socket b = udp_socket::bind(pool, endpoint::loopback(0, family));
        EXPECT_EQ(run_on(pool, send(a, "one", b.local_endpoint())), 3U);
        EXPECT_EQ(run_on(pool, send(a, "", b.local_endpoint())), 0U);
        EXPECT_EQ(run_on(pool, send(a, "three", b.local_endpoint())), 5U);
        const received first = run_on(pool, receive(b, 100));
        EXPECT_EQ(first.text, "one");
        EXPECT_EQ(first.details.from, a.local_endpoint());
        EXPECT_FALSE(first.details.truncated);
        EXPECT_EQ(run_on(pool, receive(b, 100)).text, "");
        EXPECT_EQ(run_on(pool, receive(b, 100)).text, "three");
    }
}

TEST_F(datagrams, a_message_longer_than_the_block_is_said_to_be_truncated) {
    udp_socket a = udp_socket::bind(pool, endpoint::loopback(0));
    run_on(pool, send(a, "abcdef", a.local_endpoint()));
    const received cut = run_on(pool, receive(a, 3));
    EXPECT_EQ(cut.text, "abc");
    EXPECT_TRUE(cut.details.truncated);
}

TEST_F(datagrams, a_message_too_long_for_the_network_is_an_error_with_its_size) {
    udp_socket a = udp_socket::bind(pool, endpoint::loopback(0));
    const auto [code, text] = failure_of(pool, send(a, std::string(70'000, 'x'), a.local_endpoint()));
    EXPECT_EQ(code, std::errc::message_size);
    EXPECT_NE(text.find("70000 bytes to 127.0.0.1:"), std::string::npos) << text;
}

TEST_F(datagrams, local_sockets_exchange_them_by_path) {
    unix_datagram_socket a = unix_datagram_socket::bind(pool, endpoint::local((scratch / "a").string()));
    unix_datagram_socket b = unix_datagram_socket::bind(pool, endpoint::local((scratch / "b").string()));
    run_on(pool, send(a, "hello", b.local_endpoint()));
    const received message = run_on(pool, receive(b, 10));
    EXPECT_EQ(message.text, "hello");
    EXPECT_EQ(message.details.from.path(), (scratch / "a").string());
}

TEST_F(datagrams, a_receiver_waits_for_one) {
    udp_socket a = udp_socket::bind(pool, endpoint::loopback(0));
    const auto both = [](static_thread_pool& on, udp_socket& socket) -> task<std::string> {
        co_await on.schedule();
        auto [message, sent] =
            co_await coex::when_all(receive(socket, 10), send(socket, "later", socket.local_endpoint()));
        co_return message.text;
    };
    for (int i = 0; i < 100; ++i) EXPECT_EQ(coex::block_on(both(pool, a)), "later");
}

TEST_F(datagrams, a_bound_port_is_an_error_that_names_it) {
    const udp_socket first = udp_socket::bind(pool, endpoint::loopback(0));
    try {
        const udp_socket second = udp_socket::bind(pool, first.local_endpoint());
        FAIL() << "two are bound to one port";
    } catch (const std::system_error& error) {
        EXPECT_EQ(std::string(error.what()), "bind " + first.local_endpoint().to_string() + ": Address already in use");
    }
}

}  // namespace
