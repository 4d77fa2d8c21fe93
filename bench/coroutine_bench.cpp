// Coroutines that fork, and coroutines that are awaited and end at once.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#if defined(COEX_BENCH_ASIO)
#include <asio.hpp>
#endif

namespace {

constexpr long depth = 25;
constexpr long calls = 242'785;  // of fib(25)
constexpr int awaits = 100'000;

coex::task<long> fib(long n) {
    if (n < 2) co_return n;
    const auto [a, b] = co_await coex::when_all(fib(n - 1), fib(n - 2));
    co_return a + b;
}

coex::fork_task<long> strict_fib(long n) {
    if (n < 2) co_return n;
    const auto [a, b] = co_await coex::fork_join([=] { return strict_fib(n - 1); }, [=] { return strict_fib(n - 2); });
    co_return a + b;
}

template <auto Fib>
coex::task<long> fib_on(coex::static_thread_pool& pool) {
    co_await pool.schedule();
    co_return co_await Fib(depth);
}

template <auto Fib>
void forking(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = static_cast<unsigned>(state.range(0))}};
    for (auto _ : state) benchmark::DoNotOptimize(coex::block_on(fib_on<Fib>(pool)));
    state.SetItemsProcessed(state.iterations() * calls);
}
BENCHMARK(forking<fib>)->Name("coroutine_fib_1_worker/ours")->Arg(1)->UseRealTime();
BENCHMARK(forking<fib>)->Name("coroutine_fib_2_workers/ours")->Arg(2)->UseRealTime();
BENCHMARK(forking<strict_fib>)->Name("strict_coroutine_fib_1_worker/ours")->Arg(1)->UseRealTime();
BENCHMARK(forking<fib>)->Name("strict_coroutine_fib_1_worker/when_all")->Arg(1)->UseRealTime();
BENCHMARK(forking<strict_fib>)->Name("strict_coroutine_fib_2_workers/ours")->Arg(2)->UseRealTime();
BENCHMARK(forking<fib>)->Name("strict_coroutine_fib_2_workers/when_all")->Arg(2)->UseRealTime();

// The least that a frame costs: a block of the heap for each call.
__attribute__((noinline)) long heap_fib(long n) {
    auto* frame = new long[12]{};
    benchmark::DoNotOptimize(frame);
    const long result = n < 2 ? n : heap_fib(n - 1) + heap_fib(n - 2);
    delete[] frame;
    return result;
}

void one_heap_block_each(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(heap_fib(depth));
    state.SetItemsProcessed(state.iterations() * calls);
}
BENCHMARK(one_heap_block_each)->Name("coroutine_fib_1_worker/plain_recursion_with_a_heap_block")->UseRealTime();

// A node of skynet has ten children: as tasks of a vector, or one after the other of a loop.
constexpr int levels = 4;
constexpr int nodes = 11'111;

coex::task<long> skynet_of_vectors(int level) {
    if (level == 0) co_return 1;
    std::vector<coex::task<long>> children;
    children.reserve(10);
    for (int i = 0; i < 10; ++i) children.push_back(skynet_of_vectors(level - 1));
    long sum = 0;
    const std::vector<long> results = co_await coex::when_all(std::move(children));
    for (const long each : results) sum += each;
    co_return sum;
}

coex::fork_task<> skynet_of_loops(int level, long& result) {
    if (level == 0) {
        result = 1;
        co_return;
    }
    std::array<long, 10> results;
    co_await coex::parallel_for(
        0, 10, [&results, level](int i) { return skynet_of_loops(level - 1, results[static_cast<std::size_t>(i)]); });
    result = 0;
    for (const long each : results) result += each;
}

coex::task<long> skynet_by_loops() {
    long result = 0;
    co_await skynet_of_loops(levels, result);
    co_return result;
}
coex::task<long> skynet_by_vectors() {
    return skynet_of_vectors(levels);
}

coex::task<long> on_pool(coex::static_thread_pool& pool, coex::task<long> work) {
    co_await pool.schedule();
    co_return co_await std::move(work);
}

template <auto Make>
void skynet(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = static_cast<unsigned>(state.range(0))}};
    for (auto _ : state) benchmark::DoNotOptimize(coex::block_on(on_pool(pool, Make())));
    state.SetItemsProcessed(state.iterations() * nodes);
}
BENCHMARK(skynet<skynet_by_loops>)->Name("loop_of_coroutines_1_worker/ours")->Arg(1)->UseRealTime();
BENCHMARK(skynet<skynet_by_vectors>)->Name("loop_of_coroutines_1_worker/when_all_of_a_vector")->Arg(1)->UseRealTime();
BENCHMARK(skynet<skynet_by_loops>)->Name("loop_of_coroutines_2_workers/ours")->Arg(2)->UseRealTime();
BENCHMARK(skynet<skynet_by_vectors>)->Name("loop_of_coroutines_2_workers/when_all_of_a_vector")->Arg(2)->UseRealTime();

coex::task<int> ready(int value) {
    co_return value;
}

coex::task<long> await_many(int count) {
    long sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await ready(i);
    co_return sum;
}

void awaiting(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(coex::block_on(await_many(awaits)));
    state.SetItemsProcessed(state.iterations() * awaits);
}
BENCHMARK(awaiting)->Name("await_100k_ready_tasks/ours")->UseRealTime();

void allocating(benchmark::State& state) {
    for (auto _ : state) {
        long sum = 0;
        for (int i = 0; i < awaits; ++i) {
            auto* frame = new long[12]{};
            benchmark::DoNotOptimize(frame);
            sum += i;
            delete[] frame;
        }
        benchmark::DoNotOptimize(sum);
    }
}
BENCHMARK(allocating)->Name("await_100k_ready_tasks/one_heap_block_each")->UseRealTime();

#if defined(COEX_BENCH_ASIO)
asio::awaitable<int> asio_ready(int value) {
    co_return value;
}

asio::awaitable<long> asio_await_many(int count) {
    long sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await asio_ready(i);
    co_return sum;
}

void asio_awaiting(benchmark::State& state) {
    asio::io_context context(1);
    for (auto _ : state) {
        long sum = 0;
        asio::co_spawn(context, asio_await_many(awaits),
                       [&sum](const std::exception_ptr&, long result) { sum = result; });
        context.run();
        context.restart();
        benchmark::DoNotOptimize(sum);
    }
}
BENCHMARK(asio_awaiting)->Name("await_100k_ready_tasks/asio_awaitable")->UseRealTime();
#endif

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
