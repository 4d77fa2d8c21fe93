#pragma once

#include "../require.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

namespace coex_bench {

inline double processor_seconds(const rusage& used) {
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct child_times {
    double elapsed;    // seconds
    double processor;  // seconds, of all its threads
    bool succeeded;
};

/// Runs a program to its end, without its output.
inline child_times run_child(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const std::string& each : words) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t quietly;
    posix_spawn_file_actions_init(&quietly);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
        posix_spawn_file_actions_addopen(&quietly, stream, "/dev/null", O_WRONLY, 0);
    const auto begin = std::chrono::steady_clock::now();
    pid_t child = 0;
    const bool begun = posix_spawnp(&child, arguments[0], &quietly, nullptr, arguments.data(), environ) == 0;
    posix_spawn_file_actions_destroy(&quietly);
    if (!begun) return {0, 0, false};
    int status = 1;
    rusage used{};
    require(wait4(child, &status, 0, &used) == child, "wait4");
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    return {elapsed.count(), processor_seconds(used), status == 0};
}

/// fio's io_uring engine, which reads blocks of 4 KiB of a file at random past the page cache, 32 at a time.
class fio {
public:
    [[nodiscard]] static bool is_installed() { return run_child({"fio", "--version"}).succeeded; }

    /// `more`: options besides those.
    fio(std::string path, std::vector<std::string> more) : path_(std::move(path)), more_(std::move(more)) {}

    /// What `reads` take, without what fio takes to begin and to end: the difference of two runs of unlike lengths.
    [[nodiscard]] child_times read(int reads) const {
        constexpr int few = 1024;
        const child_times less = run(few);
        const child_times all = run(few + reads);
        return {all.elapsed - less.elapsed, all.processor - less.processor, true};
    }

private:
    [[nodiscard]] child_times run(int reads) const {
        std::vector<std::string> words = {"fio",
                                          "--name=reads",
                                          "--thread",
                                          "--ioengine=io_uring",
                                          "--direct=1",
                                          "--iodepth=32",
                                          "--rw=randread",
                                          "--bs=4k",
                                          "--filename=" + path_,
                                          "--number_ios=" + std::to_string(reads)};
        words.insert(words.end(), more_.begin(), more_.end());
        const child_times times = run_child(words);
        require(times.succeeded, "fio");
        return times;
    }

    std::string path_;
    std::vector<std::string> more_;
};

}  // namespace coex_bench
