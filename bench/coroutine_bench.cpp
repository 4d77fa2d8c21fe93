// Coroutines that fork, and coroutines that are awaited and end at once.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

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
