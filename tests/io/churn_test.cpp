// Many connections that come, are used and go, some of them in the middle of something: nothing of them may stay.
#include "io/left_over.hpp"
#include "io/socket_support.hpp"
#include "io/torture.hpp"

#include <exec/algo/counting_scope.hpp>
#include <exec/algo/spawn.hpp>
#include <exec/algo/timeout.hpp>
#include <exec/algo/when_any.hpp>
#include <exec/base/config.hpp>

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <vector>

namespace {

using coex::endpoint;
using coex::static_thread_pool;
using coex::task;
using coex::tcp_listener;
using coex::tcp_stream;

constexpr int rounds = 20;
constexpr int echoes = 10;
constexpr int at_once = 100;
constexpr unsigned stopped_share = 8;  // one of so many connections is stopped

/// Of each round; COEX_TORTURE_ROUNDS sets it, up to 10,000, which is what changes of the backends should be tried
/// with.
int connections_a_round() {
    return std::clamp(coex_test::torture_rounds(COEX_ADDRESS_SANITIZER != 0 ? 200 : 500), at_once, 10'000);
}

// A client that is stopped may leave bytes unread, which resets the connection.
task<void> serve(tcp_stream peer) {
    try {
        co_await coex_test::echo(std::move(peer));
    } catch (const std::system_error& error) {
        EXPECT_TRUE(error.code() == std::errc::connection_reset || error.code() == std::errc::broken_pipe)
            << error.what();
    }
}

task<void> accept_all(tcp_listener& listener, coex::counting_scope& sessions) {
    for (;;) coex::spawn(serve(co_await listener.accept()), sessions.get_token());
}

task<void> connect_and_echo(static_thread_pool& pool, endpoint server, std::byte first) {
    std::array<std::byte, 64> sent{};
    std::array<std::byte, 64> received{};
    tcp_stream stream = co_await tcp_stream::connect(pool, server);
    for (int i = 0; i < echoes; ++i) {
        sent.fill(static_cast<std::byte>(std::to_integer<int>(first) + i));
        co_await stream.write_all(sent);
        co_await stream.read_exactly(received);
        EXPECT_EQ(received, sent);
    }
}

struct ends {
    int whole = 0;
    int stopped = 0;
};

task<ends> come_and_go(static_thread_pool& pool, endpoint server, int times, unsigned seed) {
    std::minstd_rand random(seed);
    ends counted;
    for (int i = 0; i < times; ++i) {
        task<void> one = connect_and_echo(pool, server, static_cast<std::byte>(i));
        if (random() % stopped_share != 0) {
            co_await std::move(one);
            ++counted.whole;
            continue;
        }
        try {
            co_await coex::timeout(std::move(one), std::chrono::microseconds(random() % 4000));
            ++counted.whole;
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code(), std::errc::timed_out) << error.what();
            ++counted.stopped;
        }
    }
    co_return counted;
}

task<void> all_clients(static_thread_pool& pool, endpoint server, int connections, unsigned seed, ends& sum) {
    std::vector<task<ends>> clients;
    for (int i = 0; i < at_once; ++i) {
        clients.push_back(come_and_go(pool, server, connections / at_once, seed + static_cast<unsigned>(i)));
    }
    for (const ends& each : co_await coex::when_all(std::move(clients))) {
        sum.whole += each.whole;
        sum.stopped += each.stopped;
    }
}

task<ends> churn(static_thread_pool& pool, int connections, unsigned seed) {
    co_await pool.schedule();
    // The kernel keeps the ports of what has gone for a minute: another address each round has all of them anew.
    const endpoint here = endpoint::parse("127.0.0." + std::to_string(1 + seed / at_once % 200) + ":0");
    tcp_listener listener = tcp_listener::listen(pool, here);
    coex::counting_scope sessions;
    ends sum;
    co_await coex::when_any(accept_all(listener, sessions),
                            all_clients(pool, listener.local_endpoint(), connections, seed, sum));
    co_await sessions.join();
    co_return sum;
}

std::size_t allocated_bytes() {
    // Of all threads' arenas; blocks that are free do not count.
    return ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
}

std::size_t resident_bytes() {
    std::size_t all = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(::getpagesize());
}

/// When COEX_TORTURE_ROUNDS asks for many.
void report(int round, const ends& sum) {
    if (std::getenv("COEX_TORTURE_ROUNDS") == nullptr) return;
    const coex_test::ring_entries entries = coex_test::ring_entries::of_process();
    std::printf(
        "round %2d: %d whole, %d stopped; %zu descriptors, %zu bytes allocated, %zu KiB resident; %zu rings with %zu "
        "unsubmitted, %zu untaken, %zu watches\n",
        round, sum.whole, sum.stopped, coex_test::open_descriptors(), allocated_bytes(), resident_bytes() / 1024,
        entries.rings, entries.unsubmitted, entries.untaken, entries.watches);
}

TEST(churn, connections_that_have_gone_leave_nothing) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    static_thread_pool pool{{.name = "net", .threads = 2}};
    const int connections = connections_a_round() / at_once * at_once;
    // What the first rounds leave is kept for those that follow: rings, threads, recycled frames.
    std::size_t descriptors = 0;
    std::size_t bytes = 0;
    for (int round = 0; round < rounds; ++round) {
        const ends sum = coex::block_on(churn(pool, connections, seed + static_cast<unsigned>(round) * at_once));
        ASSERT_EQ(sum.whole + sum.stopped, connections) << "round " << round;
        coex_test::expect_nothing_in_flight(pool);
        report(round, sum);
        if (round == rounds / 2) {
            descriptors = coex_test::open_descriptors();
            bytes = allocated_bytes();
        }
    }
    EXPECT_LE(coex_test::open_descriptors(), descriptors);
    if (COEX_ADDRESS_SANITIZER == 0) {
        // Threads keep frames for the next ones, now more, now less; what each connection leaves would add up to more.
        const auto later = static_cast<std::size_t>(connections) * (rounds / 2 - 1);
        EXPECT_LT(allocated_bytes(), bytes + later * 64);
    }
}

}  // namespace
