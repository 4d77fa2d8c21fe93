// The processor time of a pool that rests. Not a benchmark of time: it prints one line for each pool.
#include "mutex_pool.hpp"
#include "plain_main.hpp"

#include <exec/exec.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>

namespace {

constexpr unsigned workers = 64;
constexpr auto rest = std::chrono::seconds(10);
constexpr auto before_rest = std::chrono::milliseconds(200);

double processor_milliseconds() {
    std::timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

template <class Post>
void measure(const char* name, Post post) {
    std::atomic<int> left{1000};
    for (int i = left.load(); i > 0; --i) post([&left] { left.fetch_sub(1); });
    while (left.load() > 0) std::this_thread::yield();
    std::this_thread::sleep_for(before_rest);
    const double before = processor_milliseconds();
    std::this_thread::sleep_for(rest);
    std::printf("%-30s %.3f ms of processor time in 10 s\n", name, processor_milliseconds() - before);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    coex_bench::go_on_if_asked_for(argc, argv, "idle", "the processor time of pools of 64 workers that rest");
    {
        coex::static_thread_pool pool{{.name = "idle", .threads = workers}};
        measure("idle pool of 64 workers", [&pool](auto task) { pool.post(task); });
    }
    {
        coex_bench::mutex_pool pool(workers);
        measure("the same of one mutex and queue", [&pool](auto task) { pool.post(task); });
    }
}
