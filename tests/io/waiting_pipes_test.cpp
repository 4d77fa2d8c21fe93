// What waits for somebody else holds no thread, on either backend, and can be cancelled: reads of pipes, terminals and
// other descriptors, and the opening of named pipes.
#include "io/socket_support.hpp"

#include <exec/coro/sync_wait.hpp>
#include <exec/io/blocking.hpp>
#include <exec/io/file.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <pty.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using coex::file;
using coex::open_mode;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex_test::anywhere;
using coex_test::pipe_pair;
using coex_test::run_on;
using coex_test::scratch_directory;

/// Something to read from that has nothing to read yet.
class source {
public:
    virtual ~source() = default;
    [[nodiscard]] virtual int reading_end() const = 0;
    virtual void feed() = 0;
};

class pipe_source : public source {
public:
    pipe_source() : reading_(pipe_.take_reading_end()) {}
    ~pipe_source() override { ::close(reading_); }
    [[nodiscard]] int reading_end() const override { return reading_; }
    void feed() override { pipe_.write("x"); }

private:
    pipe_pair pipe_;
    int reading_;
};

class named_pipe_source : public source {
public:
    named_pipe_source() {
        const std::string path = (scratch_ / "pipe").string();
        if (::mkfifo(path.c_str(), 0600) != 0) std::abort();
        both_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        reading_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    }
    ~named_pipe_source() override {
        ::close(both_);
        ::close(reading_);
    }
    [[nodiscard]] int reading_end() const override { return reading_; }
    void feed() override { EXPECT_EQ(::write(both_, "x", 1), 1); }

private:
    scratch_directory scratch_;
    int both_;
    int reading_;
};

class terminal_source : public source {
public:
    terminal_source() {
        termios raw{};
        ::cfmakeraw(&raw);
        if (::openpty(&controlling_, &terminal_, nullptr, &raw, nullptr) != 0) std::abort();
    }
    ~terminal_source() override {
        ::close(controlling_);
        ::close(terminal_);
    }
    [[nodiscard]] int reading_end() const override { return terminal_; }
    void feed() override { EXPECT_EQ(::write(controlling_, "x", 1), 1); }

private:
    int controlling_ = -1;
    int terminal_ = -1;
};

class inotify_source : public source {
public:
    inotify_source() : events_(::inotify_init1(IN_CLOEXEC)) {
        if (::inotify_add_watch(events_, (scratch_ / "").c_str(), IN_CREATE) < 0) {
            throw std::system_error(errno, std::generic_category(), "inotify (fs.inotify.max_user_instances?)");
        }
    }
    ~inotify_source() override { ::close(events_); }
    [[nodiscard]] int reading_end() const override { return events_; }
    void feed() override { scratch_.write("file" + std::to_string(count_++), ""); }

private:
    scratch_directory scratch_;
    int events_;
    int count_ = 0;
};

struct kind {
    const char* name;
    std::unique_ptr<source> (*make)();
};
template <class Source>
std::unique_ptr<source> make_source() {
    return std::make_unique<Source>();
}
void PrintTo(const kind& which, std::ostream* to) {
    *to << which.name;
}

task<std::size_t> read_once(static_thread_pool& pool, int descriptor, std::atomic<int>& begun) {
    co_await pool.schedule();
    file from(pool, ::dup(descriptor), "source");
    std::array<std::byte, 512> block{};
    begun.fetch_add(1);
    co_return co_await from.read_at(anywhere, block);
}

// As read_once, of the very descriptor.
task<std::size_t> read_itself(static_thread_pool& pool, file& from, std::atomic<int>& begun) {
    co_await pool.schedule();
    std::array<std::byte, 512> block{};
    begun.fetch_add(1);
    co_return co_await from.read_at(anywhere, block);
}

void wait_until(const std::atomic<int>& counter, int value) {
    while (counter.load() < value) std::this_thread::yield();
}

task<std::size_t> read_whole_file(static_thread_pool& pool, std::filesystem::path path) {
    file from = co_await coex::open_file(pool, std::move(path), open_mode::read | open_mode::create);
    std::vector<std::byte> block(64);
    co_return co_await from.read_at(0, block);
}

class waiting_reads : public ::testing::TestWithParam<kind> {
protected:
    // On the long road, on which a file's operations need helpers.
    void SetUp() override { coex::detail::at_once_enabled.store(false); }
    void TearDown() override { coex::detail::at_once_enabled.store(true); }
    scratch_directory scratch;
    std::atomic<int> begun{0};
};

