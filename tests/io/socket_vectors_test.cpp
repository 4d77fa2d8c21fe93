#include "io/socket_support.hpp"

#include <exec/io/stream.hpp>

#include <array>
#include <span>
#include <string>

namespace {

using coex::static_thread_pool;
using coex::task;
using coex::unix_stream;
using coex_test::bytes_of;
using coex_test::room_in;
using coex_test::run_on;

task<void> exchange(static_thread_pool& pool) {
    auto [a, b] = unix_stream::pair(pool);
    const std::string header = "head";
    const std::string body = "body";
    const std::array out = {bytes_of(header), std::span<const std::byte>(), bytes_of(body)};
    std::string first(6, '.');
    std::string second(6, '.');
    const std::array in = {room_in(first), room_in(second)};
    const auto receive = [](unix_stream& from, std::span<const std::span<std::byte>> blocks) -> task<std::size_t> {
        co_return co_await from.read_blocks(blocks);
    };
    const auto send = [](unix_stream& to, std::span<const std::span<const std::byte>> blocks) -> task<std::size_t> {
        co_return co_await to.write_blocks(blocks);
    };
    task<std::size_t> receiving = receive(b, in);
    task<std::size_t> sending = send(a, out);
    const auto [received, sent] = co_await coex::when_all(std::move(receiving), std::move(sending));
    EXPECT_EQ(sent, 8U);
    EXPECT_EQ(received, 8U);
    EXPECT_EQ(first + second, "headbody....");
    a.shutdown();
    EXPECT_EQ(co_await b.read_blocks(in), 0U) << "the end of the stream";
}

TEST(socket_vectors, blocks_are_sent_and_received_one_after_the_other) {
    static_thread_pool pool{{.threads = 2}};
    run_on(pool, exchange(pool));
}

task<void> write_to_gone(static_thread_pool& pool) {
    auto [a, b] = unix_stream::pair(pool);
    b.close();
    const std::string text = "text";
    const std::array out = {bytes_of(text), bytes_of(text)};
    static_cast<void>(co_await a.write_blocks(out));
}
task<void> read_closed(static_thread_pool& pool) {
    auto [a, b] = unix_stream::pair(pool);
    a.close();
    std::string text = "text";
    const std::array in = {room_in(text)};
    static_cast<void>(co_await a.read_blocks(in));
}

TEST(socket_vectors, errors_name_operation_socket_and_numbers) {
    static_thread_pool pool{{.threads = 1}};
    const auto [code, what] = coex_test::failure_of(pool, write_to_gone(pool));
    EXPECT_EQ(code, std::errc::broken_pipe);
    EXPECT_EQ(what.find("write_blocks "), 0U) << what;
    EXPECT_NE(what.find("(8 bytes in 2 blocks)"), std::string::npos) << what;
    EXPECT_EQ(coex_test::failure_of(pool, read_closed(pool)).second,
              "read_blocks descriptor -1 (4 bytes in 1 blocks): Bad file descriptor");
}

}  // namespace
