#include "io/torture.hpp"

#include <exec/io/blocking.hpp>
#include <exec/io/child_process.hpp>
#include <exec/io/event_descriptor.hpp>
#include <exec/io/interval.hpp>
#include <exec/io/poll.hpp>
#include <exec/io/poll_sequence.hpp>
#include <exec/io/resolve.hpp>
#include <exec/io/signal_set.hpp>
#include <exec/io/splice.hpp>
#include <exec/io/timer.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace {

using namespace std::chrono_literals;
using coex::file;
using coex::task;
using coex_test::anywhere;
using coex_test::make_subject;
using coex_test::scratch_directory;
using coex_test::subject;

/// Both ends of a pipe. The run uses one of them; the other one never waits.
class on_pipe : public subject {
public:
    on_pipe(coex::static_thread_pool& of, const scratch_directory&)
        : subject(of), ends_(coex::make_pipe(of)), reader_(ends_.first), writer_(ends_.second) {}

protected:
    [[nodiscard]] std::size_t bytes_inside() const {
        int count = 0;
        EXPECT_EQ(::ioctl(reader_.native_handle(), FIONREAD, &count), 0);
        return static_cast<std::size_t>(count);
    }
    void fill() const {
        ::fcntl(writer_.native_handle(), F_SETFL, O_NONBLOCK);
        const std::array<char, 4096> block{};
        while (::write(writer_.native_handle(), block.data(), block.size()) > 0) {
        }
        ::fcntl(writer_.native_handle(), F_SETFL, 0);
    }

private:
    std::pair<file, file> ends_;

protected:
    file& reader_;
    file& writer_;
    coex_test::lent_buffer block_;
};

struct pipe_read : on_pipe {
    using on_pipe::on_pipe;
    task<void> run() override { EXPECT_EQ(co_await reader_.read_at(anywhere, block_), 3U); }
    void complete() override {
        written_ = 3;
        EXPECT_EQ(::write(writer_.native_handle(), "abc", 3), 3);
    }
    void check(bool stopped) override { EXPECT_EQ(bytes_inside(), stopped ? written_ : 0U); }
    std::size_t written_ = 0;
};

struct pipe_read_blocks : pipe_read {
    using pipe_read::pipe_read;
    task<void> run() override {
        std::array<std::byte, 2> first{};
        const std::array<std::span<std::byte>, 2> blocks = {first, block_};
        EXPECT_EQ(co_await reader_.read_blocks_at(anywhere, blocks), 3U);
    }
};

struct pipe_write : on_pipe {
    pipe_write(coex::static_thread_pool& of, const scratch_directory& scratch) : on_pipe(of, scratch) {
        fill();
        full_ = bytes_inside();
    }
    task<void> run() override { EXPECT_EQ(co_await writer_.write_at(anywhere, block_), block_.size()); }
    void complete() override {
        std::array<char, 4096> taken{};
        EXPECT_EQ(::read(reader_.native_handle(), taken.data(), taken.size()), 4096);
        taken_ = taken.size();
    }
    void check(bool stopped) override { EXPECT_EQ(bytes_inside(), full_ - taken_ + (stopped ? 0 : block_.size())); }
    std::size_t full_ = 0;
    std::size_t taken_ = 0;
};

struct pipe_splice : pipe_read {
    using pipe_read::pipe_read;
    task<void> run() override { EXPECT_EQ(co_await coex::splice(reader_, second_.second, 64), 3U); }
    std::pair<file, file> second_ = coex::make_pipe(pool());
};

struct file_splice : pipe_write {
    file_splice(coex::static_thread_pool& of, const scratch_directory& scratch)
        : pipe_write(of, scratch),
          from_(of, ::open(scratch.write("spliced", "twelve bytes").c_str(), O_RDONLY | O_CLOEXEC), "spliced") {}
    task<void> run() override { EXPECT_EQ(co_await coex::splice({from_, 4}, writer_, 64), spliced); }
    void check(bool stopped) override { EXPECT_EQ(bytes_inside(), full_ - taken_ + (stopped ? 0 : spliced)); }
    static constexpr std::size_t spliced = 8;
    file from_;
};

struct poll_for_data : pipe_read {
    using pipe_read::pipe_read;
    task<void> run() override {
        const coex::poll_events found =
            co_await coex::poll(pool(), reader_.native_handle(), coex::poll_events::readable);
        EXPECT_TRUE(has(found, coex::poll_events::readable));
    }
    void check(bool) override { EXPECT_EQ(bytes_inside(), written_); }
};

template <coex::poll_trigger Trigger>
struct poll_again : poll_for_data {
    using poll_for_data::poll_for_data;
    task<void> run() override { EXPECT_TRUE(has(co_await sequence_.next(), coex::poll_events::readable)); }
    coex::poll_sequence sequence_{pool(), reader_.native_handle(), coex::poll_events::readable, Trigger};
};

