#include "io/admission.hpp"

#include "io/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/file.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::file;
using coex::static_thread_pool;
using coex::task;

class io_depth : public coex_test::on_both_roads {};

task<std::size_t> read_repeatedly(file& from, int times) {
    std::vector<std::byte> block(256);
    std::size_t sum = 0;
    for (int i = 0; i < times; ++i) sum += co_await from.read_at(0, block);
    co_return sum;
}

task<std::size_t> many_readers(static_thread_pool& pool, std::filesystem::path path, int readers, int times) {
    co_await pool.schedule();
    file from = co_await coex::open_file(pool, path, coex::open_mode::read);
    std::vector<task<std::size_t>> all;
    for (int i = 0; i < readers; ++i) all.push_back(read_repeatedly(from, times));
    std::size_t sum = 0;
    for (const std::size_t each : co_await coex::when_all(std::move(all))) sum += each;
    co_return sum;
}

TEST_P(io_depth, every_operation_gets_its_turn_at_any_depth) {
    const coex_test::scratch_directory scratch;
    const auto path = scratch.write("file", std::string(256, 'x'));
    for (const unsigned depth : {1U, 2U, 7U, 0U}) {
        static_thread_pool pool{{.threads = 2, .io_depth = depth}};
        EXPECT_EQ(coex::block_on(many_readers(pool, path, 50, 20)), 50U * 20 * 256) << depth;
    }
}

COEX_ON_BOTH_ROADS(io_depth);

task<void> read_pipe(file& from, std::atomic<int>& done) {
    std::vector<std::byte> block(1);
    static_cast<void>(co_await from.read_at(coex_test::anywhere, block));
    done.fetch_add(1);
}

task<void> read_pipes(std::vector<file>& pipes, std::atomic<int>& done) {
    std::vector<task<void>> all;
    for (file& each : pipes) all.push_back(read_pipe(each, done));
    co_await coex::when_all(std::move(all));
}

// Reads of empty pipes stay in flight until the test writes: so the test sees which ones were let through, and in which
// order.
TEST(admission, lets_as_many_through_as_its_depth_and_the_others_in_their_order) {
    static_thread_pool pool{{.threads = 1, .io_depth = 2}};
    std::vector<coex_test::pipe_pair> pipes(5);
    std::vector<file> files;
    for (auto& each : pipes) files.emplace_back(pool, each.take_reading_end(), "pipe");
    std::atomic<int> done{0};
    std::thread waiting([&] { coex::block_on(read_pipes(files, done)); });
    const auto wait_for = [&done](int count) {
        while (done.load() < count) std::this_thread::yield();
    };
    for (const std::size_t waits_in_queue : {2U, 3U, 4U}) pipes[waits_in_queue].write("x");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(done.load(), 0) << "the two in flight are those of the first two pipes";
    pipes[0].write("x");
    wait_for(4);
    pipes[1].write("x");
    wait_for(5);
    waiting.join();
}

}  // namespace