TEST_P(waiting_reads, of_any_number_hold_no_thread_that_others_need) {
    constexpr int count = 24;  // more than the fallback has helpers; of inotify's instances a user has 128
    std::vector<std::unique_ptr<source>> sources;
    for (int i = 0; i < count; ++i) sources.push_back(GetParam().make());
    const auto path = scratch.write("file", "twelve bytes");
    std::vector<std::thread> readers;
    static_thread_pool pool{{.threads = 1}};
    std::atomic<std::size_t> got{0};
    for (const auto& each : sources) {
        readers.emplace_back([&, descriptor = each->reading_end()] {
            got.fetch_add(coex::block_on(read_once(pool, descriptor, begun)) != 0 ? 1 : 0);
        });
    }
    wait_until(begun, count);
    EXPECT_EQ(run_on(pool, read_whole_file(pool, path)), 12U);
    EXPECT_EQ(got.load(), 0U);
    for (const auto& each : sources) each->feed();
    for (std::thread& each : readers) each.join();
    EXPECT_EQ(got.load(), std::size_t{count});
}

TEST_P(waiting_reads, of_one_source_get_what_comes_when_another_one_is_cancelled) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < 50; ++round) {
        const auto from = GetParam().make();
        file shared(pool, ::dup(from->reading_end()), "source");
        begun.store(0);
        coex::inplace_stop_source stop;
        std::optional<std::tuple<std::size_t>> stopped;
        std::size_t got = 0;
        std::thread first([&] { stopped = sync_wait(read_itself(pool, shared, begun), stop.get_token()); });
        std::thread second([&] { got = coex::block_on(read_itself(pool, shared, begun)); });
        wait_until(begun, 2);
        stop.request_stop();
        first.join();
        EXPECT_FALSE(stopped.has_value());
        from->feed();
        second.join();
        EXPECT_GT(got, 0U);
    }
}

TEST_P(waiting_reads, of_one_source_are_all_cancelled_while_what_comes_is_fought_for) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < 50; ++round) {
        const auto from = GetParam().make();
        file shared(pool, ::dup(from->reading_end()), "source");
        begun.store(0);
        coex::inplace_stop_source stop;
        std::vector<std::thread> readers;
        std::atomic<int> served{0};
        for (int i = 0; i < 4; ++i) {
            readers.emplace_back([&] {
                const auto got = sync_wait(read_itself(pool, shared, begun), stop.get_token());
                if (got) served.fetch_add(1);
            });
        }
        wait_until(begun, 4);
        from->feed();
        stop.request_stop();
        for (std::thread& each : readers) each.join();
        EXPECT_LE(served.load(), 1);
    }
}

INSTANTIATE_TEST_SUITE_P(kinds, waiting_reads,
                         ::testing::Values(kind{"pipe", make_source<pipe_source>},
                                           kind{"named_pipe", make_source<named_pipe_source>},
                                           kind{"terminal", make_source<terminal_source>},
                                           kind{"inotify", make_source<inotify_source>}),
                         [](const auto& test) { return std::string(test.param.name); });

task<void> read_one_of_many(static_thread_pool& pool, int descriptor, std::atomic<int>& begun,
                            std::atomic<int>& served) {
    const std::size_t count = co_await read_once(pool, descriptor, begun);
    if (count == 1) served.fetch_add(1);
}

task<void> read_all(static_thread_pool& pool, std::vector<pipe_pair>& pipes, std::vector<int>& ends,
                    std::atomic<int>& begun, std::atomic<int>& served) {
    std::vector<task<void>> readers;
    for (std::size_t i = 0; i < pipes.size(); ++i) {
        readers.push_back(read_one_of_many(pool, ends[i], begun, served));
    }
    co_await coex::when_all(std::move(readers));
}

task<int> call_that_blocks() {
    co_return co_await coex::blocking([] { return 7; });
}

