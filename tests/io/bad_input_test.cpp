// What cannot be done is refused with an error that names the operation and what it was to work on.
#include "io/socket_support.hpp"

#include <exec/io/datagram.hpp>
#include <exec/io/file.hpp>
#include <exec/io/file_system.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace {

using coex::endpoint;
using coex::file;
using coex::open_mode;
using coex::static_thread_pool;
using coex::task;
using coex::tcp_listener;
using coex::tcp_stream;
using coex::udp_socket;
using coex_test::bytes_of;
using coex_test::failure_of;
using coex_test::room_in;
using coex_test::run_on;

using told = std::pair<std::error_code, std::string>;

class bad_input : public coex_test::on_both_roads {
protected:
    static_thread_pool pool{{.threads = 1}};
    coex_test::scratch_directory scratch;
};

/// What a call that is no operation throws.
template <class Call>
told thrown_by(Call call) {
    try {
        call();
    } catch (const std::system_error& error) {
        return {error.code(), error.what()};
    }
    return {{}, "no error"};
}

void expect(const told& failure, std::errc reason, const std::string& beginning) {
    EXPECT_EQ(failure.first, reason) << failure.second;
    EXPECT_EQ(failure.second.find(beginning), 0U) << failure.second << "\n  should begin with " << beginning;
}

task<void> connect_to(static_thread_pool& pool, endpoint server) {
    static_cast<void>(co_await tcp_stream::connect(pool, server));
}

TEST_P(bad_input, an_address_that_nobody_can_have_is_refused_by_name) {
    expect(failure_of(pool, connect_to(pool, endpoint())), std::errc::address_family_not_supported,
           "connect unnamed: ");
    expect(failure_of(pool, connect_to(pool, endpoint::parse("127.0.0.1:0"))), std::errc::connection_refused,
           "connect 127.0.0.1:0: ");
    const endpoint elsewhere = endpoint::parse("192.0.2.7:0");
    expect(thrown_by([&] { static_cast<void>(tcp_listener::listen(pool, elsewhere)); }),
           std::errc::address_not_available, "listen 192.0.2.7:0: ");
    expect(thrown_by([&] { static_cast<void>(udp_socket::bind(pool, elsewhere)); }), std::errc::address_not_available,
           "bind 192.0.2.7:0: ");
    expect(thrown_by([&] { static_cast<void>(udp_socket::bind(pool, endpoint())); }),
           std::errc::address_family_not_supported, "bind unnamed: ");
}

task<void> send_word(udp_socket& from, endpoint to) {
    co_await from.send_to(bytes_of("word"), to);
}

TEST_P(bad_input, a_datagram_to_an_address_of_another_kind_is_refused_by_name) {
    udp_socket from = udp_socket::bind(pool, endpoint::loopback(0));
    expect(failure_of(pool, send_word(from, endpoint::parse("[::1]:80"))), std::errc::address_family_not_supported,
           "send_to " + from.local_endpoint().to_string());
    const told nowhere = failure_of(pool, send_word(from, endpoint()));
    expect(nowhere, std::errc::destination_address_required, "send_to " + from.local_endpoint().to_string());
    EXPECT_NE(nowhere.second.find("4 bytes to unnamed"), std::string::npos) << nowhere.second;
}

task<void> accept_one(tcp_listener& from) {
    static_cast<void>(co_await from.accept());
}
task<void> receive_one(udp_socket& from) {
    std::string text(4, '.');
    static_cast<void>(co_await from.recv_from(room_in(text)));
}

TEST_P(bad_input, sockets_that_were_closed_say_so) {
    tcp_listener listener = tcp_listener::listen(pool, endpoint::loopback(0));
    listener.close();
    expect(failure_of(pool, accept_one(listener)), std::errc::bad_file_descriptor, "accept ");
    udp_socket socket = udp_socket::bind(pool, endpoint::loopback(0));
    socket.close();
    expect(failure_of(pool, send_word(socket, endpoint::loopback(9))), std::errc::bad_file_descriptor, "send_to ");
    expect(failure_of(pool, receive_one(socket)), std::errc::bad_file_descriptor, "recv_from ");
}

