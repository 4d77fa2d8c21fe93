#include <exec/io/file.hpp>

#include "io/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <string>
#include <system_error>
#include <vector>

namespace {

using coex::block_on;
using coex::file;
using coex::open_file;
using coex::open_mode;
using coex::static_thread_pool;
using coex::task;
using coex_test::scratch_directory;

class file_test : public coex_test::on_both_roads {
protected:
    static_thread_pool pool{{.name = "files", .threads = 2}};
    scratch_directory scratch;
};

std::vector<std::byte> bytes(const std::string& text) {
    std::vector<std::byte> block(text.size());
    std::memcpy(block.data(), text.data(), text.size());
    return block;
}

std::string text(std::span<const std::byte> block) {
    return {reinterpret_cast<const char*>(block.data()), block.size()};
}

std::string message_of(task<void> work) {
    try {
        block_on(std::move(work));
        return "no error";
    } catch (const std::system_error& error) {
        return error.what();
    }
}

task<std::string> read_all(static_thread_pool& pool, std::filesystem::path path) {
    file from = co_await open_file(pool, path, open_mode::read);
    std::string all;
    std::vector<std::byte> block(7);
    for (;;) {
        const std::size_t count = co_await from.read_at(all.size(), block);
        if (count == 0) break;
        all += text(std::span<const std::byte>(block).first(count));
    }
    co_await from.close();
    co_return all;
}

task<void> write_all(static_thread_pool& pool, std::filesystem::path path, std::string what) {
    file to = co_await open_file(pool, path, open_mode::write | open_mode::create | open_mode::truncate, 0640);
    const std::vector<std::byte> block = bytes(what);
    std::size_t done = 0;
    while (done < block.size()) done += co_await to.write_at(done, std::span<const std::byte>(block).subspan(done));
    co_await to.fsync();
    co_await to.close();
}

TEST_P(file_test, what_was_written_is_read) {
    const std::string long_text(100'000, 'x');
    block_on(write_all(pool, scratch / "file", "hello" + long_text));
    EXPECT_EQ(block_on(read_all(pool, scratch / "file")), "hello" + long_text);
}

task<coex::file_info> info_of_open(static_thread_pool& pool, std::filesystem::path path) {
    file from = co_await open_file(pool, path, open_mode::read);
    co_return co_await from.statx();
}

task<coex::file_info> info_of(static_thread_pool& pool, std::filesystem::path path, coex::follow_links links) {
    co_return co_await coex::statx(pool, path, links);
}

TEST_P(file_test, statx_tells_what_stat_tells) {
    const auto path = scratch.write("file", "12345");
    std::filesystem::create_symlink(path, scratch / "link");
    struct stat expected{};
    ASSERT_EQ(::stat(path.c_str(), &expected), 0);
    for (const coex::file_info& info :
         {block_on(info_of_open(pool, path)), block_on(info_of(pool, scratch / "link", coex::follow_links::yes))}) {
        EXPECT_EQ(info.type, coex::file_type::regular);
        EXPECT_EQ(info.size, 5U);
        EXPECT_EQ(info.inode, expected.st_ino);
        EXPECT_EQ(info.device, expected.st_dev);
        EXPECT_EQ(info.permissions, expected.st_mode & 07777U);
        EXPECT_EQ(info.links, 1U);
    }
    EXPECT_EQ(block_on(info_of(pool, scratch / "link", coex::follow_links::no)).type, coex::file_type::symbolic_link);
}

task<void> open_only(static_thread_pool& pool, std::filesystem::path path, open_mode mode) {
    const file opened = co_await open_file(pool, path, mode);
    EXPECT_GE(opened.native_handle(), 0);
}

TEST_P(file_test, errors_name_the_operation_the_path_and_the_reason) {
    EXPECT_EQ(message_of(open_only(pool, "/no/such/file", open_mode::read)),
              "open_file '/no/such/file': No such file or directory");
    EXPECT_NE(message_of(open_only(pool, scratch / "", open_mode::write)).find("Is a directory"), std::string::npos);
    const std::string too_long(5'000, 'a');
    EXPECT_NE(message_of(open_only(pool, too_long, open_mode::read)).find("File name too long"), std::string::npos);
    const auto path = scratch.write("there", "");
    EXPECT_NE(message_of(open_only(pool, path, open_mode::write | open_mode::create | open_mode::exclusive))
                  .find("File exists"),
              std::string::npos);
    std::filesystem::create_symlink(path, scratch / "link");
    EXPECT_NE(
        message_of(open_only(pool, scratch / "link", open_mode::read | open_mode::no_follow)).find("symbolic links"),
        std::string::npos);
}

task<void> read_directory(static_thread_pool& pool, std::filesystem::path path) {
    file from = co_await open_file(pool, path, open_mode::read);
    std::vector<std::byte> block(16);
    static_cast<void>(co_await from.read_at(3, block));
}

TEST_P(file_test, a_failed_read_tells_its_place) {
    const std::string message = message_of(read_directory(pool, scratch / ""));
    EXPECT_NE(message.find("read_at '"), std::string::npos) << message;
    EXPECT_NE(message.find("(16 bytes at offset 3): Is a directory"), std::string::npos) << message;
}

task<void> use_after_close(static_thread_pool& pool, std::filesystem::path path) {
    file from = co_await open_file(pool, path, open_mode::read);
    co_await from.close();
    EXPECT_EQ(from.native_handle(), -1);
    std::vector<std::byte> block(16);
    static_cast<void>(co_await from.read_at(0, block));
}

TEST_P(file_test, reading_a_closed_file_is_an_error) {
    EXPECT_NE(message_of(use_after_close(pool, scratch.write("file", "x"))).find("Bad file descriptor"),
              std::string::npos);
}

task<void> edges(static_thread_pool& pool, std::filesystem::path path) {
    file from = co_await open_file(pool, path, open_mode::read);
    std::vector<std::byte> block(16);
    EXPECT_EQ(co_await from.read_at(1'000, block), 0U) << "behind the end";
    EXPECT_EQ(co_await from.read_at(0, std::span<std::byte>()), 0U) << "an empty block";
    EXPECT_EQ(co_await from.read_at(3, block), 2U) << "up to the end";
}

TEST_P(file_test, reading_at_and_behind_the_end_gives_what_is_there) {
    block_on(edges(pool, scratch.write("file", "12345")));
}

task<void> place(static_thread_pool& home, static_thread_pool& disk, std::filesystem::path path) {
    EXPECT_FALSE(home.this_thread_index() || disk.this_thread_index());
    file from = co_await open_file(disk, path, open_mode::read);
    EXPECT_FALSE(home.this_thread_index() || disk.this_thread_index()) << "still on the thread that blocks";
    std::vector<std::byte> block(16);
    for (int i = 0; i < 50; ++i) {
        co_await home.schedule();
        static_cast<void>(co_await from.read_at(0, block));
        EXPECT_TRUE(home.this_thread_index()) << "resumes where it was, though the file is bound to another pool";
        co_await disk.schedule();
        static_cast<void>(co_await from.read_at(0, block));
        EXPECT_TRUE(disk.this_thread_index());
    }
}

TEST_P(file_test, an_operation_resumes_where_it_was_awaited) {
    static_thread_pool home{{.name = "home", .threads = 2}};
    block_on(place(home, pool, scratch.write("file", "12345")));
}

task<std::size_t> read_once(file& from, std::uint64_t offset) {
    std::vector<std::byte> block(512);
    co_return co_await from.read_at(offset, block);
}

task<std::size_t> read_many(static_thread_pool& pool, std::filesystem::path path, std::size_t count) {
    co_await pool.schedule();
    file from = co_await open_file(pool, path, open_mode::read);
    std::vector<task<std::size_t>> reads;
    for (std::size_t i = 0; i < count; ++i) reads.push_back(read_once(from, i % 8 * 512));
    std::size_t sum = 0;
    for (const std::size_t each : co_await coex::when_all(std::move(reads))) sum += each;
    co_return sum;
}

// More than the submission queue holds, and, with the second number, more than the completion queue does.
TEST_P(file_test, thousands_of_operations_may_be_in_flight) {
    const auto path = scratch.write("file", std::string(4'096, 'x'));
    EXPECT_EQ(block_on(read_many(pool, path, 1'000)), 512U * 1'000);
    EXPECT_EQ(block_on(read_many(pool, path, 10'000)), 512U * 10'000);
}

task<void> open_and_drop(static_thread_pool& pool, std::filesystem::path path) {
    for (int i = 0; i < 50; ++i) {
        file first = co_await open_file(pool, path, open_mode::read);
        file second = std::move(first);
        first = co_await open_file(pool, path, open_mode::read_write);
        if (i % 2 == 0) co_await first.close();
    }
}

TEST_P(file_test, every_descriptor_is_closed_once) {
    const auto path = scratch.write("file", "x");
    block_on(open_and_drop(pool, path));
    const std::size_t before = coex_test::open_descriptors();
    block_on(open_and_drop(pool, path));
    EXPECT_LE(coex_test::open_descriptors(), before + coex_test::most_of_a_backend);
}

task<int> flags_of(static_thread_pool& pool, std::filesystem::path path) {
    const file opened = co_await open_file(pool, path, open_mode::read);
    co_return ::fcntl(opened.native_handle(), F_GETFL) | (::fcntl(opened.native_handle(), F_GETFD) << 24);
}

TEST_P(file_test, a_file_is_opened_blocking_and_closed_on_exec) {
    const int flags = block_on(flags_of(pool, scratch.write("file", "x")));
    EXPECT_EQ(flags & O_NONBLOCK, 0);
    EXPECT_EQ(flags >> 24, FD_CLOEXEC);
}

COEX_ON_BOTH_ROADS(file_test);

}  // namespace
