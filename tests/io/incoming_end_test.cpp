#include <exec/io/incoming.hpp>

#include <exec/algo/timeout.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/io/unix.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <chrono>
#include <random>
#include <system_error>
#include <thread>

namespace {

using coex::incoming_blocks;
using coex::receive_buffers;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::unix_stream;

// The kernel looks a descriptor up as late as it takes an entry: by then the number may be another socket's.
TEST(incoming_end, a_sequence_that_goes_at_once_takes_nothing_from_the_socket_that_gets_its_number) {
    static_thread_pool pool{{.threads = 2}};
    const receive_buffers buffers(4, 128);
    std::mt19937 random(11);
    for (int round = 0; round < 1000; ++round) {
        {
            auto [here, there] = unix_stream::pair(pool);
            incoming_blocks incoming(here, buffers);
            const std::chrono::microseconds limit(random() % 20);
            try {
                static_cast<void>(sync_wait(coex::timeout(incoming.next(), limit)));
            } catch (const std::system_error& error) {
                ASSERT_EQ(error.code(), std::errc::timed_out) << error.what();
            }
        }
        auto [here, there] = unix_stream::pair(pool);
        ASSERT_EQ(::send(there.native_handle(), "abc", 3, MSG_NOSIGNAL), 3);
        for (unsigned i = random() % 4; i != 0; --i) std::this_thread::yield();
        char three[3];
        ASSERT_EQ(::recv(here.native_handle(), three, sizeof three, MSG_DONTWAIT), 3) << "round " << round;
    }
}

}  // namespace