task<void> read_at_offset(static_thread_pool& pool, std::filesystem::path path, std::uint64_t offset) {
    file from = co_await coex::open_file(pool, path, open_mode::read_write);
    std::string text(2, '.');
    static_cast<void>(co_await from.read_at(offset, room_in(text)));
}
task<void> write_at_offset(static_thread_pool& pool, std::filesystem::path path, std::uint64_t offset) {
    file to = co_await coex::open_file(pool, path, open_mode::read_write);
    static_cast<void>(co_await to.write_at(offset, bytes_of("ab")));
}
task<void> resize_to(static_thread_pool& pool, std::filesystem::path path, std::uint64_t size) {
    file which = co_await coex::open_file(pool, path, open_mode::read_write);
    co_await which.resize(size);
}

TEST_P(bad_input, places_that_no_file_has_are_refused_with_their_numbers) {
    const auto path = scratch.write("file", "text");
    const std::string name = "'" + path.string() + "' ";
    constexpr std::uint64_t beyond = std::uint64_t{1} << 63;
    const std::string there = "(2 bytes at offset 9223372036854775808): ";
    expect(failure_of(pool, read_at_offset(pool, path, beyond)), std::errc::invalid_argument,
           "read_at " + name + there);
    expect(failure_of(pool, write_at_offset(pool, path, beyond)), std::errc::invalid_argument,
           "write_at " + name + there);
    expect(failure_of(pool, resize_to(pool, path, beyond)), std::errc::invalid_argument,
           "resize " + name + "(to 9223372036854775808 bytes): ");
    EXPECT_EQ(std::filesystem::file_size(path), 4U);
}

task<void> status_of(static_thread_pool& pool, std::string path) {
    static_cast<void>(co_await coex::statx(pool, path));
}
task<void> open_at(static_thread_pool& pool, std::string path) {
    static_cast<void>(co_await coex::open_directory(pool, path));
}
task<void> open_below(static_thread_pool& pool, std::filesystem::path where, std::string path) {
    const coex::directory below = co_await coex::open_directory(pool, where);
    static_cast<void>(co_await below.open_file(path, open_mode::read));
}
task<void> rename_to(std::filesystem::path from, std::string to) {
    co_await coex::rename_path(from, to);
}

TEST_P(bad_input, paths_that_are_too_long_are_refused) {
    const auto path = scratch.write("file", "");
    std::string deep;
    while (deep.size() < 5'000) deep += "directory/";
    for (const std::string& too_long : {std::string(300, 'a'), deep}) {
        const std::string name = "'" + too_long + "'";
        constexpr auto reason = std::errc::filename_too_long;
        expect(failure_of(pool, status_of(pool, too_long)), reason, "statx " + name);
        expect(failure_of(pool, open_at(pool, too_long)), reason, "open_directory " + name);
        expect(failure_of(pool, open_below(pool, path.parent_path(), too_long)), reason,
               "open_file '" + path.parent_path().string() + "/" + too_long + "'");
        expect(failure_of(pool, rename_to(path, too_long)), reason, "rename_path '" + path.string() + "' to " + name);
    }
    EXPECT_TRUE(std::filesystem::exists(path));
}

task<void> transfer_no_blocks(static_thread_pool& pool, std::filesystem::path path) {
    file both = co_await coex::open_file(pool, path, open_mode::read_write);
    EXPECT_EQ(co_await both.read_blocks_at(0, {}), 0U);
    EXPECT_EQ(co_await both.write_blocks_at(0, {}), 0U);
    EXPECT_EQ(co_await both.append({}), 0U);
    EXPECT_EQ(co_await coex::copy_range(both, 0, both, 100, 0), 0U);
}

// Not bad, but of the same kind: nothing is to be done.
TEST_P(bad_input, no_bytes_and_no_blocks_are_no_error) {
    const auto path = scratch.write("file", "text");
    run_on(pool, transfer_no_blocks(pool, path));
    EXPECT_EQ(std::filesystem::file_size(path), 4U);
}

task<coex::datagram> receive_without_room(udp_socket& socket) {
    co_await socket.send_to(bytes_of("word"), socket.local_endpoint());
    co_return co_await socket.recv_from({});
}

TEST_P(bad_input, a_datagram_without_room_for_it_is_taken_and_said_to_be_truncated) {
    udp_socket socket = udp_socket::bind(pool, endpoint::loopback(0));
    const coex::datagram got = run_on(pool, receive_without_room(socket));
    EXPECT_EQ(got.bytes, 0U);
    EXPECT_TRUE(got.truncated);
}

COEX_ON_BOTH_ROADS(bad_input);

}  // namespace
