#include <exec/io/vectored_operations.hpp>

#include "io/socket_support.hpp"

#include <exec/io/file.hpp>

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using coex::file;
using coex::open_file;
using coex::open_mode;
using coex::static_thread_pool;
using coex::task;
using coex_test::bytes_of;
using coex_test::failure_of;
using coex_test::room_in;
using coex_test::run_on;

class file_vectors : public coex_test::on_both_roads {
protected:
    static_thread_pool pool{{.threads = 2}};
    coex_test::scratch_directory scratch;
};

constexpr auto new_file = open_mode::read_write | open_mode::create;

task<void> write_and_read(static_thread_pool& pool, fs::path path) {
    file to = co_await open_file(pool, path, new_file);
    const std::string hello = "hello ";
    const std::string world = "world";
    const std::array out = {bytes_of(hello), std::span<const std::byte>(), bytes_of(world)};
    EXPECT_EQ(co_await to.write_blocks_at(3, out), 11U);
    std::string first(5, '.');
    std::string second(20, '.');
    const std::array in = {room_in(first), room_in(second)};
    EXPECT_EQ(co_await to.read_blocks_at(3, in), 11U);
    EXPECT_EQ(first, "hello");
    EXPECT_EQ(second.substr(0, 7), " world.");
    EXPECT_EQ(co_await to.read_blocks_at(1'000, in), 0U) << "behind the end";
}

TEST_P(file_vectors, blocks_are_written_and_read_one_after_the_other) {
    run_on(pool, write_and_read(pool, scratch / "file"));
}

task<std::size_t> write_many(static_thread_pool& pool, fs::path path, std::size_t count) {
    file to = co_await open_file(pool, path, new_file);
    const std::string one = "x";
    co_return co_await to.write_blocks_at(0, std::vector(count, bytes_of(one)));
}

TEST_P(file_vectors, of_too_many_blocks_the_first_ones_are_taken) {
    EXPECT_EQ(run_on(pool, write_many(pool, scratch / "file", 3'000)), 1'024U);
    EXPECT_EQ(run_on(pool, write_many(pool, scratch / "file", 0)), 0U);
}

task<void> append_twice(static_thread_pool& pool, fs::path path) {
    file to = co_await open_file(pool, path, open_mode::write);
    const std::string text = "cd";
    EXPECT_EQ(co_await to.append(bytes_of(text)), 2U);
    EXPECT_EQ(co_await to.write_at(0, bytes_of(text)), 2U);
    EXPECT_EQ(co_await to.append(bytes_of(text)), 2U);
    EXPECT_EQ(fs::file_size(path), 6U);
}

TEST_P(file_vectors, appending_goes_to_the_end) {
    run_on(pool, append_twice(pool, scratch.write("file", "ab")));
}

task<void> read_pipe(static_thread_pool& pool, coex_test::pipe_pair& ends) {
    file from(pool, ends.take_reading_end(), "pipe");
    ends.write("hello");
    std::string first(2, '.');
    std::string second(9, '.');
    const std::array in = {room_in(first), room_in(second)};
    EXPECT_EQ(co_await from.read_blocks_at(coex_test::anywhere, in), 5U);
    EXPECT_EQ(first + second.substr(0, 3), "hello");
}

TEST_P(file_vectors, a_pipe_fills_blocks) {
    coex_test::pipe_pair ends;
    run_on(pool, read_pipe(pool, ends));
}

task<void> read_closed(file& closed) {
    std::string text(7, '.');
    const std::array in = {room_in(text), room_in(text)};
    static_cast<void>(co_await closed.read_blocks_at(3, in));
}
task<void> write_closed(file& closed) {
    const std::string text(7, '.');
    const std::array out = {bytes_of(text)};
    static_cast<void>(co_await closed.write_blocks_at(3, out));
}
task<void> append_closed(file& closed) {
    const std::string text(7, '.');
    static_cast<void>(co_await closed.append(bytes_of(text)));
}

TEST_P(file_vectors, errors_name_operation_file_and_numbers) {
    file closed(pool, -1, "gone");
    EXPECT_EQ(failure_of(pool, read_closed(closed)).second,
              "read_blocks_at 'gone' (14 bytes in 2 blocks at offset 3): Bad file descriptor");
    EXPECT_EQ(failure_of(pool, write_closed(closed)).second,
              "write_blocks_at 'gone' (7 bytes in 1 blocks at offset 3): Bad file descriptor");
    EXPECT_EQ(failure_of(pool, append_closed(closed)).second, "append 'gone' (7 bytes): Bad file descriptor");
}

COEX_ON_BOTH_ROADS(file_vectors);

}  // namespace
