// Empty tasks from outside, from one thread and from four.
#include "mutex_pool.hpp"
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#if defined(COEX_BENCH_ASIO)
#include <asio.hpp>
#endif
#if defined(COEX_BENCH_TBB)
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#endif
#if defined(COEX_BENCH_RAYON)
#include "rayon.hpp"
#endif

#include <atomic>
#include <chrono>
#include <ranges>
#include <thread>
#include <vector>

namespace {

constexpr int tasks = 1'000'000;

/// Counts the tasks that have run: each thread in a place of its own, as one counter would be all that is measured.
class tally {
public:
    void count() noexcept {
        thread_local place& mine = places_[next_.fetch_add(1) % most];
        mine.ran.store(mine.ran.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    // Sleeps: a caller that looked all the time would take one of two processors from the pool.
    void wait_for(long total) const {
        while (sum() < total) std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    [[nodiscard]] long sum() const noexcept {
        long all = 0;
        for (const place& each : places_) all += each.ran.load(std::memory_order_acquire);
        return all;
    }

private:
    static constexpr unsigned most = 256;
    struct alignas(128) place {
        std::atomic<long> ran{0};
    };
    place places_[most];
    std::atomic<unsigned> next_{0};
};
tally tallied;

template <class Post>
void post_from(benchmark::State& state, int producers, Post post) {
    for (auto _ : state) {
        const long before = tallied.sum();
        const auto produce = [&] {
            for (int i = 0; i < tasks / producers; ++i) post([] { tallied.count(); });
        };
        if (producers == 1) {
            produce();
        } else {
            std::vector<std::thread> threads;
            for (int i = 0; i < producers; ++i) threads.emplace_back(produce);
            for (std::thread& each : threads) each.join();
        }
        tallied.wait_for(before + tasks);
    }
    state.SetItemsProcessed(state.iterations() * tasks);
}

void ours(benchmark::State& state, int producers) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    post_from(state, producers, [&pool](auto task) { pool.post(task); });
}
BENCHMARK_CAPTURE(ours, 1, 1)->Name("post_1M_from_1_thread/ours")->UseRealTime();
BENCHMARK_CAPTURE(ours, 4, 4)->Name("post_1M_from_4_threads/ours")->UseRealTime();

void ours_at_once(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    for (auto _ : state) {
        const long before = tallied.sum();
        pool.post_batch(std::views::iota(0, tasks) |
                        std::views::transform([](int) { return [] { tallied.count(); }; }));
        tallied.wait_for(before + tasks);
    }
    state.SetItemsProcessed(state.iterations() * tasks);
}
BENCHMARK(ours_at_once)->Name("post_batch_of_1M/ours")->UseRealTime();
BENCHMARK_CAPTURE(ours, one_by_one, 1)->Name("post_batch_of_1M/one_by_one")->UseRealTime();

void mutex_queue(benchmark::State& state, int producers) {
    coex_bench::mutex_pool pool(2);
    post_from(state, producers, [&pool](auto task) { pool.post(task); });
}
BENCHMARK_CAPTURE(mutex_queue, 1, 1)->Name("post_1M_from_1_thread/mutex_queue_pool")->UseRealTime();
BENCHMARK_CAPTURE(mutex_queue, 4, 4)->Name("post_1M_from_4_threads/mutex_queue_pool")->UseRealTime();

#if defined(COEX_BENCH_ASIO)
void with_asio(benchmark::State& state, int producers) {
    asio::thread_pool pool(2);
    post_from(state, producers, [&pool](auto task) { asio::post(pool, task); });
}
BENCHMARK_CAPTURE(with_asio, 1, 1)->Name("post_1M_from_1_thread/asio_thread_pool")->UseRealTime();
BENCHMARK_CAPTURE(with_asio, 4, 4)->Name("post_1M_from_4_threads/asio_thread_pool")->UseRealTime();
#endif

#if defined(COEX_BENCH_TBB)
void with_tbb(benchmark::State& state, int producers) {
    // Two workers beside the caller, on however few processors.
    const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, 3);
    tbb::task_arena arena(2, 0);
    post_from(state, producers, [&arena](auto task) { arena.enqueue(task); });
}
BENCHMARK_CAPTURE(with_tbb, 1, 1)->Name("post_1M_from_1_thread/tbb_enqueue")->UseRealTime();
BENCHMARK_CAPTURE(with_tbb, 4, 4)->Name("post_1M_from_4_threads/tbb_enqueue")->UseRealTime();
#endif

#if defined(COEX_BENCH_RAYON)
void with_rayon(benchmark::State& state, int producers) {
    coex_bench::rayon_pool pool(2);
    post_from(state, producers, [&pool](auto) { pool.spawn([](void*) { tallied.count(); }, nullptr); });
}
BENCHMARK_CAPTURE(with_rayon, 1, 1)->Name("post_1M_from_1_thread/rayon_spawn")->UseRealTime();
BENCHMARK_CAPTURE(with_rayon, 4, 4)->Name("post_1M_from_4_threads/rayon_spawn")->UseRealTime();
#endif

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
