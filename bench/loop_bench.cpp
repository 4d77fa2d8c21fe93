// Loops over cheap and over dear elements, beside plain ones.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#if defined(COEX_BENCH_TBB)
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/task_arena.h>
#endif
#if defined(COEX_BENCH_RAYON)
#include "rayon.hpp"
#endif

#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

namespace {

constexpr std::size_t cheap_elements = 1'000'000;
constexpr std::size_t few_elements = 1'000;
constexpr int dear_steps = 2'000;  // some microseconds

double dear(double value) {
    for (int i = 0; i < dear_steps; ++i) value = std::sqrt(value + 1);
    return value;
}

const std::vector<double>& numbers() {
    static const std::vector<double> all(cheap_elements, 1.5);
    return all;
}

void plain_sum(benchmark::State& state) {
    for (auto _ : state) {
        double sum = 0;
        for (const double each : numbers()) sum += std::sqrt(each);
        benchmark::DoNotOptimize(sum);
    }
}
BENCHMARK(plain_sum)->Name("reduce_1M_cheap_elements/plain_loop")->UseRealTime();

void our_sum(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    for (auto _ : state) {
        benchmark::DoNotOptimize(pool.install([] {
            return coex::parallel_reduce(numbers(), 0.0, std::plus<>(), [](double each) { return std::sqrt(each); });
        }));
    }
}
BENCHMARK(our_sum)->Name("reduce_1M_cheap_elements/ours")->UseRealTime();

void plain_dear(benchmark::State& state) {
    std::vector<double> results(few_elements);
    for (auto _ : state) {
        for (std::size_t i = 0; i < few_elements; ++i) results[i] = dear(static_cast<double>(i));
        benchmark::DoNotOptimize(results.data());
    }
}
BENCHMARK(plain_dear)->Name("for_1000_dear_elements/plain_loop")->UseRealTime();

void our_dear(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    std::vector<double> results(few_elements);
    for (auto _ : state) {
        pool.install([&] {
            coex::parallel_for(std::size_t{0}, few_elements,
                               [&](std::size_t i) { results[i] = dear(static_cast<double>(i)); });
        });
        benchmark::DoNotOptimize(results.data());
    }
}
BENCHMARK(our_dear)->Name("for_1000_dear_elements/ours")->UseRealTime();

#if defined(COEX_BENCH_TBB)
void tbb_sum(benchmark::State& state) {
    tbb::task_arena arena(2);
    for (auto _ : state) {
        benchmark::DoNotOptimize(arena.execute([] {
            return tbb::parallel_reduce(
                tbb::blocked_range<std::size_t>(0, cheap_elements), 0.0,
                [](const tbb::blocked_range<std::size_t>& part, double sum) {
                    for (std::size_t i = part.begin(); i != part.end(); ++i) sum += std::sqrt(numbers()[i]);
                    return sum;
                },
                std::plus<>());
        }));
    }
}
BENCHMARK(tbb_sum)->Name("reduce_1M_cheap_elements/tbb_parallel_reduce")->UseRealTime();

void tbb_dear(benchmark::State& state) {
    tbb::task_arena arena(2);
    std::vector<double> results(few_elements);
    for (auto _ : state) {
        arena.execute([&] {
            tbb::parallel_for(std::size_t{0}, few_elements,
                              [&](std::size_t i) { results[i] = dear(static_cast<double>(i)); });
        });
        benchmark::DoNotOptimize(results.data());
    }
}
BENCHMARK(tbb_dear)->Name("for_1000_dear_elements/tbb_parallel_for")->UseRealTime();
#endif

#if defined(COEX_BENCH_RAYON)
void rayon_sum(benchmark::State& state) {
    coex_bench::rayon_pool pool(2);
    for (auto _ : state) benchmark::DoNotOptimize(pool.sum_of_roots(numbers().data(), cheap_elements));
}
BENCHMARK(rayon_sum)->Name("reduce_1M_cheap_elements/rayon_sum")->UseRealTime();

void rayon_dear(benchmark::State& state) {
    coex_bench::rayon_pool pool(2);
    std::vector<double> results(few_elements);
    const auto each = [&](std::size_t i) { results[i] = dear(static_cast<double>(i)); };
    for (auto _ : state) {
        pool.parallel_for(few_elements, each);
        benchmark::DoNotOptimize(results.data());
    }
}
BENCHMARK(rayon_dear)->Name("for_1000_dear_elements/rayon_for_each")->UseRealTime();
#endif

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
