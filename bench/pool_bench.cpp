// Posting and hopping, beside a pool of one mutex and one queue.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace {

constexpr int tasks = 100'000;

/// The textbook pool: what every rival must at least beat.
class mutex_pool {
public:
    explicit mutex_pool(unsigned threads) {
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    }
    ~mutex_pool() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
        for (std::thread& each : threads_) each.join();
    }
    void post(std::function<void()> task) {
        {
            const std::lock_guard lock(mutex_);
            queue_.push_back(std::move(task));
        }
        changed_.notify_one();
    }

private:
    void work() {
        for (;;) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
            if (queue_.empty()) return;
            const auto task = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            task();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

template <class Pool>
void post_many(Pool& pool) {
    std::atomic<int> left{tasks};
    for (int i = 0; i < tasks; ++i) {
        pool.post([&left] {
            if (left.fetch_sub(1) == 1) left.notify_one();
        });
    }
    for (int seen = left.load(); seen != 0; seen = left.load()) left.wait(seen);
}

void post_ours(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    for (auto _ : state) post_many(pool);
    state.SetItemsProcessed(state.iterations() * tasks);
}
BENCHMARK(post_ours)->Name("post_100k_from_outside/ours")->UseRealTime();

void post_mutex(benchmark::State& state) {
    mutex_pool pool(2);
    for (auto _ : state) post_many(pool);
    state.SetItemsProcessed(state.iterations() * tasks);
}
BENCHMARK(post_mutex)->Name("post_100k_from_outside/mutex_queue_pool")->UseRealTime();

coex::task<int> ready(int value) {
    co_return value;
}

coex::task<long> await_many(int count) {
    long sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await ready(i);
    co_return sum;
}

void await_ready_task(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(coex::block_on(await_many(tasks)));
    state.SetItemsProcessed(state.iterations() * tasks);
}
BENCHMARK(await_ready_task)->Name("await_100k_ready_tasks/ours")->UseRealTime();

void call_allocating(benchmark::State& state) {
    for (auto _ : state) {
        long sum = 0;
        for (int i = 0; i < tasks; ++i) {
            auto* frame = new long[12]{};
            benchmark::DoNotOptimize(frame);
            sum += i;
            delete[] frame;
        }
        benchmark::DoNotOptimize(sum);
    }
}
BENCHMARK(call_allocating)->Name("await_100k_ready_tasks/one_heap_block_each")->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
