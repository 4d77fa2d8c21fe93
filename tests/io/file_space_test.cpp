#include <exec/io/file_calls.hpp>

#include "io/socket_support.hpp"

#include <exec/io/file.hpp>

#include <filesystem>
#include <limits>
#include <string>

namespace {

namespace fs = std::filesystem;
using coex::file;
using coex::open_file;
using coex::open_mode;
using coex::static_thread_pool;
using coex::task;
using coex_test::failure_of;
using coex_test::run_on;

class file_space : public coex_test::on_both_roads {
protected:
    static_thread_pool pool{{.threads = 2}};
    coex_test::scratch_directory scratch;
};

constexpr auto new_file = open_mode::read_write | open_mode::create;

task<void> grow_and_cut(static_thread_pool& pool, fs::path path) {
    file to = co_await open_file(pool, path, new_file);
    co_await to.resize(5'000);
    EXPECT_EQ(fs::file_size(path), 5'000U);
    co_await to.resize(3);
    EXPECT_EQ(fs::file_size(path), 3U);
    co_await to.allocate(0, 8'192, coex::allocation::keep_size);
    EXPECT_EQ(fs::file_size(path), 3U);
    co_await to.allocate(0, 8'192);
    EXPECT_EQ(fs::file_size(path), 8'192U);
    co_await to.advise(0, 0, coex::access_advice::sequential);
    co_await to.advise(0, 4'096, coex::access_advice::will_not_need);
    co_await to.fdatasync();
}

TEST_P(file_space, a_file_is_cut_and_grows) {
    run_on(pool, grow_and_cut(pool, scratch / "file"));
}

task<std::string> copy(static_thread_pool& pool, fs::path from_path, fs::path to_path, std::uint64_t offset) {
    file from = co_await open_file(pool, from_path, open_mode::read);
    file to = co_await open_file(pool, to_path, new_file);
    std::size_t done = 0;
    while (const std::size_t count = co_await coex::copy_range(from, offset + done, to, done, 100'000)) done += count;
    std::string copied(done, '\0');
    EXPECT_EQ(co_await to.read_at(0, coex_test::room_in(copied)), done);
    co_return copied;
}

TEST_P(file_space, a_range_is_copied) {
    const std::string text(300'000, 'x');
    const auto from = scratch.write("from", "hello" + text);
    EXPECT_EQ(run_on(pool, copy(pool, from, scratch / "to", 2)), "llo" + text);
    EXPECT_EQ(run_on(pool, copy(pool, from, scratch / "none", 1'000'000)), "") << "behind the end";
}

TEST_P(file_space, what_the_kernel_cannot_copy_by_itself_is_read_and_written) {
    EXPECT_NE(run_on(pool, copy(pool, "/proc/self/status", scratch / "to", 0)).find("Name:"), std::string::npos);
}

task<void> resize_closed(file& closed) {
    co_await closed.resize(7);
}
task<void> allocate_closed(file& closed) {
    co_await closed.allocate(3, 4);
}
task<void> advise_closed(file& closed) {
    co_await closed.advise(3, 4, coex::access_advice::once);
}
task<void> copy_closed(file& closed) {
    static_cast<void>(co_await coex::copy_range(closed, 3, closed, 4, 5));
}
task<void> datasync_closed(file& closed) {
    co_await closed.fdatasync();
}

TEST_P(file_space, errors_name_operation_file_and_numbers) {
    file closed(pool, -1, "gone");
    EXPECT_EQ(failure_of(pool, resize_closed(closed)).second, "resize 'gone' (to 7 bytes): Bad file descriptor");
    EXPECT_EQ(failure_of(pool, allocate_closed(closed)).second,
              "allocate 'gone' (4 bytes at offset 3): Bad file descriptor");
    EXPECT_EQ(failure_of(pool, advise_closed(closed)).second,
              "advise 'gone' (4 bytes at offset 3): Bad file descriptor");
    EXPECT_EQ(failure_of(pool, copy_closed(closed)).second,
              "copy_range 'gone' (5 bytes at offset 3) to 'gone' at offset 4: Bad file descriptor");
    EXPECT_EQ(failure_of(pool, datasync_closed(closed)).second, "fdatasync 'gone': Bad file descriptor");
}

COEX_ON_BOTH_ROADS(file_space);

}  // namespace
