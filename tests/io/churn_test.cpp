#include "io/left_over.hpp"
#include "io/socket_support.hpp"
#include "io/torture.hpp"

#include <exec/algo/counting_scope.hpp>
#include <exec/algo/spawn.hpp>
#include <exec/base/config.hpp>

#include <malloc.h>

#include <algorithm>
#include <array>
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

/// Of each round; COEX_TORTURE_ROUNDS sets it, up to 10,000, which is what changes of the backends should be tried
/// with.
int connections_a_round() {
    return std::clamp(coex_test::torture_rounds(COEX_ADDRESS_SANITIZER != 0 ? 200 : 500), at_once, 10'000);
}

task<void> accept_some(tcp_listener& listener, int connections) {
    coex::counting_scope sessions;
    for (int i = 0; i < connections; ++i) {
        tcp_stream peer = co_await listener.accept();
        coex::spawn(coex_test::echo(std::move(peer)), sessions.get_token());
    }
    co_await sessions.join();
}

task<int> come_and_go(static_thread_pool& pool, endpoint server, int times) {
    int echoed = 0;
    std::array<std::byte, 64> sent{};
    std::array<std::byte, 64> received{};
    for (int i = 0; i < times; ++i) {
        tcp_stream stream = co_await tcp_stream::connect(pool, server);
        for (int j = 0; j < echoes; ++j) {
            sent.fill(static_cast<std::byte>(i + j));
            co_await stream.write_all(sent);
            co_await stream.read_exactly(received);
            if (received == sent) ++echoed;
        }
    }
    co_return echoed;
}

task<int> all_clients(static_thread_pool& pool, endpoint server, int connections) {
    std::vector<task<int>> clients;
    for (int i = 0; i < at_once; ++i) clients.push_back(come_and_go(pool, server, connections / at_once));
    int sum = 0;
    for (const int each : co_await coex::when_all(std::move(clients))) sum += each;
    co_return sum;
}

task<int> churn(static_thread_pool& pool, int connections) {
    co_await pool.schedule();
    tcp_listener listener = tcp_listener::listen(pool, endpoint::loopback(0));
    auto [echoed] = co_await coex::when_all(accept_some(listener, connections),
                                            all_clients(pool, listener.local_endpoint(), connections));
    co_return echoed;
}

std::size_t allocated_bytes() {
    // Of all threads' arenas; blocks that are free do not count.
    return ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
}

TEST(churn, connections_that_have_gone_leave_nothing) {
    static_thread_pool pool{{.name = "net", .threads = 2}};
    const int connections = connections_a_round() / at_once * at_once;
    // What the first rounds leave is kept for those that follow: rings, threads, recycled frames.
    std::size_t descriptors = 0;
    std::size_t bytes = 0;
    for (int round = 0; round < rounds; ++round) {
        ASSERT_EQ(coex::block_on(churn(pool, connections)), connections * echoes) << "round " << round;
        coex_test::expect_nothing_in_flight(pool);
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
