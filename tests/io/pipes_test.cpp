#include "io/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/io/file.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace {

using coex::open_mode;
using coex::static_thread_pool;
using coex::task;

class pipes : public coex_test::on_both_roads {
protected:
    coex_test::scratch_directory scratch;
};

task<void> open_only(static_thread_pool& pool, std::filesystem::path path, open_mode mode) {
    static_cast<void>(co_await coex::open_file(pool, path, mode));
}

// For a child process: 0 when the named pipe was opened.
int open_in_child(const std::filesystem::path& path) {
    static_thread_pool pool{{.threads = 1}};
    try {
        coex::block_on(open_only(pool, path, open_mode::read | open_mode::create));
        return 0;
    } catch (const std::system_error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

// With `create` the opening waits in a thread of the kernel's, which the stop of the process interrupts.
TEST_P(pipes, a_process_that_is_stopped_and_continued_goes_on_waiting) {
    const auto path = scratch / "named";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(open_in_child(path));
    int status = 0;
    bool over = false;
    for (int i = 0; i < 300 && !over; ++i) {
        ::kill(child, SIGSTOP);
        ::waitpid(child, &status, WUNTRACED);
        over = !WIFSTOPPED(status);
        ::kill(child, SIGCONT);
        for (int k = 0; k < i % 30; ++k) ::sched_yield();
    }
    // Until the child has ended: it opens its end, now or some time later.
    while (!over) {
        const int other_end = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        over = ::waitpid(child, &status, WNOHANG) == child;
        if (other_end >= 0) ::close(other_end);
    }
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

COEX_ON_BOTH_ROADS(pipes);

}  // namespace
