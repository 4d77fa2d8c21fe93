#include "io/ring.hpp"

#include "io/service.hpp"
#include "io/support.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/backend_kind.hpp>
#include <exec/io/file.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/timer.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
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

task<std::size_t> read_pipes_here(static_thread_pool& pool, std::vector<coex_test::pipe_pair>& pipes,
                                  std::atomic<int>& begun) {
    std::vector<task<std::size_t>> all;
    for (auto& each : pipes) all.push_back(read_pipe(pool, each.take_reading_end(), begun));
    std::size_t sum = 0;
    for (const std::size_t each : co_await coex::when_all(std::move(all))) sum += each;
    co_return sum;
}

task<std::size_t> read_pipes(static_thread_pool& pool, std::vector<coex_test::pipe_pair>& pipes,
                             std::atomic<int>& begun) {
    co_await pool.schedule();
    co_return co_await read_pipes_here(pool, pipes, begun);
}

constexpr unsigned submission_entries = 256;
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

// How often, after a worker has run out of work, it tries to submit before it gives up searching and falls asleep, and
// some more: a refusal at each of these places has its turn.
constexpr unsigned tries_before_sleep = 80;

/// Has the kernel refuse submissions at chosen moments.
class refused_ring_test : public ring_test {
protected:
    void TearDown() override {
        ring_test::TearDown();
        refuse(0);
    }
    static void refuse(unsigned count) { coex::detail::refused_submissions.store(count); }

    /// The next operations that one task begins: those beyond the submission queue are refused one by one, and then
    /// `more` submissions.
    static void refuse_what_is_beyond_the_queue(unsigned more) {
        refuse(more_than_submission_entries - submission_entries + more);
    }

    static_thread_pool pool{{.threads = 1}};
    std::vector<coex_test::pipe_pair> pipes{more_than_submission_entries};
    std::atomic<int> begun{0};
    coex::inplace_stop_source source;
};

class beginning_refused : public refused_ring_test, public ::testing::WithParamInterface<unsigned> {};
class cancelling_refused : public refused_ring_test, public ::testing::WithParamInterface<unsigned> {};

TEST_P(beginning_refused, operations_that_found_no_entry_are_begun_when_the_kernel_accepts_again) {
    refuse_what_is_beyond_the_queue(GetParam());
    std::thread writer([&] {
        while (begun.load() < more_than_submission_entries) std::this_thread::yield();
        // First those that found no entry: none of the others wakes the worker for them.
        for (std::size_t k = 300; k < pipes.size(); ++k) pipes[k].write("x");
        for (std::size_t k = 300; k < pipes.size(); ++k) {
            while (!pipes[k].is_drained()) std::this_thread::yield();
        }
        for (std::size_t k = 0; k < 300; ++k) pipes[k].write("x");
    });
    EXPECT_EQ(coex::block_on(read_pipes(pool, pipes, begun)), std::size_t{more_than_submission_entries});
    writer.join();
}

task<void> stop_at_once(coex::inplace_stop_source& source) {
    source.request_stop();
    co_return;
}

// The stop comes before the worker looks at its ring.
task<void> read_pipes_and_stop(static_thread_pool& pool, std::vector<coex_test::pipe_pair>& pipes,
                               std::atomic<int>& begun, coex::inplace_stop_source& source) {
    co_await pool.schedule();
    co_await coex::when_all(read_pipes_here(pool, pipes, begun), stop_at_once(source));
}

TEST_P(beginning_refused, operations_that_found_no_entry_are_stopped_all_the_same) {
    refuse_what_is_beyond_the_queue(GetParam());
    EXPECT_FALSE(sync_wait(read_pipes_and_stop(pool, pipes, begun, source), source.get_token()).has_value());
}

// The operations fill the submission queue, so that the first cancellation finds no entry.
TEST_P(cancelling_refused, cancellations_that_found_no_entry_are_not_forgotten) {
    pipes = std::vector<coex_test::pipe_pair>(submission_entries);
    refuse(GetParam());
    EXPECT_FALSE(sync_wait(read_pipes_and_stop(pool, pipes, begun, source), source.get_token()).has_value());
}

INSTANTIATE_TEST_SUITE_P(ring, beginning_refused, ::testing::Range(0U, tries_before_sleep));
INSTANTIATE_TEST_SUITE_P(ring, cancelling_refused, ::testing::Range(0U, tries_before_sleep));

TEST_F(refused_ring_test, operations_that_found_no_entry_end_with_their_pool) {
    for (unsigned i = 0; i < 20; ++i) {
        std::optional<static_thread_pool> ending(std::in_place, coex::pool_options{.threads = 1});
        std::vector<coex_test::pipe_pair> own_pipes(more_than_submission_entries);
        begun.store(0);
        refuse(1U << 30);
        std::thread reader([&] { EXPECT_FALSE(sync_wait(read_pipes(*ending, own_pipes, begun)).has_value()); });
        while (begun.load() < more_than_submission_entries) std::this_thread::yield();
        std::thread ender([&] { ending.reset(); });
        for (unsigned k = 0; k < i; ++k) std::this_thread::yield();
        refuse(i);
        ender.join();
        reader.join();
    }
}

task<std::size_t> read_once(file& from) {
    std::vector<std::byte> block(1);
    co_return co_await from.read_at(0, block);
}

TEST_F(ring_test, park_returns_at_once_however_long_ago_its_deadline_was) {
    static_thread_pool pool{{.threads = 1}};
    int failed = 0;
    const auto parker = coex::detail::ring::make(coex::detail::io_service::of(pool), nullptr, failed);
    ASSERT_NE(parker, nullptr) << failed;
    std::atomic<bool> returned{false};
    std::thread sleeper([&] {
        parker->park(coex::timer_clock::time_point::min());
        returned.store(true);
    });
    for (int i = 0; i < 10'000 && !returned.load(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(returned.load());
    parker->unpark();
    sleeper.join();
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
