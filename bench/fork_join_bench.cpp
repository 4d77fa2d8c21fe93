// Recursion that forks at every step, beside the same recursion without forks.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#if defined(COEX_BENCH_TBB)
#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_arena.h>
#endif
#if defined(COEX_BENCH_RAYON)
#include "rayon.hpp"
#endif

namespace {

constexpr long depth = 30;
constexpr long calls = 2'692'537;  // of fib(30)

// Two real calls for each node: compilers make loops of a plain one.
__attribute__((noinline)) long plain_fib(long n) {
    if (n < 2) return n;
    long a = plain_fib(n - 1);
    asm volatile("" : "+r"(a));
    long b = plain_fib(n - 2);
    asm volatile("" : "+r"(b));
    return a + b;
}

long forking_fib(long n) {
    if (n < 2) return n;
    const auto [a, b] = coex::fork_join([n] { return forking_fib(n - 1); }, [n] { return forking_fib(n - 2); });
    return a + b;
}

void ours(benchmark::State& state, unsigned threads) {
    coex::static_thread_pool pool{{.name = "bench", .threads = threads}};
    for (auto _ : state) benchmark::DoNotOptimize(pool.install([] { return forking_fib(depth); }));
    state.SetItemsProcessed(state.iterations() * calls);
}
BENCHMARK_CAPTURE(ours, 1, 1)->Name("fork_join_fib_1_worker/ours")->UseRealTime();
BENCHMARK_CAPTURE(ours, 2, 2)->Name("fork_join_fib_2_workers/ours")->UseRealTime();

void plain(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(plain_fib(depth));
    state.SetItemsProcessed(state.iterations() * calls);
}
BENCHMARK(plain)->Name("fork_join_fib_1_worker/plain_recursion")->UseRealTime();
BENCHMARK(plain)->Name("fork_join_fib_2_workers/plain_recursion")->UseRealTime();

#if defined(COEX_BENCH_TBB)
long tbb_fib(long n) {
    if (n < 2) return n;
    long a = 0;
    long b = 0;
    tbb::parallel_invoke([&a, n] { a = tbb_fib(n - 1); }, [&b, n] { b = tbb_fib(n - 2); });
    return a + b;
}

void with_tbb(benchmark::State& state, int threads) {
    tbb::task_arena arena(threads);
    for (auto _ : state) benchmark::DoNotOptimize(arena.execute([] { return tbb_fib(depth); }));
    state.SetItemsProcessed(state.iterations() * calls);
}
BENCHMARK_CAPTURE(with_tbb, 1, 1)->Name("fork_join_fib_1_worker/tbb_parallel_invoke")->UseRealTime();
BENCHMARK_CAPTURE(with_tbb, 2, 2)->Name("fork_join_fib_2_workers/tbb_parallel_invoke")->UseRealTime();
#endif

#if defined(COEX_BENCH_RAYON)
void with_rayon(benchmark::State& state, unsigned threads) {
    coex_bench::rayon_pool pool(threads);
    for (auto _ : state) benchmark::DoNotOptimize(pool.fib(depth));
    state.SetItemsProcessed(state.iterations() * calls);
}
BENCHMARK_CAPTURE(with_rayon, 1, 1)->Name("fork_join_fib_1_worker/rayon_join")->UseRealTime();
BENCHMARK_CAPTURE(with_rayon, 2, 2)->Name("fork_join_fib_2_workers/rayon_join")->UseRealTime();
#endif

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
