#include <exec/io/poll.hpp>

#include "io/socket_support.hpp"

#include <array>

namespace {

using coex::poll_events;
using coex::static_thread_pool;
using coex::task;
using coex_test::failure_of;
using coex_test::run_on;

task<poll_events> wait_for(static_thread_pool& pool, int descriptor, poll_events events) {
    co_return co_await coex::poll(pool, descriptor, events);
}

class polling : public ::testing::Test {
protected:
    polling() {
        if (::pipe(ends.data()) != 0) std::abort();
    }
    ~polling() override {
        for (const int end : ends) {
            if (end >= 0) ::close(end);
        }
    }
    void write_byte() const { EXPECT_EQ(::write(ends[1], "x", 1), 1); }

    std::array<int, 2> ends{};
    static_thread_pool pool{{.threads = 1}};
};

TEST_F(polling, completes_at_once_when_the_descriptor_is_ready) {
    EXPECT_EQ(run_on(pool, wait_for(pool, ends[1], poll_events::writable)), poll_events::writable);
    write_byte();
    EXPECT_EQ(run_on(pool, wait_for(pool, ends[0], poll_events::readable)), poll_events::readable);
}

TEST_F(polling, waits_until_it_is) {
    for (int i = 0; i < 200; ++i) {
        auto pending = pool.submit([this] { write_byte(); });
        EXPECT_EQ(run_on(pool, wait_for(pool, ends[0], poll_events::readable)), poll_events::readable);
        pending.get();
        char byte = 0;
        EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    }
}

TEST_F(polling, tells_every_waiter) {
    std::vector<task<poll_events>> waiters;
    for (int i = 0; i < 50; ++i) waiters.push_back(wait_for(pool, ends[0], poll_events::readable));
    auto pending = pool.submit([this] { write_byte(); });
    const auto all = run_on(pool, coex::when_all(std::move(waiters)));
    pending.get();
    EXPECT_EQ(all, std::vector<poll_events>(50, poll_events::readable));
}

TEST_F(polling, tells_of_a_peer_that_hung_up_unasked) {
    ::close(std::exchange(ends[1], -1));
    const poll_events events = run_on(pool, wait_for(pool, ends[0], poll_events::readable));
    EXPECT_TRUE(has(events, poll_events::hang_up));
}

TEST_F(polling, a_closed_descriptor_is_an_error_that_names_it) {
    // First the pool shall have all the descriptors of its own that it needs, lest it takes the number.
    run_on(pool, wait_for(pool, ends[1], poll_events::writable));
    const int closed = ends[0];
    ::close(std::exchange(ends[0], -1));
    const auto [code, text] = failure_of(pool, wait_for(pool, closed, poll_events::readable));
    EXPECT_EQ(code, std::errc::bad_file_descriptor);
    EXPECT_NE(text.find("poll descriptor " + std::to_string(closed)), std::string::npos) << text;
}

}  // namespace