struct event_wait : subject {
    event_wait(coex::static_thread_pool& of, const scratch_directory&) : subject(of), event_(of) {}
    task<void> run() override { EXPECT_EQ(co_await event_.wait(), 5U); }
    void complete() override {
        event_.notify(5);
        notified_ = true;
    }
    void check(bool stopped) override {
        pollfd now{event_.native_handle(), POLLIN, 0};
        EXPECT_EQ(::poll(&now, 1, 0), stopped && notified_ ? 1 : 0) << "a stopped wait leaves the counter as it is";
    }
    coex::event_descriptor event_;
    bool notified_ = false;
};

struct signal_wait : subject {
    signal_wait(coex::static_thread_pool& of, const scratch_directory&) : subject(of), signals_(of, {SIGUSR1}) {}
    task<void> run() override { EXPECT_EQ(co_await signals_.next(), SIGUSR1); }
    void complete() override {
        EXPECT_EQ(::kill(::getpid(), SIGUSR1), 0);
        sent_ = true;
    }
    void check(bool stopped) override {
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, SIGUSR1);
        const timespec none{};
        const int pending = ::sigtimedwait(&set, nullptr, &none);
        EXPECT_EQ(pending, stopped && sent_ ? SIGUSR1 : -1) << "a stopped wait has taken no signal";
    }
    coex::signal_set signals_;
    bool sent_ = false;
};

struct child_wait : subject {
    child_wait(coex::static_thread_pool& of, const scratch_directory&)
        : subject(of), child_(coex::child_process::spawn(of, options())) {}
    static coex::spawn_options options() {
        coex::spawn_options made({"cat"});
        made.input = coex::child_stream::pipe;
        made.output = coex::child_stream::null;
        return made;
    }
    task<void> run() override {
        const coex::exit_status status = co_await child_.wait();
        EXPECT_TRUE(status.success());
    }
    void complete() override { child_.input.reset(); }
    coex::child_process child_;
};

struct sleeping : subject {
    sleeping(coex::static_thread_pool& of, const scratch_directory&) : subject(of) {}
    task<void> run() override {
        co_await coex::sleep_for(50us);
        coex::interval ticks(50us);
        co_await ticks.tick();
        co_await coex::sleep_until(coex::timer_clock::now() + 20us);
    }
};

struct blocking_call : subject {
    blocking_call(coex::static_thread_pool& of, const scratch_directory&) : subject(of) {}
    task<void> run() override {
        auto call = [this](const coex::inplace_stop_token& stop) {
            calls_.fetch_add(1);
            while (!released_.load() && !stop.stop_requested()) std::this_thread::yield();
        };
        co_await coex::blocking(call);
    }
    void complete() override { released_.store(true); }
    void check(bool stopped) override { EXPECT_TRUE(calls_.load() == 1 || (stopped && calls_.load() == 0)); }
    std::atomic<int> calls_{0};
    std::atomic<bool> released_{false};
};

struct name_lookup : subject {
    name_lookup(coex::static_thread_pool& of, const scratch_directory&) : subject(of) {}
    task<void> run() override {
        const std::vector<coex::endpoint> found = co_await coex::resolve("127.0.0.1", "80");
        EXPECT_FALSE(found.empty());
    }
};

const std::vector<coex_test::kind_of_subject> kinds = {
    {"pipe_read", make_subject<pipe_read>},
    {"pipe_read_blocks", make_subject<pipe_read_blocks>},
    {"pipe_write", make_subject<pipe_write>},
    {"pipe_splice", make_subject<pipe_splice>},
    {"file_splice", make_subject<file_splice>},
    {"poll_for_data", make_subject<poll_for_data>},
    {"poll_level", make_subject<poll_again<coex::poll_trigger::level>>},
    {"poll_edge", make_subject<poll_again<coex::poll_trigger::edge>>},
    {"event_wait", make_subject<event_wait>},
    {"signal_wait", make_subject<signal_wait>},
    {"child_wait", make_subject<child_wait>, 8},
    {"sleeping", make_subject<sleeping>},
};

const std::vector<coex_test::kind_of_subject> calls = {
    {"blocking_call", make_subject<blocking_call>},
    {"name_lookup", make_subject<name_lookup>, 4},
};

class torture_of_waits : public coex_test::torture {
protected:
    // Before the first pool: its threads inherit what is blocked.
    torture_of_waits() { coex::signal_set::block({SIGUSR1}); }
};

TEST_P(torture_of_waits, what_is_stopped_at_any_moment_ends_once_and_takes_nothing) {
    stop_at_random(kinds, 150);
    stop_at_random(calls, 150);
}

TEST_P(torture_of_waits, a_pool_that_is_destroyed_ends_what_waits_once) {
    destroy_under_it(kinds, 24);
    destroy_under_it(calls, 24);
}

COEX_ON_BOTH_ROADS(torture_of_waits);

}  // namespace
