#include "io/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/io/file.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace {

using coex::file;
using coex::open_file;
using coex::open_mode;
using coex::static_thread_pool;
using coex::task;

struct failure {
    std::errc reason{};
    std::string message;
};

failure failure_of(task<void> work) {
    try {
        coex::block_on(std::move(work));
        return {};
    } catch (const std::system_error& error) {
        return {static_cast<std::errc>(error.code().value()), error.what()};
    }
}

class file_errors : public coex_test::on_both_roads {
protected:
    static_thread_pool pool{{.threads = 1}};
    coex_test::scratch_directory scratch;
};

task<void> open_only(static_thread_pool& pool, std::filesystem::path path, open_mode mode) {
    static_cast<void>(co_await open_file(pool, path, mode));
}

TEST_P(file_errors, opening_tells_by_its_code_why_it_failed) {
    EXPECT_EQ(failure_of(open_only(pool, scratch / "none", open_mode::read)).reason,
              std::errc::no_such_file_or_directory);
    EXPECT_EQ(failure_of(open_only(pool, scratch / "", open_mode::write)).reason, std::errc::is_a_directory);
    EXPECT_EQ(failure_of(open_only(pool, scratch.write("file", "") / "below", open_mode::read)).reason,
              std::errc::not_a_directory);
    EXPECT_EQ(failure_of(open_only(pool, std::string(300, 'a'), open_mode::read)).reason, std::errc::filename_too_long);
    EXPECT_EQ(failure_of(open_only(pool, "", open_mode::read)).reason, std::errc::no_such_file_or_directory);
}

task<void> write_closed(file& closed) {
    const std::vector<std::byte> block(16);
    static_cast<void>(co_await closed.write_at(7, block));
}
task<void> sync_closed(file& closed) {
    co_await closed.fsync();
}
task<void> ask_closed(file& closed) {
    static_cast<void>(co_await closed.statx());
}
task<void> close_closed(file& closed) {
    co_await closed.close();
}

TEST_P(file_errors, every_operation_of_a_closed_file_fails_and_says_which) {
    file closed(pool, -1, "gone");
    const failure write = failure_of(write_closed(closed));
    EXPECT_EQ(write.reason, std::errc::bad_file_descriptor);
    EXPECT_EQ(write.message, "write_at 'gone' (16 bytes at offset 7): Bad file descriptor");
    EXPECT_EQ(failure_of(sync_closed(closed)).message, "fsync 'gone': Bad file descriptor");
    EXPECT_EQ(failure_of(ask_closed(closed)).message, "statx 'gone': Bad file descriptor");
    EXPECT_EQ(failure_of(close_closed(closed)).message, "close 'gone': Bad file descriptor");
}

task<void> write_to_reader(static_thread_pool& pool, std::filesystem::path path) {
    file from = co_await open_file(pool, path, open_mode::read);
    const std::vector<std::byte> block(1);
    static_cast<void>(co_await from.write_at(0, block));
}

TEST_P(file_errors, writing_a_file_that_is_open_for_reading_is_an_error) {
    EXPECT_EQ(failure_of(write_to_reader(pool, scratch.write("file", "x"))).reason, std::errc::bad_file_descriptor);
}

task<void> read_beside_the_grid(static_thread_pool& pool, std::filesystem::path path) {
    file from = co_await open_file(pool, path, open_mode::read | open_mode::direct);
    std::vector<std::byte> block(512);
    static_cast<void>(co_await from.read_at(1, block));
}

TEST_P(file_errors, a_direct_read_that_is_not_aligned_is_an_error) {
    const auto path = scratch.write("file", std::string(8'192, 'x'));
    const failure told = failure_of(read_beside_the_grid(pool, path));
    if (told.message.starts_with("open_file")) GTEST_SKIP() << "this file system has no direct access";
    if (told.message.empty()) GTEST_SKIP() << "this file system asks for no alignment";
    EXPECT_EQ(told.reason, std::errc::invalid_argument) << told.message;
}

// The child processes say what they found by their exit code.
constexpr int as_promised = 0;
constexpr int not_as_promised = 1;
constexpr int cannot_try = 77;

int open_as_nobody(const std::filesystem::path& path) {
    if (::setuid(65'534) != 0) return cannot_try;
    static_thread_pool pool{{.threads = 1}};
    const failure told = failure_of(open_only(pool, path, open_mode::read));
    std::fprintf(stderr, "%s\n", told.message.c_str());
    return told.reason == std::errc::permission_denied ? as_promised : not_as_promised;
}

task<void> fill(static_thread_pool& pool, std::filesystem::path path) {
    file to = co_await open_file(pool, path, open_mode::write | open_mode::create);
    const std::vector<std::byte> block(100'000);
    for (std::uint64_t offset = 0;;) offset += co_await to.write_at(offset, block);
}

int fill_small_device(const std::filesystem::path& directory) {
    if (::unshare(CLONE_NEWNS) != 0) return cannot_try;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return cannot_try;
    if (::mount("none", directory.c_str(), "tmpfs", 0, "size=256k") != 0) return cannot_try;
    static_thread_pool pool{{.threads = 1}};
    const failure told = failure_of(fill(pool, directory / "file"));
    std::fprintf(stderr, "%s\n", told.message.c_str());
    return told.reason == std::errc::no_space_on_device ? as_promised : not_as_promised;
}

/// Runs `action` in a process of its own; returns its exit code.
template <class Action>
int exit_code_of(Action action) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(action());
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : not_as_promised;
}

// Not with a pool of this process: its threads would be missing in the child.
class file_errors_of_others : public coex_test::on_both_roads {
protected:
    coex_test::scratch_directory scratch;
};

TEST_P(file_errors_of_others, a_file_of_somebody_else_is_not_opened) {
    const auto path = scratch.write("secret", "x");
    // The directory lets everybody through, so that it is the file which refuses.
    std::filesystem::permissions(path.parent_path(), std::filesystem::perms(0711));
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    const int code = exit_code_of([&path] { return open_as_nobody(path); });
    if (code == cannot_try) GTEST_SKIP() << "needs the right to become another user";
    EXPECT_EQ(code, as_promised);
}

TEST_P(file_errors_of_others, writing_to_a_full_device_is_an_error) {
    const auto directory = scratch / "";
    const int code = exit_code_of([&directory] { return fill_small_device(directory); });
    if (code == cannot_try) GTEST_SKIP() << "needs the right to mount";
    EXPECT_EQ(code, as_promised);
}

COEX_ON_BOTH_ROADS(file_errors);
COEX_ON_BOTH_ROADS(file_errors_of_others);

}  // namespace
