#include "io/splice_support.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

namespace {

using coex::inplace_stop_source;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex::tcp_stream;
using coex::unix_stream;
using coex_test::bytes_of;
using coex_test::long_text;
using coex_test::pipe_ends;
using coex_test::put;
using coex_test::room_in;
using coex_test::run_on;
using coex_test::tcp_pair;

class splice_of_streams : public ::testing::Test {
protected:
    static_thread_pool pool{{.threads = 1}};
    pipe_ends pipe{pool};
};

template <class Stream>
task<std::size_t> forward(Stream from, Stream to, const pipe_ends& pipe) {
    std::size_t total = 0;
    for (;;) {
        const std::size_t count = co_await coex::splice(from, pipe.writing, 65'536);
        if (count == 0) break;
        for (std::size_t left = count; left != 0;) left -= co_await coex::splice(pipe.reading, to, left);
        total += count;
    }
    to.shutdown();
    // After it was spliced a stream waits as before.
    std::array<std::byte, 16> block{};
    EXPECT_EQ(co_await to.read_some(block), 5U);
    co_await from.write_all(std::span<const std::byte>(block).first(5));
    co_return total;
}

template <class Stream>
task<std::string> ask(Stream& to, const std::string& question) {
    co_await to.write_all(bytes_of(question));
    to.shutdown();
    std::string answer(5, '?');
    co_await to.read_exactly(room_in(answer));
    co_return answer;
}

template <class Stream>
task<std::string> take(Stream& from) {
    std::string text;
    std::string block(10'000, '?');
    for (;;) {
        const std::size_t count = co_await from.read_some(room_in(block));
        if (count == 0) break;
        text.append(block, 0, count);
    }
    co_await from.write_all(bytes_of("thank"));
    co_return text;
}

template <class Stream>
void expect_forwarded(static_thread_pool& pool, std::pair<Stream, Stream> left, std::pair<Stream, Stream> right) {
    const pipe_ends pipe(pool);
    const std::string text = long_text(std::size_t{1} << 20);
    const auto whole = [&]() -> task<std::tuple<std::string, std::size_t, std::string>> {
        co_return co_await coex::when_all(
            ask(left.first, text), forward(std::move(left.second), std::move(right.first), pipe), take(right.second));
    };
    const auto [answer, moved, taken] = run_on(pool, whole());
    EXPECT_EQ(answer, "thank");
    EXPECT_EQ(moved, text.size());
    EXPECT_TRUE(taken == text);
}

TEST_F(splice_of_streams, forwards_a_mebibyte_from_tcp_to_tcp_on_one_worker) {
    expect_forwarded(pool, run_on(pool, tcp_pair(pool)), run_on(pool, tcp_pair(pool)));
}

TEST_F(splice_of_streams, forwards_a_mebibyte_from_unix_to_unix_on_one_worker) {
    expect_forwarded(pool, unix_stream::pair(pool), unix_stream::pair(pool));
}

task<std::string> read_while_spliced_to(tcp_stream& stream, tcp_stream& peer, pipe_ends& pipe) {
    std::string answer(5, '?');
    const auto answering = [&]() -> task<void> {
        put(pipe.writing, "hello");
        EXPECT_EQ(co_await coex::splice(pipe.reading, stream, 64), 5U);
        std::string question(5, '?');
        co_await peer.read_exactly(room_in(question));
        co_await peer.write_all(bytes_of(question));
    };
    const auto waiting = [&]() -> task<void> { co_await stream.read_exactly(room_in(answer)); };
    co_await coex::when_all(waiting(), answering());
    co_return answer;
}

TEST_F(splice_of_streams, to_a_stream_leaves_a_read_in_flight_waiting) {
    auto ends = run_on(pool, tcp_pair(pool));
    EXPECT_EQ(run_on(pool, read_while_spliced_to(ends.first, ends.second, pipe)), "hello");
}

// The kernel's splice would wait for room with the pipe locked, and writing would wait for the pipe.
TEST_F(splice_of_streams, to_a_stream_without_room_leaves_the_pipe_to_others) {
    auto ends = run_on(pool, tcp_pair(pool));
    ends.first.set_send_buffer(4096);
    ends.second.set_receive_buffer(4096);
    inplace_stop_source stop;
    const auto until_stopped = [&]() -> task<void> {
        for (;;) static_cast<void>(co_await coex::splice(pipe.reading, ends.first, 65'536));
    };
    std::thread splicer([&] { EXPECT_FALSE(sync_wait(until_stopped(), stop.get_token()).has_value()); });
    // Until the connection is full, and the pipe too.
    const std::string block(4096, 'x');
    ::fcntl(pipe.writing.native_handle(), F_SETFL, O_NONBLOCK);
    for (int refused = 0; refused < 2'000; ++refused) {
        if (::write(pipe.writing.native_handle(), block.data(), block.size()) > 0) refused = 0;
        std::this_thread::yield();
    }
    stop.request_stop();
    splicer.join();
}

}  // namespace
