#include "io/ring.hpp"

#include "io/support.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/backend_kind.hpp>
#include <exec/io/file.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>

#include <atomic>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using coex::file;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;

class ring_test : public ::testing::Test {
protected:
    void SetUp() override {
        if (coex::active_io_backend() != coex::io_backend_kind::io_uring) GTEST_SKIP() << "no ring is used";
        coex::detail::at_once_enabled.store(false);
    }
    void TearDown() override { coex::detail::at_once_enabled.store(true); }
};

task<std::size_t> read_pipe(static_thread_pool& pool, int descriptor, std::atomic<int>& begun) {
    file from(pool, descriptor, "pipe");
    std::vector<std::byte> block(1);
    begun.fetch_add(1);
    co_return co_await from.read_at(coex_test::anywhere, block);
}

task<std::size_t> read_pipes(static_thread_pool& pool, std::vector<coex_test::pipe_pair>& pipes,
                             std::atomic<int>& begun) {
    co_await pool.schedule();
    std::vector<task<std::size_t>> all;
    for (auto& each : pipes) all.push_back(read_pipe(pool, each.take_reading_end(), begun));
    std::size_t sum = 0;
    for (const std::size_t each : co_await coex::when_all(std::move(all))) sum += each;
    co_return sum;
}

constexpr int more_than_submission_entries = 400;

TEST_F(ring_test, more_operations_than_submission_entries_are_in_flight_at_once) {
    static_thread_pool pool{{.threads = 1}};
    std::vector<coex_test::pipe_pair> pipes(more_than_submission_entries);
    std::atomic<int> begun{0};
    std::thread writer([&] {
        while (begun.load() < more_than_submission_entries) std::this_thread::yield();
        // The last first: it completes though all others wait.
        for (auto each = pipes.rbegin(); each != pipes.rend(); ++each) each->write("x");
    });
    EXPECT_EQ(coex::block_on(read_pipes(pool, pipes, begun)), std::size_t{more_than_submission_entries});
    writer.join();
}

TEST_F(ring_test, more_cancellations_than_submission_entries_reach_their_operations) {
    static_thread_pool pool{{.threads = 1}};
    for (int i = 0; i < 5; ++i) {
        std::vector<coex_test::pipe_pair> pipes(more_than_submission_entries);
        std::atomic<int> begun{0};
        coex::inplace_stop_source source;
        std::thread stopper([&] {
            while (begun.load() < more_than_submission_entries) std::this_thread::yield();
            source.request_stop();
        });
        EXPECT_FALSE(sync_wait(read_pipes(pool, pipes, begun), source.get_token()).has_value());
        stopper.join();
    }
}

TEST_F(ring_test, a_pool_that_is_destroyed_cancels_more_operations_than_submission_entries) {
    std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 1});
    std::vector<coex_test::pipe_pair> pipes(more_than_submission_entries);
    std::atomic<int> begun{0};
    std::thread reader([&] { EXPECT_FALSE(sync_wait(read_pipes(*pool, pipes, begun)).has_value()); });
    while (begun.load() < more_than_submission_entries) std::this_thread::yield();
    pool.reset();
    reader.join();
}

task<std::size_t> read_once(file& from) {
    std::vector<std::byte> block(1);
    co_return co_await from.read_at(0, block);
}

TEST_F(ring_test, a_worker_that_cannot_make_its_ring_reports_it_and_tries_again_later) {
    if (COEX_ADDRESS_SANITIZER != 0) GTEST_SKIP() << "the sanitizers need descriptors themselves to look at memory";
    static_thread_pool pool{{.threads = 1}};
    const coex_test::scratch_directory scratch;
    file from(pool, ::open(scratch.write("file", "x").c_str(), O_RDONLY | O_CLOEXEC), "file");
    rlimit former{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &former), 0);
    rlimit none = former;
    none.rlim_cur = 0;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    std::error_code reason;
    try {
        coex::block_on(read_once(from));
    } catch (const std::system_error& error) {
        reason = error.code();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &former), 0);
    EXPECT_EQ(reason, std::errc::too_many_files_open);
    EXPECT_EQ(coex::block_on(read_once(from)), 1U);
}

TEST_F(ring_test, a_pool_without_input_and_output_makes_no_ring) {
    const std::size_t before = coex_test::open_descriptors();
    static_thread_pool pool{{.threads = 2}};
    for (int i = 0; i < 100; ++i) pool.submit([] {}).get();
    EXPECT_EQ(coex_test::open_descriptors(), before);
}

TEST_F(ring_test, rings_go_with_their_pool) {
    const coex_test::scratch_directory scratch;
    const auto path = scratch.write("file", "x");
    const std::size_t before = coex_test::open_descriptors();
    for (int i = 0; i < 20; ++i) {
        static_thread_pool pool{{.threads = 2}};
        file from(pool, ::open(path.c_str(), O_RDONLY | O_CLOEXEC), "file");
        EXPECT_EQ(coex::block_on(read_once(from)), 1U);
        EXPECT_GT(coex_test::open_descriptors(), before + 1) << "a ring beside the file";
    }
    EXPECT_EQ(coex_test::open_descriptors(), before);
}

}  // namespace
