#include <exec/io/splice.hpp>

#include "io/splice_support.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

namespace {

namespace fs = std::filesystem;
using coex::file;
using coex::inplace_stop_source;
using coex::open_file;
using coex::open_mode;
using coex::splice_end;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex::unix_stream;
using coex_test::anywhere;
using coex_test::bytes_in;
using coex_test::failure_of;
using coex_test::long_text;
using coex_test::pipe_ends;
using coex_test::put;
using coex_test::room_in;
using coex_test::run_on;
using coex_test::tcp_pair;

constexpr auto new_file = open_mode::read_write | open_mode::create;

// Until the pipe takes nothing more.
void fill(const file& writing_end) {
    const std::array<char, 4096> block{};
    ::fcntl(writing_end.native_handle(), F_SETFL, O_NONBLOCK);
    while (::write(writing_end.native_handle(), block.data(), block.size()) > 0) {
    }
    ::fcntl(writing_end.native_handle(), F_SETFL, 0);
}

class splice : public ::testing::Test {
protected:
    static_thread_pool pool{{.threads = 1}};
    coex_test::scratch_directory scratch;
    pipe_ends pipe{pool};
};

task<std::size_t> once(splice_end from, splice_end to, std::size_t length) {
    co_return co_await coex::splice(from, to, length);
}

// --- what moves ---------------------------------------------------------------------------------------------------

task<std::string> from_file_to_file(static_thread_pool& pool, fs::path from_path, fs::path to_path) {
    const pipe_ends pipe(pool);
    file from = co_await open_file(pool, from_path, open_mode::read);
    file to = co_await open_file(pool, to_path, new_file);
    std::uint64_t taken = 2;
    std::uint64_t given = 3;
    for (;;) {
        const std::size_t count = co_await coex::splice({from, taken}, pipe.writing, 1'000'000);
        if (count == 0) break;
        taken += count;
        for (std::size_t left = count; left != 0;) {
            const std::size_t moved = co_await coex::splice(pipe.reading, {to, given}, left);
            EXPECT_GT(moved, 0U);
            given += moved;
            left -= moved;
        }
    }
    std::string copied(given, '?');
    EXPECT_EQ(co_await to.read_at(0, room_in(copied)), given);
    co_return copied;
}

TEST_F(splice, moves_a_range_of_a_file_through_a_pipe_to_a_place_of_another_one) {
    const std::string text = long_text(300'000);
    const auto from = scratch.write("from", "he" + text);
    EXPECT_EQ(run_on(pool, from_file_to_file(pool, from, scratch / "to")), std::string(3, '\0') + text);
}

task<std::string> read_rest(file& from) {
    std::string text(64, '?');
    text.resize(co_await from.read_at(anywhere, room_in(text)));
    co_return text;
}

task<std::string> by_own_positions(static_thread_pool& pool, pipe_ends& pipe, fs::path path) {
    file from = co_await open_file(pool, path, open_mode::read);
    EXPECT_EQ(co_await coex::splice(from, pipe.writing, 3), 3U);
    EXPECT_EQ(co_await coex::splice(from, pipe.writing, 64), 4U);
    EXPECT_EQ(co_await coex::splice(from, pipe.writing, 64), 0U) << "at the end of the file";
    co_return co_await read_rest(pipe.reading);
}

TEST_F(splice, without_an_offset_moves_on_in_the_file) {
    EXPECT_EQ(run_on(pool, by_own_positions(pool, pipe, scratch.write("from", "abcdefg"))), "abcdefg");
}

TEST_F(splice, from_pipe_to_pipe_moves_what_there_is_and_then_0_at_the_end) {
    pipe_ends second(pool);
    put(pipe.writing, "hello");
    EXPECT_EQ(run_on(pool, once(pipe.reading, second.writing, 2)), 2U);
    EXPECT_EQ(run_on(pool, once({pipe.reading, 77}, {second.writing, 77}, 64)), 3U) << "pipes have no positions";
    EXPECT_EQ(run_on(pool, read_rest(second.reading)), "hello");
    {
        const file gone = std::move(pipe.writing);
    }
    EXPECT_EQ(run_on(pool, once(pipe.reading, second.writing, 64)), 0U);
}

TEST_F(splice, of_no_length_moves_nothing_and_does_not_wait) {
    EXPECT_EQ(run_on(pool, once(pipe.reading, pipe.writing, 0)), 0U);
}

TEST_F(splice, waits_until_something_comes) {
    pipe_ends second(pool);
    std::thread feeder([&] { put(pipe.writing, "late"); });
    EXPECT_EQ(run_on(pool, once(pipe.reading, second.writing, 64)), 4U);
    feeder.join();
    EXPECT_EQ(bytes_in(second.reading), 4U);
}

// Both are told that there is something; who comes too late waits on.
TEST_F(splice, of_one_pipe_by_two_tasks_gives_each_what_comes) {
    pipe_ends second(pool);
    std::thread feeder([&] {
        put(pipe.writing, "a");
        while (bytes_in(pipe.reading) != 0) std::this_thread::yield();
        put(pipe.writing, "b");
    });
    const auto both = [&]() -> task<std::tuple<std::size_t, std::size_t>> {
        co_return co_await coex::when_all(once(pipe.reading, second.writing, 64),
                                          once(pipe.reading, second.writing, 64));
    };
    EXPECT_EQ(run_on(pool, both()), std::tuple(1U, 1U));
    feeder.join();
    EXPECT_FALSE(coex::detail::splice_attempt(pipe.reading, second.writing, 64)().value().has_value());
}

TEST_F(splice, waits_for_the_end_that_is_not_ready) {
    pipe_ends second(pool);
    const coex::detail::splice_attempt attempt(pipe.reading, second.writing, 64);
    const auto awaited = [&] {
        coex::detail::io_request request;
        attempt.prepare(request);
        return request.descriptor;
    };
    EXPECT_EQ(awaited(), pipe.reading.native_handle());
    put(pipe.writing, "hello");
    EXPECT_EQ(awaited(), -1) << "for none";
    fill(second.writing);
    EXPECT_EQ(awaited(), second.writing.native_handle());
}

// --- cancellation -------------------------------------------------------------------------------------------------

task<std::size_t> begun(std::atomic<bool>& flag, static_thread_pool& pool, splice_end from, splice_end to) {
    co_await pool.schedule();
    flag.store(true);
    flag.notify_all();
    co_return co_await coex::splice(from, to, 64);
}

void expect_stopped(static_thread_pool& pool, splice_end from, splice_end to) {
    for (int round = 0; round < 50; ++round) {
        std::atomic<bool> flag{false};
        inplace_stop_source stop;
        std::thread stopper([&] {
            flag.wait(false);
            if (round % 2 == 0) std::this_thread::yield();
            stop.request_stop();
        });
        EXPECT_FALSE(sync_wait(begun(flag, pool, from, to), stop.get_token()).has_value());
        stopper.join();
    }
}

TEST_F(splice, is_cancelled_while_there_is_nothing_to_move) {
    pipe_ends second(pool);
    auto ends = unix_stream::pair(pool);
    expect_stopped(pool, pipe.reading, second.writing);
    expect_stopped(pool, pipe.reading, ends.first);
    expect_stopped(pool, ends.first, pipe.writing);
    EXPECT_EQ(bytes_in(second.reading), 0U);
}

task<file> opened(static_thread_pool& pool, fs::path path, open_mode mode) {
    co_return co_await open_file(pool, path, mode);
}

TEST_F(splice, is_cancelled_while_there_is_no_room) {
    pipe_ends second(pool);
    put(pipe.writing, "hello");
    fill(second.writing);
    const std::size_t full = bytes_in(second.reading);
    const file from = run_on(pool, opened(pool, scratch.write("from", "text"), open_mode::read));
    expect_stopped(pool, pipe.reading, second.writing);
    expect_stopped(pool, from, second.writing);
    EXPECT_EQ(bytes_in(pipe.reading), 5U) << "nothing is moved by what was stopped";
    EXPECT_EQ(bytes_in(second.reading), full);
    EXPECT_EQ(::lseek(from.native_handle(), 0, SEEK_CUR), 0);
}

TEST_F(splice, that_is_stopped_before_it_starts_moves_nothing) {
    pipe_ends second(pool);
    put(pipe.writing, "hello");
    inplace_stop_source stop;
    stop.request_stop();
    EXPECT_FALSE(sync_wait(once(pipe.reading, second.writing, 64), stop.get_token()).has_value());
    EXPECT_EQ(bytes_in(pipe.reading), 5U);
}

// --- errors -------------------------------------------------------------------------------------------------------

TEST_F(splice, to_a_pipe_that_nobody_reads_is_an_error_and_no_signal) {
    std::signal(SIGPIPE, SIG_DFL);
    pipe_ends second(pool);
    put(pipe.writing, "hello");
    {
        const file gone = std::move(second.reading);
    }
    const auto [code, text] = failure_of(pool, once(pipe.reading, second.writing, 64));
    EXPECT_EQ(code, std::errc::broken_pipe);
    EXPECT_EQ(text, "splice 'pipe' to 'pipe' (64 bytes): Broken pipe");
    EXPECT_EQ(bytes_in(pipe.reading), 5U);
}

TEST_F(splice, to_a_stream_that_is_gone_is_an_error_and_no_signal) {
    std::signal(SIGPIPE, SIG_DFL);
    auto ends = unix_stream::pair(pool);
    put(pipe.writing, "hello");
    ends.second.close();
    EXPECT_EQ(failure_of(pool, once(pipe.reading, ends.first, 64)).first, std::errc::broken_pipe);
}

TEST_F(splice, of_a_file_to_a_pipe_that_nobody_reads_is_an_error_and_no_signal) {
    std::signal(SIGPIPE, SIG_DFL);
    const file from = run_on(pool, opened(pool, scratch.write("from", "text"), open_mode::read));
    {
        const file gone = std::move(pipe.reading);
    }
    EXPECT_EQ(failure_of(pool, once({from, 1}, pipe.writing, 64)).first, std::errc::broken_pipe);
}

TEST_F(splice, errors_name_both_ends_places_and_length) {
    const file closed(pool, -1, "gone");
    EXPECT_EQ(failure_of(pool, once({closed, 3}, pipe.writing, 5)).second,
              "splice 'gone' at offset 3 to 'pipe' (5 bytes): Bad file descriptor");
    EXPECT_EQ(failure_of(pool, once(pipe.reading, {closed, 4}, 5)).second,
              "splice 'pipe' to 'gone' at offset 4 (5 bytes): Bad file descriptor");
    auto ends = run_on(pool, tcp_pair(pool));
    const std::string name =
        ends.first.local_endpoint().to_string() + " -> " + ends.first.remote_endpoint().to_string();
    EXPECT_EQ(failure_of(pool, once(ends.first, {closed, 4}, 5)).second,
              "splice " + name + " to 'gone' at offset 4 (5 bytes): Bad file descriptor");
}

TEST_F(splice, from_the_wrong_end_of_a_pipe_is_an_error) {
    pipe_ends second(pool);
    EXPECT_EQ(failure_of(pool, once(pipe.writing, second.writing, 5)).first, std::errc::bad_file_descriptor);
    put(pipe.writing, "hello");
    EXPECT_EQ(failure_of(pool, once(pipe.reading, second.reading, 5)).first, std::errc::bad_file_descriptor);
}

TEST_F(splice, between_ends_of_which_none_is_a_pipe_says_so) {
    const file from = run_on(pool, opened(pool, scratch.write("from", "text"), open_mode::read_write));
    const auto [code, text] = failure_of(pool, once(from, {from, 7}, 5));
    EXPECT_EQ(code, std::errc::invalid_argument);
    EXPECT_EQ(text, "splice '" + from.path() + "' to '" + from.path() +
                        "' at offset 7 (5 bytes; neither is a pipe: move them through one): Invalid argument");
    const auto ends = unix_stream::pair(pool);
    EXPECT_EQ(failure_of(pool, once(ends.first, ends.second, 5)).first, std::errc::invalid_argument);
}

}  // namespace
