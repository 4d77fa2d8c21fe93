#include <exec/io/child_process.hpp>

#include "io/socket_support.hpp"

#include <exec/algo/timeout.hpp>
#include <exec/io/signal_set.hpp>

#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using coex::child_process;
using coex::child_stream;
using coex::exit_status;
using coex::file;
using coex::spawn_options;
using coex::static_thread_pool;
using coex::task;
using coex_test::run_on;

class child : public ::testing::Test {
protected:
    static_thread_pool pool{{.threads = 2}};
};

spawn_options shell(const std::string& script) {
    std::vector<std::string> command = {"sh", "-c", script};
    return spawn_options(std::move(command));
}

task<exit_status> status_of(static_thread_pool& pool, spawn_options options) {
    child_process process = child_process::spawn(pool, options);
    co_return co_await process.wait();
}

TEST_F(child, its_code_or_the_signal_that_ended_it_is_told) {
    EXPECT_TRUE(run_on(pool, status_of(pool, shell("exit 0"))).success());
    EXPECT_EQ(run_on(pool, status_of(pool, shell("exit 7"))).code, 7);
    const exit_status killed = run_on(pool, status_of(pool, shell("kill -TERM $$")));
    EXPECT_EQ(killed.signal, SIGTERM);
    EXPECT_FALSE(killed.success());
}

task<std::string> read_all(file& from) {
    std::string all;
    std::vector<std::byte> block(1'000);
    for (;;) {
        const std::size_t count = co_await from.read_at(file::own_position, block);
        if (count == 0) break;
        all.append(reinterpret_cast<const char*>(block.data()), count);
    }
    co_return all;
}

task<void> write_and_end(child_process& process, std::string text) {
    std::size_t done = 0;
    while (done < text.size()) {
        done += co_await process.input->write_at(file::own_position, coex_test::bytes_of(text).subspan(done));
    }
    process.input.reset();
}

task<void> through_cat(static_thread_pool& pool) {
    spawn_options options = shell("cat; echo done >&2");
    options.input = options.output = options.error = child_stream::pipe;
    child_process process = child_process::spawn(pool, options);
    const std::string text(300'000, 'x');
    task<std::string> output = read_all(*process.output);
    task<std::string> error = read_all(*process.error);
    task<void> input = write_and_end(process, text);
    const auto results = co_await coex::when_all(std::move(output), std::move(error), std::move(input));
    EXPECT_EQ(std::get<0>(results), text);
    EXPECT_EQ(std::get<1>(results), "done\n");
    EXPECT_TRUE((co_await process.wait()).success());
    EXPECT_TRUE((co_await process.wait()).success()) << "the same again";
    EXPECT_NO_THROW(process.signal(SIGTERM)) << "it has ended";
}

TEST_F(child, its_streams_are_pipes_that_a_task_writes_and_reads) {
    run_on(pool, through_cat(pool));
}

task<void> cancelled_wait(static_thread_pool& pool) {
    spawn_options options = shell("read line");
    options.input = child_stream::pipe;
    child_process process = child_process::spawn(pool, options);
    bool in_time = true;
    try {
        static_cast<void>(co_await coex::timeout(process.wait(), 1ms));
    } catch (const std::exception&) {
        in_time = false;
    }
    EXPECT_FALSE(in_time);
    process.signal(SIGUSR1);
    EXPECT_EQ((co_await process.wait()).signal, SIGUSR1) << "also where this process blocks the signal";
}

TEST_F(child, a_cancelled_wait_leaves_it_alone) {
    coex::signal_set::block({SIGUSR1});
    run_on(pool, cancelled_wait(pool));
}

TEST_F(child, one_that_is_dropped_is_killed_and_leaves_nothing_behind) {
    const std::size_t before = coex_test::open_descriptors();
    for (int i = 0; i < 20; ++i) {
        spawn_options options = shell("read line");
        options.input = options.output = child_stream::pipe;
        child_process first = child_process::spawn(pool, options);
        child_process second = std::move(first);
        first = child_process::spawn(pool, options);
        first = std::move(second);
    }
    EXPECT_EQ(coex_test::open_descriptors(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "no child is left";
}

TEST_F(child, what_cannot_be_run_is_an_error_that_names_it) {
    const std::size_t before = coex_test::open_descriptors();
    const auto what = [&](spawn_options options) -> std::string {
        options.output = child_stream::pipe;
        try {
            static_cast<void>(child_process::spawn(pool, options));
            return "no error";
        } catch (const std::exception& error) {
            return error.what();
        }
    };
    EXPECT_EQ(what(spawn_options({"/no/such/program"})), "spawn '/no/such/program': No such file or directory");
    EXPECT_EQ(what(spawn_options({})), "spawn: the command is empty; give at least a program");
    EXPECT_EQ(coex_test::open_descriptors(), before);
}

task<void> through_pipe(static_thread_pool& pool) {
    auto [reading, writing] = coex::make_pipe(pool);
    const std::string text = "hello";
    EXPECT_EQ(co_await writing.write_at(file::own_position, coex_test::bytes_of(text)), 5U);
    co_await writing.close();
    EXPECT_EQ(co_await read_all(reading), text);
}

TEST_F(child, a_pipe_carries_bytes_to_its_end) {
    run_on(pool, through_pipe(pool));
}

}  // namespace
