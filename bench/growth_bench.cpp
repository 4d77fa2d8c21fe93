// What must not grow: the time of a fork with the number of forks, and that of all work with the number of workers.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#include <atomic>

namespace {

constexpr long many = 44;       // fib(44) forks 1.1e9 times
constexpr long few = 25;        // fib(25) forks 1.2e5 times
constexpr long repeats = 9349;  // of fib(25), for as many forks as fib(44) makes

long fib(long n) {
    if (n < 2) return n;
    const auto [a, b] = coex::fork_join([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
    return a + b;
}

coex::task<long> coroutine_fib(long n) {
    if (n < 2) co_return n;
    const auto [a, b] = co_await coex::when_all(coroutine_fib(n - 1), coroutine_fib(n - 2));
    co_return a + b;
}

coex::task<long> coroutine_fib_on(coex::static_thread_pool& pool, long n) {
    co_await pool.schedule();
    co_return co_await coroutine_fib(n);
}

void forks(benchmark::State& state, long n, long times) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    for (auto _ : state) {
        for (long i = 0; i < times; ++i) benchmark::DoNotOptimize(pool.install([n] { return fib(n); }));
    }
}
BENCHMARK_CAPTURE(forks, all, many, 1)->Name("a_billion_forks/ours")->UseRealTime()->Iterations(1)->Repetitions(3);
BENCHMARK_CAPTURE(forks, in_turn, few, repeats)
    ->Name("a_billion_forks/ours_1e5_at_a_time")
    ->UseRealTime()
    ->Iterations(1)
    ->Repetitions(3);

void forks_of(benchmark::State& state, unsigned threads) {
    coex::static_thread_pool pool{{.name = "bench", .threads = threads}};
    for (auto _ : state) benchmark::DoNotOptimize(pool.install([] { return fib(35); }));
}
BENCHMARK_CAPTURE(forks_of, 64, 64)->Name("forks_of_64_workers/ours")->UseRealTime();
BENCHMARK_CAPTURE(forks_of, 2, 2)->Name("forks_of_64_workers/ours_with_2_workers")->UseRealTime();

void coroutines_of(benchmark::State& state, unsigned threads) {
    coex::static_thread_pool pool{{.name = "bench", .threads = threads}};
    for (auto _ : state) benchmark::DoNotOptimize(coex::block_on(coroutine_fib_on(pool, 30)));
}
BENCHMARK_CAPTURE(coroutines_of, 64, 64)->Name("coroutines_of_64_workers/ours")->UseRealTime();
BENCHMARK_CAPTURE(coroutines_of, 2, 2)->Name("coroutines_of_64_workers/ours_with_2_workers")->UseRealTime();

void posts_to(benchmark::State& state, unsigned threads) {
    constexpr int tasks = 300'000;
    coex::static_thread_pool pool{{.name = "bench", .threads = threads}};
    for (auto _ : state) {
        std::atomic<int> left{tasks};
        for (int i = 0; i < tasks; ++i) {
            pool.post([&left] {
                if (left.fetch_sub(1) == 1) left.notify_one();
            });
        }
        for (int seen = left.load(); seen != 0; seen = left.load()) left.wait(seen);
    }
}
BENCHMARK_CAPTURE(posts_to, 64, 64)->Name("posts_to_64_workers/ours")->UseRealTime();
BENCHMARK_CAPTURE(posts_to, 2, 2)->Name("posts_to_64_workers/ours_with_2_workers")->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
