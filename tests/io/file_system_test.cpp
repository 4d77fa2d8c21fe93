#include <exec/io/file_system.hpp>

#include "io/socket_support.hpp"

#include <exec/io/directory.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;
using coex::open_mode;
using coex::path_rules;
using coex::static_thread_pool;
using coex::task;
using coex_test::failure_of;
using coex_test::run_on;

class file_system : public coex_test::on_both_roads {
protected:
    static_thread_pool pool{{.threads = 2}};
    coex_test::scratch_directory scratch;
};

task<void> make_and_remove(static_thread_pool& pool, fs::path where) {
    const coex::directory dir = co_await coex::open_directory(pool, where);
    co_await coex::make_directory(dir / "below", 0700);
    EXPECT_EQ(fs::status(where / "below").permissions(), fs::perms::owner_all);
    coex::file made =
        co_await dir.open_file("below/file", open_mode::write | open_mode::create, path_rules::none, 0600);
    EXPECT_EQ(fs::status(where / "below/file").permissions(), fs::perms::owner_read | fs::perms::owner_write);
    co_await coex::rename_path(dir / "below/file", dir / "file");
    EXPECT_FALSE(fs::exists(where / "below/file"));
    co_await coex::make_link(dir / "file", where / "second");
    EXPECT_TRUE(fs::equivalent(where / "file", where / "second"));
    co_await coex::make_symlink("file", dir / "link");
    EXPECT_EQ(fs::read_symlink(where / "link"), "file");
    for (const char* const each : {"file", "second", "link"}) co_await coex::remove_file(dir / each);
    co_await coex::remove_directory(dir / "below");
    EXPECT_TRUE(fs::is_empty(where));
}

TEST_P(file_system, names_are_made_changed_and_removed_below_a_directory) {
    run_on(pool, make_and_remove(pool, scratch / ""));
}

task<void> rename(fs::path from, fs::path to, coex::replace_existing replace) {
    co_await coex::rename_path(from, to, replace);
}

TEST_P(file_system, renaming_replaces_only_when_it_may) {
    const auto from = scratch.write("from", "new");
    const auto to = scratch.write("to", "old");
    const auto [code, what] = failure_of(pool, rename(from, to, coex::replace_existing::no));
    EXPECT_EQ(code, std::errc::file_exists);
    EXPECT_EQ(what, "rename_path '" + from.string() + "' to '" + to.string() + "': File exists");
    run_on(pool, rename(from, to, coex::replace_existing::yes));
    EXPECT_EQ(fs::file_size(to), 3U);
    EXPECT_FALSE(fs::exists(from));
}

task<void> remove(fs::path path) {
    co_await coex::remove_file(path);
}
task<void> remove_one(fs::path path) {
    co_await coex::remove_directory(path);
}
task<void> make_one(fs::path path) {
    co_await coex::make_directory(path);
}
task<void> open_as_directory(static_thread_pool& pool, fs::path path) {
    static_cast<void>(co_await coex::open_directory(pool, path));
}

TEST_P(file_system, errors_name_operation_path_and_reason) {
    const auto file = scratch.write("file", "");
    EXPECT_EQ(failure_of(pool, remove("/no/such/file")).second,
              "remove_file '/no/such/file': No such file or directory");
    EXPECT_EQ(failure_of(pool, remove_one("/no/dir")).second, "remove_directory '/no/dir': No such file or directory");
    EXPECT_EQ(failure_of(pool, make_one(file)).second, "make_directory '" + file.string() + "': File exists");
    EXPECT_EQ(failure_of(pool, make_one(std::string(300, 'a'))).first, std::errc::filename_too_long);
    EXPECT_EQ(failure_of(pool, open_as_directory(pool, file)).second,
              "open_directory '" + file.string() + "': Not a directory");
}

task<void> open_below(static_thread_pool& pool, fs::path where, std::string path, path_rules rules) {
    const coex::directory dir = co_await coex::open_directory(pool, where);
    static_cast<void>(co_await dir.open_file(path, open_mode::read, rules));
}

TEST_P(file_system, nothing_outside_is_opened_beneath_a_directory) {
    scratch.write("secret", "x");
    fs::create_directory(scratch / "root");
    scratch.write("root/inside", "x");
    fs::create_symlink("../secret", scratch / "root/out");
    fs::create_symlink("inside", scratch / "root/link");
    fs::create_symlink("/", scratch / "root/absolute");
    const auto why_not = [&](const std::string& path, path_rules rules) {
        return failure_of(pool, open_below(pool, scratch / "root", path, rules)).first;
    };
    for (const char* const path : {"../secret", "out", "absolute/etc/passwd", "/etc/passwd", "inside/../../secret"}) {
        EXPECT_TRUE(why_not(path, path_rules::beneath)) << path;
    }
    EXPECT_EQ(why_not("out", path_rules::beneath), std::errc::cross_device_link);
    EXPECT_FALSE(why_not("inside", path_rules::beneath));
    EXPECT_FALSE(why_not("link", path_rules::beneath));
    EXPECT_EQ(why_not("link", path_rules::no_links), std::errc::too_many_symbolic_link_levels);
    EXPECT_FALSE(why_not("out", path_rules::none));
    EXPECT_EQ(why_not("../secret", path_rules::in_root), std::errc::no_such_file_or_directory);
}

task<int> flags_of_opened_below(static_thread_pool& pool, fs::path where) {
    const coex::directory dir = co_await coex::open_directory(pool, where);
    const coex::file opened = co_await dir.open_file("file", open_mode::read, path_rules::beneath);
    co_return ::fcntl(opened.native_handle(), F_GETFL) | (::fcntl(opened.native_handle(), F_GETFD) << 24);
}

TEST_P(file_system, a_file_below_is_opened_blocking_and_closed_on_exec) {
    scratch.write("file", "x");
    const int flags = run_on(pool, flags_of_opened_below(pool, scratch / ""));
    EXPECT_EQ(flags & O_NONBLOCK, 0);
    EXPECT_EQ(flags >> 24, FD_CLOEXEC);
}

task<void> open_pipe(static_thread_pool& pool, fs::path path) {
    const coex::file opened = co_await coex::open_file(pool, path, open_mode::read | open_mode::non_blocking);
    EXPECT_GE(opened.native_handle(), 0);
}

TEST_P(file_system, a_named_pipe_without_a_writer_is_opened_at_once_when_asked_for) {
    ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
    run_on(pool, open_pipe(pool, scratch / "pipe"));
}

COEX_ON_BOTH_ROADS(file_system);

}  // namespace