TEST(waiting_pipes, a_thousand_readers_hold_neither_workers_nor_helpers) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 4'000) GTEST_SKIP() << "needs 4,000 descriptors, may have " << limit.rlim_cur;

    const scratch_directory scratch;
    const auto path = scratch.write("file", "twelve bytes");
    std::vector<pipe_pair> pipes(1'000);
    std::vector<int> ends;
    for (pipe_pair& each : pipes) ends.push_back(each.take_reading_end());
    std::atomic<int> begun{0};
    std::atomic<int> served{0};
    static_thread_pool pool{{.threads = 1}};
    std::thread waiting([&] { coex::block_on(read_all(pool, pipes, ends, begun, served)); });
    wait_until(begun, 1'000);
    EXPECT_EQ(run_on(pool, call_that_blocks()), 7);
    EXPECT_EQ(run_on(pool, read_whole_file(pool, path)), 12U);
    EXPECT_EQ(pool.submit([] { return 5; }).get(), 5);
    EXPECT_EQ(served.load(), 0);
    for (const pipe_pair& each : pipes) each.write("x");
    waiting.join();
    EXPECT_EQ(served.load(), 1'000);
    for (const int end : ends) ::close(end);
}

// --- named pipes ----------------------------------------------------------------------------------------------------

class opening_named_pipes : public coex_test::on_both_roads {
protected:
    opening_named_pipes() { EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0); }
    scratch_directory scratch;
    std::filesystem::path path = scratch / "pipe";
    std::atomic<int> begun{0};
};

task<std::optional<file>> open_end(static_thread_pool& pool, std::filesystem::path path, open_mode mode,
                                   std::atomic<int>& begun) {
    co_await pool.schedule();
    begun.fetch_add(1);
    co_return co_await coex::open_file(pool, std::move(path), mode);
}

/// Opens the end and stops that; the `i`-th time somewhat later than the last. True when the open did not succeed.
bool is_stopped(const std::filesystem::path& path, open_mode mode, std::atomic<int>& begun, int i) {
    static_thread_pool pool{{.threads = 1}};
    coex::inplace_stop_source stop;
    std::thread stopper([&] {
        wait_until(begun, i);
        for (int k = 0; k < i % 5; ++k) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        stop.request_stop();
    });
    const bool stopped = !sync_wait(open_end(pool, path, mode, begun), stop.get_token()).has_value();
    stopper.join();
    return stopped;
}

TEST_P(opening_named_pipes, for_reading_is_cancelled_while_nobody_writes) {
    for (int i = 1; i <= 30; ++i) {
        EXPECT_TRUE(is_stopped(path, open_mode::read, begun, i));
        EXPECT_EQ(::open(path.c_str(), O_WRONLY | O_NONBLOCK), -1) << "no reading end is left behind";
        EXPECT_EQ(errno, ENXIO);
    }
}

TEST_P(opening_named_pipes, for_writing_is_cancelled_while_nobody_reads) {
    for (int i = 1; i <= 30; ++i) EXPECT_TRUE(is_stopped(path, open_mode::write, begun, i));
}

TEST_P(opening_named_pipes, for_reading_and_for_writing_meet_and_what_is_written_arrives) {
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 50; ++i) {
        std::thread writer([&] {
            std::optional<file> end = coex::block_on(open_end(pool, path, open_mode::write, begun));
            ASSERT_EQ(::write(end->native_handle(), "hello", 5), 5);
        });
        std::optional<file> end = coex::block_on(open_end(pool, path, open_mode::read, begun));
        ASSERT_EQ(::fcntl(end->native_handle(), F_GETFL) & O_NONBLOCK, 0);
        EXPECT_EQ(run_on(pool, read_itself(pool, *end, begun)), 5U);
        writer.join();
    }
}

TEST_P(opening_named_pipes, for_reading_waits_for_a_writer_that_writes_nothing) {
    static_thread_pool pool{{.threads = 1}};
    std::atomic<bool> opened{false};
    std::thread reader([&] {
        const std::optional<file> end = coex::block_on(open_end(pool, path, open_mode::read, begun));
        opened.store(end->native_handle() >= 0);
    });
    wait_until(begun, 1);
    int writer = -1;  // fails until the reader has begun to wait
    while (writer < 0) writer = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    reader.join();
    EXPECT_TRUE(opened.load());
    ::close(writer);
}

TEST_P(opening_named_pipes, with_their_pool_destroyed_meanwhile_ends) {
    for (const open_mode mode : {open_mode::read, open_mode::write}) {
        auto pool = std::make_unique<static_thread_pool>(coex::pool_options{.threads = 1});
        std::thread waiting(
            [&, at = pool.get()] { EXPECT_FALSE(sync_wait(open_end(*at, path, mode, begun)).has_value()); });
        wait_until(begun, mode == open_mode::read ? 1 : 2);
        pool.reset();
        waiting.join();
    }
}

COEX_ON_BOTH_ROADS(opening_named_pipes);

}  // namespace
