// Coroutines that move between two pools of one thread, beside two threads that hand each other a futex.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#if defined(COEX_BENCH_ASIO)
#include <asio.hpp>
#endif

#include <atomic>
#include <thread>
#include <vector>

namespace {

constexpr int hops = 20'000;

coex::task<> hop_to_and_fro(coex::static_thread_pool& a, coex::static_thread_pool& b, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        co_await b.schedule();
        co_await a.schedule();
    }
}

coex::task<> all_hop(coex::static_thread_pool& a, coex::static_thread_pool& b, int coroutines) {
    co_await a.schedule();
    std::vector<coex::task<>> tasks;
    for (int i = 0; i < coroutines; ++i) tasks.push_back(hop_to_and_fro(a, b, hops / coroutines / 2));
    co_await coex::when_all(std::move(tasks));
}

void ours(benchmark::State& state, int coroutines) {
    coex::static_thread_pool a{{.name = "a", .threads = 1}};
    coex::static_thread_pool b{{.name = "b", .threads = 1}};
    for (auto _ : state) coex::block_on(all_hop(a, b, coroutines));
    state.SetItemsProcessed(state.iterations() * hops);
}
BENCHMARK_CAPTURE(ours, 64, 64)->Name("hop_64_in_flight/ours")->UseRealTime();
BENCHMARK_CAPTURE(ours, 1, 1)->Name("hop_alone/ours")->UseRealTime();

// What two threads need at least that sleep while it is not their turn.
void futex_ping_pong(benchmark::State& state) {
    for (auto _ : state) {
        std::atomic<int> turn{0};
        std::thread other([&turn] {
            for (int i = 0; i < hops / 2; ++i) {
                turn.wait(0);
                turn.store(0);
                turn.notify_one();
            }
        });
        for (int i = 0; i < hops / 2; ++i) {
            turn.store(1);
            turn.notify_one();
            turn.wait(1);
        }
        other.join();
    }
    state.SetItemsProcessed(state.iterations() * hops);
}
BENCHMARK(futex_ping_pong)->Name("hop_alone/futex_ping_pong")->UseRealTime();

#if defined(COEX_BENCH_ASIO)
asio::awaitable<void> asio_hop(asio::thread_pool& a, asio::thread_pool& b, int rounds, std::atomic<int>& left) {
    for (int i = 0; i < rounds; ++i) {
        co_await asio::post(asio::bind_executor(b, asio::use_awaitable));
        co_await asio::post(asio::bind_executor(a, asio::use_awaitable));
    }
    if (left.fetch_sub(1) == 1) left.notify_one();
}

void with_asio(benchmark::State& state, int coroutines) {
    asio::thread_pool a(1);
    asio::thread_pool b(1);
    for (auto _ : state) {
        std::atomic<int> left{coroutines};
        for (int i = 0; i < coroutines; ++i) {
            asio::co_spawn(a, asio_hop(a, b, hops / coroutines / 2, left), asio::detached);
        }
        for (int seen = left.load(); seen != 0; seen = left.load()) left.wait(seen);
    }
    state.SetItemsProcessed(state.iterations() * hops);
}
BENCHMARK_CAPTURE(with_asio, 64, 64)->Name("hop_64_in_flight/asio_post")->UseRealTime();
BENCHMARK_CAPTURE(with_asio, 1, 1)->Name("hop_alone/asio_post")->UseRealTime();
#endif

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
