// How soon an idle worker finds what a busy one has forked.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#if defined(COEX_BENCH_TBB)
#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_arena.h>
#endif

#include <algorithm>
#include <chrono>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

void compute_for(std::chrono::nanoseconds time) {
    const auto end = clock_type::now() + time;
    while (clock_type::now() < end) {
    }
}

constexpr int leaves = 9;
constexpr auto leaf = std::chrono::milliseconds(100);

/// One iteration is the 90th percentile, over some leaves of 100 ms, of the time from the fork of a job before the leaf
/// until the job has begun.
template <class Fork>
void measure(benchmark::State& state, Fork fork) {
    for (auto _ : state) {
        std::vector<double> seconds;
        for (int i = 0; i < leaves; ++i) {
            clock_type::time_point forked;
            clock_type::time_point begun;
            fork(
                [&] {
                    forked = clock_type::now();
                    compute_for(leaf);
                },
                [&] { begun = clock_type::now(); });
            seconds.push_back(std::chrono::duration<double>(begun - forked).count());
        }
        std::sort(seconds.begin(), seconds.end());
        state.SetIterationTime(seconds[leaves * 9 / 10]);
    }
}

void ours(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    measure(state, [&pool](auto first, auto second) { pool.install([&] { coex::fork_join(first, second); }); });
}
BENCHMARK(ours)->Name("job_before_a_leaf_of_100_ms/ours")->UseManualTime()->Iterations(1);

#if defined(COEX_BENCH_TBB)
void with_tbb(benchmark::State& state) {
    tbb::task_arena arena(2);
    // TBB runs the last function itself.
    measure(state, [&arena](auto first, auto second) { arena.execute([&] { tbb::parallel_invoke(second, first); }); });
}
BENCHMARK(with_tbb)->Name("job_before_a_leaf_of_100_ms/tbb_parallel_invoke")->UseManualTime()->Iterations(1);
#endif

constexpr int items = 10'000;

void take_steps(int steps) {
    for (int i = 0; i < steps; ++i) benchmark::DoNotOptimize(i);
}

// How many steps take 2 us: on one machine five times as many as on another.
int steps_of_an_item() {
    constexpr int tried = 1'000'000;
    auto shortest = std::chrono::nanoseconds::max();
    for (int i = 0; i < 9; ++i) {
        const auto begin = clock_type::now();
        take_steps(tried);
        shortest = std::min<std::chrono::nanoseconds>(shortest, clock_type::now() - begin);
    }
    return static_cast<int>(2'000LL * tried / std::max<long long>(shortest.count(), 1));
}
const int steps = steps_of_an_item();

void work() {
    take_steps(steps);
}

void chain(int left) {
    if (left == 0) return;
    coex::fork_join(work, [left] { chain(left - 1); });
}

void chained(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    for (auto _ : state) pool.install([] { chain(items); });
    state.SetItemsProcessed(state.iterations() * items);
}
BENCHMARK(chained)->Name("chain_of_2_us_items/ours")->UseRealTime();

void in_a_row(benchmark::State& state) {
    for (auto _ : state) {
        for (int i = 0; i < items; ++i) work();
    }
    state.SetItemsProcessed(state.iterations() * items);
}
BENCHMARK(in_a_row)->Name("chain_of_2_us_items/in_a_row")->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
