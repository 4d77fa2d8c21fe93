// Waiting holds no worker, and what waits hears of it when the other side vanishes.
#include "io/socket_support.hpp"

#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

namespace {

using coex::static_thread_pool;
using coex::task;
using coex::unix_stream;
using coex_test::bytes_of;
using coex_test::room_in;

/// So many pairs of sockets as are wanted, or as the system lets this process have.
std::size_t affordable_pairs(std::size_t wanted) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    constexpr std::size_t others = 200;
    if (limit.rlim_cur <= others) return 0;
    const std::size_t most = std::min<std::size_t>(wanted, (limit.rlim_cur - others) / 2);
    if (most < wanted) std::printf("only %zu pairs: RLIMIT_NOFILE allows no more\n", most);
    return most;
}

class connections {
public:
    connections(static_thread_pool& pool, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            int ends[2];
            if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
            near.push_back(ends[0]);
            far.emplace_back(pool, ends[1]);
        }
    }
    connections(const connections&) = delete;
    connections& operator=(const connections&) = delete;
    ~connections() { hang_up(); }
    void hang_up() {
        for (int& each : near) {
            if (each >= 0) ::close(each);
            each = -1;
        }
    }
    void send(const std::string& text) const {
        for (const int each : near) {
            if (::send(each, text.data(), text.size(), MSG_NOSIGNAL) < 0) std::abort();
        }
    }

    std::vector<int> near;
    std::vector<unix_stream> far;
};

task<bool> receive(unix_stream& from, std::string expected, std::atomic<std::size_t>& begun) {
    std::string text(expected.size(), '\0');
    begun.fetch_add(1);
    co_await from.read_exactly(room_in(text));
    co_return text == expected;
}

task<bool> notice_the_end(unix_stream& from, std::atomic<std::size_t>& begun) {
    std::string text(16, '\0');
    begun.fetch_add(1);
    const std::size_t count = co_await from.read_some(room_in(text));
    co_return count == 0;
}

TEST(waiting, a_thousand_readers_leave_the_only_worker_to_a_plain_task_and_are_served_afterwards) {
    const std::size_t count = affordable_pairs(1'000);
    std::atomic<std::size_t> begun{0};
    static_thread_pool pool{{.threads = 1}};
    connections all(pool, count);
    std::vector<task<bool>> readers;
    for (unix_stream& each : all.far) readers.push_back(receive(each, "ping", begun));
    std::vector<bool> good;
    std::thread waiting([&] {
        const auto received = coex_test::run_on(pool, coex::when_all(std::move(readers)));
        good.assign(received.begin(), received.end());
    });
    while (begun.load() < count) std::this_thread::yield();
    // Everything arrives while the task has the worker, and nobody is served before it has ended.
    std::atomic<bool> arrived{false};
    auto plain = pool.submit([&arrived] {
        while (!arrived.load()) std::this_thread::yield();
        return 42;
    });
    all.send("ping");
    arrived.store(true);
    EXPECT_EQ(plain.get(), 42);
    waiting.join();
    EXPECT_EQ(good, std::vector<bool>(count, true));
}

TEST(waiting, readers_hear_of_peers_that_vanish) {
    const std::size_t count = affordable_pairs(200);
    std::atomic<std::size_t> begun{0};
    static_thread_pool pool{{.threads = 2}};
    connections all(pool, count);
    std::vector<task<bool>> readers;
    for (unix_stream& each : all.far) readers.push_back(notice_the_end(each, begun));
    std::vector<bool> good;
    std::thread waiting([&] {
        const auto ended = coex_test::run_on(pool, coex::when_all(std::move(readers)));
        good.assign(ended.begin(), ended.end());
    });
    while (begun.load() < count) std::this_thread::yield();
    all.hang_up();
    waiting.join();
    EXPECT_EQ(good, std::vector<bool>(count, true));
}

}  // namespace
