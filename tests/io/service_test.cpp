#include "io/service.hpp"

#include "io/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/file.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::file;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;

/// Holds a worker until it goes.
class busy_worker {
public:
    explicit busy_worker(static_thread_pool& pool) {
        pool.post([this] {
            busy_.store(true);
            while (busy_.load()) std::this_thread::yield();
            over_.store(true);
        });
        while (!busy_.load()) std::this_thread::yield();
    }
    busy_worker(const busy_worker&) = delete;
    busy_worker& operator=(const busy_worker&) = delete;
    ~busy_worker() {
        busy_.store(false);
        while (!over_.load()) std::this_thread::yield();
    }

private:
    std::atomic<bool> busy_{false};
    std::atomic<bool> over_{false};
};

task<void> write_once(file& to, std::atomic<int>& begun) {
    const std::vector<std::byte> block(4);
    begun.fetch_add(1);
    static_cast<void>(co_await to.write_at(0, block));
}

class service : public coex_test::on_both_roads {
protected:
    coex_test::scratch_directory scratch;
    std::atomic<int> begun{0};
    coex::inplace_stop_source source;
};

TEST_P(service, an_operation_that_is_stopped_before_a_worker_has_it_is_never_carried_out) {
    static_thread_pool pool{{.threads = 1}};
    const auto path = scratch.write("file", "");
    file to(pool, ::open(path.c_str(), O_WRONLY | O_CLOEXEC), "file");
    std::optional<bool> finished;
    std::optional<busy_worker> busy(std::in_place, pool);
    std::thread writer([&] { finished = sync_wait(write_once(to, begun), source.get_token()).has_value(); });
    while (begun.load() == 0 || pool.stats().queued == 0) std::this_thread::yield();
    EXPECT_TRUE(source.request_stop());
    EXPECT_FALSE(source.request_stop()) << "the second request has nothing to do";
    busy.reset();
    writer.join();
    EXPECT_EQ(finished, false);
    EXPECT_EQ(std::filesystem::file_size(path), 0U);
}

task<void> read_pipe(static_thread_pool& pool, int descriptor) {
    file from(pool, descriptor, "pipe");
    std::vector<std::byte> block(16);
    static_cast<void>(co_await from.read_at(coex_test::anywhere, block));
}

task<void> read_in_pool(static_thread_pool& pool, int descriptor, std::atomic<int>& begun) {
    co_await pool.schedule();
    begun.fetch_add(1);
    co_await read_pipe(pool, descriptor);
}

TEST_P(service, an_operation_that_waits_for_admission_is_taken_out_and_the_others_keep_their_turn) {
    static_thread_pool pool{{.threads = 1, .io_depth = 1}};
    coex_test::pipe_pair first;
    coex_test::pipe_pair second;
    coex_test::pipe_pair third;
    coex::inplace_stop_source none;
    const auto start = [&](coex_test::pipe_pair& pipe, coex::inplace_stop_source& stop) {
        const int before = begun.load();
        std::thread reader([this, &pool, &stop, descriptor = pipe.take_reading_end()] {
            static_cast<void>(sync_wait(read_in_pool(pool, descriptor, begun), stop.get_token()));
        });
        while (begun.load() == before) std::this_thread::yield();
        return reader;
    };
    std::thread holds = start(first, none);
    std::thread waits = start(second, source);
    std::thread waits_behind = start(third, none);
    source.request_stop();
    waits.join();
    third.write("x");
    first.write("x");
    holds.join();
    waits_behind.join();
}

TEST_P(service, a_stop_from_the_worker_that_carries_out_the_operation_works_as_any_other) {
    static_thread_pool pool{{.threads = 1}};
    for (int i = 1; i <= 200; ++i) {
        coex_test::pipe_pair pipe;
        coex::inplace_stop_source each;
        std::thread stopper([&] {
            while (begun.load() < i) std::this_thread::yield();
            pool.submit([&each] { each.request_stop(); }).get();
        });
        EXPECT_FALSE(sync_wait(read_in_pool(pool, pipe.take_reading_end(), begun), each.get_token()).has_value());
        stopper.join();
    }
}

