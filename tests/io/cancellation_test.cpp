#include "io/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/file.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using coex::file;
using coex::open_file;
using coex::open_mode;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex_test::anywhere;
using coex_test::pipe_pair;
using coex_test::scratch_directory;

/// Counts how often it is destroyed while it holds: a local of a coroutine that unwinds.
struct witness {
    std::atomic<int>* ended;
    explicit witness(std::atomic<int>& counter) : ended(&counter) {}
    witness(const witness&) = delete;
    witness& operator=(const witness&) = delete;
    ~witness() { ended->fetch_add(1); }
};

task<std::size_t> read_pipe(static_thread_pool& pool, int descriptor, std::atomic<int>& begun,
                            std::atomic<int>& ended) {
    const witness local(ended);
    file from(pool, descriptor, "pipe");
    std::vector<std::byte> block(64);
    begun.fetch_add(1);
    co_return co_await from.read_at(anywhere, block);
}

task<std::size_t> read_pipe_on(static_thread_pool& home, static_thread_pool& pool, int descriptor,
                               std::atomic<int>& begun, std::atomic<int>& ended) {
    co_await home.schedule();
    co_return co_await read_pipe(pool, descriptor, begun, ended);
}

void wait_until(const std::atomic<int>& counter, int value) {
    while (counter.load() < value) std::this_thread::yield();
}

class cancellation : public ::testing::Test {
protected:
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    coex::inplace_stop_source source;
};

TEST_F(cancellation, a_read_in_flight_is_cancelled_and_the_task_unwinds) {
    static_thread_pool pool{{.threads = 1}};
    for (int i = 1; i <= 200; ++i) {
        pipe_pair pipe;
        coex::inplace_stop_source each;
        std::thread stopper([&] {
            wait_until(begun, i);
            if (i % 2 == 0) std::this_thread::yield();
            each.request_stop();
        });
        EXPECT_FALSE(sync_wait(read_pipe(pool, pipe.take_reading_end(), begun, ended), each.get_token()).has_value());
        stopper.join();
        EXPECT_EQ(ended.load(), i);
    }
}

TEST_F(cancellation, a_read_on_another_pools_file_is_cancelled_too) {
    static_thread_pool pool{{.threads = 2}};
    static_thread_pool home{{.threads = 1}};
    for (int i = 1; i <= 200; ++i) {
        pipe_pair pipe;
        coex::inplace_stop_source each;
        std::thread stopper([&] {
            wait_until(begun, i);
            each.request_stop();
        });
        auto work = read_pipe_on(home, pool, pipe.take_reading_end(), begun, ended);
        EXPECT_FALSE(sync_wait(std::move(work), each.get_token()).has_value());
        stopper.join();
        EXPECT_EQ(ended.load(), i);
    }
}

TEST_F(cancellation, a_stop_that_races_the_data_gives_either_and_loses_nothing) {
    static_thread_pool pool{{.threads = 2}};
    std::size_t before = 0;
    int with_data = 0;
    constexpr int rounds = 2'000;
    for (int i = 1; i <= rounds; ++i) {
        if (i == 100) before = coex_test::open_descriptors();
        pipe_pair pipe;
        coex::inplace_stop_source each;
        std::thread stopper([&] {
            wait_until(begun, i);
            if (i % 3 == 0) pipe.write("data");
            each.request_stop();
            if (i % 3 == 1) pipe.write("data");
        });
        const auto result = sync_wait(read_pipe(pool, pipe.take_reading_end(), begun, ended), each.get_token());
        stopper.join();
        if (result.has_value()) {
            EXPECT_EQ(std::get<0>(*result), 4U);
            ++with_data;
        }
    }
    EXPECT_EQ(ended.load(), rounds);
    EXPECT_LE(coex_test::open_descriptors(), before + coex_test::most_of_a_backend);
    RecordProperty("with_data", with_data);
}

