#include "io/torture.hpp"

#include <exec/io/file.hpp>
#include <exec/io/file_system.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace {

using coex::file;
using coex::open_mode;
using coex::task;
using coex_test::make_subject;
using coex_test::scratch_directory;
using coex_test::subject;

constexpr std::size_t file_bytes = 64 * 1024;

/// A subject with an open file of many 'a's, and a directory of its own.
class on_file : public subject {
public:
    on_file(coex::static_thread_pool& of, const scratch_directory&)
        : subject(of),
          path_(place_.write("file", std::string(file_bytes, 'a'))),
          file_(of, ::open(path_.c_str(), O_RDWR | O_CLOEXEC), path_) {}

protected:
    scratch_directory place_;
    std::filesystem::path path_;
    file file_;
    coex_test::lent_buffer block_;
};

struct open_existing : on_file {
    using on_file::on_file;
    task<void> run() override {
        const file opened = co_await coex::open_file(pool(), path_, open_mode::read);
        EXPECT_GE(opened.native_handle(), 0);
    }
};

struct open_new : on_file {
    using on_file::on_file;
    task<void> run() override {
        const std::filesystem::path created = place_ / "new";
        const file opened = co_await coex::open_file(pool(), created, open_mode::write | open_mode::create);
        EXPECT_GE(opened.native_handle(), 0);
    }
};

struct open_below : on_file {
    using on_file::on_file;
    task<void> run() override {
        coex::directory opened = co_await coex::open_directory(pool(), path_.parent_path());
        const file below = co_await opened.open_file("file", open_mode::read, coex::path_rules::beneath);
        const file made = co_await opened.open_file("made", open_mode::write | open_mode::create);
        EXPECT_GE(made.native_handle(), 0);
        EXPECT_GE(below.native_handle(), 0);
    }
};

struct close_file : on_file {
    using on_file::on_file;
    task<void> run() override {
        co_await file_.write_at(0, block_);
        co_await file_.close();
    }
    void check(bool stopped) override { EXPECT_TRUE(stopped || file_.native_handle() == -1); }
};

struct reads : on_file {
    using on_file::on_file;
    task<void> run() override {
        std::array<std::byte, 100> other{};
        const std::array<std::span<std::byte>, 2> blocks = {block_, other};
        EXPECT_EQ(co_await file_.read_at(100, block_), block_.size());
        EXPECT_EQ(block_[0], std::byte{'a'});
        EXPECT_EQ(co_await file_.read_blocks_at(100, blocks), block_.size() + other.size());
        EXPECT_EQ(other[0], std::byte{'a'});
        EXPECT_EQ(co_await file_.read_at(file_bytes, block_), 0U);
    }
    // What the kernel writes into a buffer that was given back, the address sanitizer or this sees.
    void check(bool) override {
        block_.fill(std::byte{'c'});
        std::this_thread::yield();
        for (const std::byte each : block_) ASSERT_EQ(each, std::byte{'c'});
    }
};

struct writes : on_file {
    using on_file::on_file;
    task<void> run() override {
        block_.fill(std::byte{'b'});
        const std::array<std::span<const std::byte>, 2> blocks = {block_, block_};
        EXPECT_EQ(co_await file_.write_at(0, block_), block_.size());
        EXPECT_EQ(co_await file_.write_blocks_at(8192, blocks), 2 * block_.size());
        EXPECT_EQ(co_await file_.append(block_), block_.size());
    }
    void check(bool stopped) override {
        const auto size = std::filesystem::file_size(path_);
        EXPECT_TRUE(size == file_bytes + block_.size() || (stopped && size == file_bytes)) << size;
    }
};

struct syncs : on_file {
    using on_file::on_file;
    task<void> run() override {
        co_await file_.write_at(0, block_);
        co_await file_.fdatasync();
        co_await file_.fsync();
    }
};

struct statuses : on_file {
    using on_file::on_file;
    task<void> run() override {
        const coex::file_info of_file = co_await file_.statx();
        const coex::file_info of_path = co_await coex::statx(pool(), path_);
        EXPECT_EQ(of_file.size, file_bytes);
        EXPECT_EQ(of_path.inode, of_file.inode);
    }
};

struct spaces : on_file {
    using on_file::on_file;
    task<void> run() override {
        co_await file_.advise(0, 0, coex::access_advice::sequential);
        co_await file_.resize(100);
        co_await file_.allocate(0, 8192);
    }
    void check(bool stopped) override {
        const auto size = std::filesystem::file_size(path_);
        EXPECT_TRUE(size == 8192 || (stopped && (size == 100 || size == file_bytes))) << size;
    }
};

struct copies : on_file {
    using on_file::on_file;
    task<void> run() override {
        const std::filesystem::path copied = place_ / "copy";
        file to = co_await coex::open_file(pool(), copied, open_mode::write | open_mode::create);
        EXPECT_GT(co_await coex::copy_range(file_, 0, to, 0, file_bytes), 0U);
    }
};

struct names : on_file {
    using on_file::on_file;
    task<void> run() override {
        const std::filesystem::path made = place_ / "made";
        co_await coex::make_directory(made);
        co_await coex::make_link(path_, made / "link");
        co_await coex::make_symlink("link", made / "symlink");
        co_await coex::rename_path(made / "link", made / "other");
        co_await coex::remove_file(made / "symlink");
        co_await coex::remove_file(made / "other");
        co_await coex::remove_directory(made);
    }
    void check(bool stopped) override {
        EXPECT_TRUE(stopped || !std::filesystem::exists(place_ / "made"));
        EXPECT_TRUE(std::filesystem::exists(path_));
    }
};

/// On helper threads the opening of a named pipe ends only when somebody opens the other end.
struct open_named_pipe : subject {
    open_named_pipe(coex::static_thread_pool& of, const scratch_directory&) : subject(of), path_(place_ / "named") {
        EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    }
    ~open_named_pipe() override {
        if (other_end_ >= 0) ::close(other_end_);
    }
    task<void> run() override {
        const file opened = co_await coex::open_file(pool(), path_, open_mode::read);
        EXPECT_GE(opened.native_handle(), 0);
    }
    void complete() override { other_end_ = ::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC); }
    [[nodiscard]] bool stops() const override { return false; }

private:
    scratch_directory place_;
    std::filesystem::path path_;
    int other_end_ = -1;
};

const std::vector<coex_test::kind_of_subject> kinds = {
    {"open_existing", make_subject<open_existing>},
    {"open_new", make_subject<open_new>},
    {"open_below", make_subject<open_below>},
    {"close", make_subject<close_file>},
    {"reads", make_subject<reads>},
    {"writes", make_subject<writes>},
    {"syncs", make_subject<syncs>, 4},
    {"statuses", make_subject<statuses>},
    {"open_named_pipe", make_subject<open_named_pipe>},
};

// Made by `blocking()`: the place of the task must outlive them.
const std::vector<coex_test::kind_of_subject> calls = {
    {"spaces", make_subject<spaces>},
    {"copies", make_subject<copies>},
    {"names", make_subject<names>},
};

class torture_of_files : public coex_test::torture {};

TEST_P(torture_of_files, what_is_stopped_at_any_moment_ends_once_and_leaves_nothing_open) {
    stop_at_random(kinds, 100);
    stop_at_random(calls, 100);
}

TEST_P(torture_of_files, a_pool_that_is_destroyed_ends_what_is_in_flight_once_and_leaves_nothing_open) {
    destroy_under_it(kinds, 16);
    destroy_under_it(calls, 16);
}

COEX_ON_BOTH_ROADS(torture_of_files);

}  // namespace