task<std::size_t> read_file(static_thread_pool& pool, std::filesystem::path path) {
    file from = co_await coex::open_file(pool, path, coex::open_mode::read);
    std::vector<std::byte> block(16);
    co_return co_await from.read_at(0, block);
}

TEST_P(service, a_worker_that_blocks_until_an_operation_ends_does_not_keep_it_from_starting) {
    static_thread_pool pool{{.threads = 2}};
    const auto path = scratch.write("file", "12345");
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(pool.submit([&] { return coex::block_on(read_file(pool, path)); }).get(), 5U);
    }
}

/// Counts the coroutines that hold one.
struct presence {
    std::atomic<long>* count;
    explicit presence(std::atomic<long>& counter) : count(&counter) { count->fetch_add(1); }
    presence(const presence&) = delete;
    presence& operator=(const presence&) = delete;
    ~presence() { count->fetch_sub(1); }
};

// Writes to its buffer after each read: what came too late from the kernel would be seen by the address sanitizer.
task<void> read_at_random(static_thread_pool& pool, static_thread_pool* home, int descriptor, int times,
                          std::atomic<long>& present, std::atomic<int>& begun) {
    if (home != nullptr) co_await home->schedule();
    const presence here(present);
    begun.fetch_add(1);
    file from(pool, descriptor, "pipe");
    std::vector<std::byte> block(16);
    for (int i = 0; i < times; ++i) {
        if (co_await from.read_at(coex_test::anywhere, block) == 0) break;
        for (std::byte& each : block) each = std::byte{1};
    }
}

struct round_of {
    static_thread_pool& pool;
    static_thread_pool& home;
    std::atomic<long>& present;
    std::atomic<int>& begun;
};

task<void> read_all(round_of with, std::vector<int> descriptors, unsigned seed) {
    std::minstd_rand random(seed);
    static_thread_pool* const places[] = {nullptr, &with.pool, &with.home};
    std::vector<task<void>> all;
    for (const int each : descriptors) {
        static_thread_pool* const place = places[random() % 3];
        const int times = 1 + static_cast<int>(random() % 3);
        all.push_back(read_at_random(with.pool, place, each, times, with.present, with.begun));
    }
    co_await coex::when_all(std::move(all));
}

TEST_P(service, stops_and_data_that_race_on_every_road_lose_nothing) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::minstd_rand random(seed);
    static_thread_pool home{{.threads = 1}};
    std::optional<static_thread_pool> pool;
    std::atomic<long> present{0};
    for (int i = 0; i < 2'500; ++i) {
        // Now and then the pool is another one, as soon as nothing of the former is in flight.
        if (i % 20 == 0) pool.emplace(coex::pool_options{.threads = 2, .io_depth = static_cast<unsigned>(i / 20 % 3)});
        std::vector<coex_test::pipe_pair> pipes(1 + random() % 6);
        std::vector<int> descriptors;
        for (auto& each : pipes) descriptors.push_back(each.take_reading_end());
        const int awaited = begun.load() + static_cast<int>(random() % (pipes.size() + 1));
        const unsigned choice = static_cast<unsigned>(random());
        coex::inplace_stop_source stop;
        std::thread racer([&] {
            for (int k = 0; begun.load() < awaited && k < 1'000; ++k) std::this_thread::yield();
            if (choice % 2 == 0) stop.request_stop();
            for (std::size_t k = 0; k < pipes.size(); ++k) {
                if ((choice >> k) % 3 != 0) pipes[k].write("some data");
            }
            stop.request_stop();
        });
        static_cast<void>(sync_wait(read_all({*pool, home, present, begun}, descriptors, choice), stop.get_token()));
        racer.join();
        ASSERT_EQ(present.load(), 0) << "round " << i;
    }
}

COEX_ON_BOTH_ROADS(service);

}  // namespace