TEST_F(cancellation, operations_that_wait_for_admission_are_cancelled) {
    static_thread_pool pool{{.threads = 1, .io_depth = 1}};
    std::vector<std::unique_ptr<pipe_pair>> pipes;
    std::vector<task<std::size_t>> reads;
    for (int i = 0; i < 500; ++i) {
        pipes.push_back(std::make_unique<pipe_pair>());
        reads.push_back(read_pipe(pool, pipes.back()->take_reading_end(), begun, ended));
    }
    std::thread stopper([&] {
        wait_until(begun, 500);
        source.request_stop();
    });
    EXPECT_FALSE(sync_wait(coex::when_all(std::move(reads)), source.get_token()).has_value());
    stopper.join();
    EXPECT_EQ(ended.load(), 500);
}

TEST_F(cancellation, a_pool_that_is_destroyed_stops_what_it_has_in_flight) {
    for (int i = 1; i <= 50; ++i) {
        pipe_pair pipe;
        std::optional<static_thread_pool> pool(std::in_place,
                                               coex::pool_options{.threads = 2, .io_depth = i % 2 == 0 ? 1U : 0U});
        std::optional<bool> finished;
        std::thread reader(
            [&] { finished = sync_wait(read_pipe(*pool, pipe.take_reading_end(), begun, ended)).has_value(); });
        wait_until(begun, i);
        while (pool->stats().executed == 0) std::this_thread::yield();
        pool.reset();
        reader.join();
        EXPECT_EQ(finished, false);
        EXPECT_EQ(ended.load(), i);
    }
}

task<void> read_file(static_thread_pool& pool, std::filesystem::path path, std::atomic<int>& begun,
                     std::atomic<int>& ended) {
    co_await pool.schedule();
    const witness local(ended);
    begun.fetch_add(1);
    for (;;) {
        file from = co_await open_file(pool, path, open_mode::read);
        std::vector<std::byte> block(4'096);
        static_cast<void>(co_await from.read_at(0, block));
        co_await from.close();
    }
}

class stopping : public coex_test::on_both_roads {};

// On any backend: whatever the operation is doing when the stop comes.
TEST_P(stopping, files_in_use_are_let_go_without_losing_a_descriptor) {
    const scratch_directory scratch;
    const auto path = scratch.write("file", std::string(8'192, 'x'));
    static_thread_pool pool{{.threads = 2, .io_depth = 4}};
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    std::size_t before = 0;
    for (int i = 0; i < 40; ++i) {
        coex::inplace_stop_source source;
        std::vector<task<void>> readers;
        for (int k = 0; k < 8; ++k) readers.push_back(read_file(pool, path, begun, ended));
        std::thread stopper([&source, i] {
            std::this_thread::sleep_for(std::chrono::microseconds(i * 97 % 2'000));
            source.request_stop();
        });
        EXPECT_FALSE(sync_wait(coex::when_all(std::move(readers)), source.get_token()).has_value());
        stopper.join();
        if (i == 4) before = coex_test::open_descriptors();
    }
    EXPECT_EQ(ended.load(), 40 * 8);
    EXPECT_LE(coex_test::open_descriptors(), before + coex_test::most_of_a_backend);
}

TEST_P(stopping, a_stop_before_the_start_submits_nothing) {
    const scratch_directory scratch;
    static_thread_pool pool{{.threads = 1}};
    coex::inplace_stop_source source;
    source.request_stop();
    const auto create = [](static_thread_pool& on, std::filesystem::path path) -> task<void> {
        static_cast<void>(co_await open_file(on, path, open_mode::write | open_mode::create));
    };
    EXPECT_FALSE(sync_wait(create(pool, scratch / "never"), source.get_token()).has_value());
    EXPECT_FALSE(std::filesystem::exists(scratch / "never"));
}

TEST_P(stopping, a_pool_destroyed_under_busy_files_ends_them) {
    const scratch_directory scratch;
    const auto path = scratch.write("file", std::string(8'192, 'x'));
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    for (int i = 0; i < 30; ++i) {
        std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = 2, .io_depth = 2});
        std::vector<std::thread> readers;
        for (int k = 0; k < 2; ++k) {
            readers.emplace_back([&] { EXPECT_FALSE(sync_wait(read_file(*pool, path, begun, ended)).has_value()); });
        }
        wait_until(begun, 2 * (i + 1));
        // Reads at once never reach the backend; what stops them is the long road they take now and then.
        pool.reset();
        for (std::thread& each : readers) each.join();
    }
    EXPECT_EQ(ended.load(), 60);
}

COEX_ON_BOTH_ROADS(stopping);

}  // namespace
