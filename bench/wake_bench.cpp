// From the post of a task into a sleeping pool until it runs, beside a thread that sleeps on a futex.
#include "mutex_pool.hpp"
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#if defined(COEX_BENCH_ASIO)
#include <asio.hpp>
#endif
#if defined(COEX_BENCH_RAYON)
#include "rayon.hpp"
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

/// Where a task says that it has begun.
class target {
public:
    explicit target(bool caller_blocks) : blocks_(caller_blocks) {}

    void reset() { begun_.store(false); }
    void hit() {
        at_ = clock_type::now();
        begun_.store(true);
        if (blocks_) begun_.notify_one();
    }
    clock_type::time_point wait() const {
        if (blocks_) {
            begun_.wait(false);
        } else {
            while (!begun_.load()) {
            }
        }
        return at_;
    }

private:
    bool blocks_;
    std::atomic<bool> begun_{false};
    clock_type::time_point at_;
};

constexpr int samples = 300;

/// One iteration is the median of some wake-ups, as their mean is that of the rarest and longest; `p99` is in seconds,
/// too.
template <class Post>
void measure(benchmark::State& state, bool caller_blocks, Post post) {
    target reached(caller_blocks);
    std::vector<double> seconds;
    double p99 = 0;
    for (auto _ : state) {
        seconds.clear();
        for (int i = 0; i < samples; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));  // until all sleep again
            reached.reset();
            const auto begin = clock_type::now();
            post(reached);
            seconds.push_back(std::chrono::duration<double>(reached.wait() - begin).count());
        }
        std::sort(seconds.begin(), seconds.end());
        p99 = seconds[samples * 99 / 100];
        state.SetIterationTime(seconds[samples / 2]);
    }
    state.counters["p99"] = p99;
}

void ours(benchmark::State& state, bool caller_blocks) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    measure(state, caller_blocks, [&pool](target& reached) { pool.post([&reached] { reached.hit(); }); });
}
BENCHMARK_CAPTURE(ours, blocks, true)->Name("wake_while_caller_blocks/ours")->UseManualTime()->Iterations(1);
BENCHMARK_CAPTURE(ours, spins, false)->Name("wake_while_caller_spins/ours")->UseManualTime()->Iterations(1);

void bare_futex(benchmark::State& state, bool caller_blocks) {
    std::atomic<int> signal{0};
    target* asked = nullptr;
    std::thread sleeper([&] {
        for (;;) {
            signal.wait(0);
            if (signal.load() == 2) return;
            signal.store(0);
            asked->hit();
        }
    });
    measure(state, caller_blocks, [&](target& reached) {
        asked = &reached;
        signal.store(1);
        signal.notify_one();
    });
    signal.store(2);
    signal.notify_one();
    sleeper.join();
}
BENCHMARK_CAPTURE(bare_futex, blocks, true)
    ->Name("wake_while_caller_blocks/bare_futex")
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(bare_futex, spins, false)->Name("wake_while_caller_spins/bare_futex")->UseManualTime()->Iterations(1);

#if defined(COEX_BENCH_ASIO)
void with_asio(benchmark::State& state, bool caller_blocks) {
    asio::thread_pool pool(2);
    measure(state, caller_blocks, [&pool](target& reached) { asio::post(pool, [&reached] { reached.hit(); }); });
}
BENCHMARK_CAPTURE(with_asio, blocks, true)
    ->Name("wake_while_caller_blocks/asio_thread_pool")
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(with_asio, spins, false)
    ->Name("wake_while_caller_spins/asio_thread_pool")
    ->UseManualTime()
    ->Iterations(1);
#endif

#if defined(COEX_BENCH_RAYON)
void with_rayon(benchmark::State& state, bool caller_blocks) {
    coex_bench::rayon_pool pool(2);
    measure(state, caller_blocks,
            [&pool](target& reached) { pool.spawn([](void* each) { static_cast<target*>(each)->hit(); }, &reached); });
}
BENCHMARK_CAPTURE(with_rayon, blocks, true)
    ->Name("wake_while_caller_blocks/rayon_spawn")
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(with_rayon, spins, false)
    ->Name("wake_while_caller_spins/rayon_spawn")
    ->UseManualTime()
    ->Iterations(1);
#endif

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
