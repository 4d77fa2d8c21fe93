// Values through a channel, beside what people write by hand: a mutex, a deque and a condition variable.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr int values = 100'000;

/// The queue of the textbooks, bounded or not, with an end.
class mutex_queue {
public:
    explicit mutex_queue(std::size_t capacity) : capacity_(capacity) {}

    void send(int value) {
        {
            std::unique_lock lock(mutex_);
            room_.wait(lock, [this] { return queue_.size() < capacity_; });
            queue_.push_back(value);
        }
        filled_.notify_one();
    }
    std::optional<int> receive() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return !queue_.empty() || ended_; });
        if (queue_.empty()) return std::nullopt;
        const int value = queue_.front();
        queue_.pop_front();
        lock.unlock();
        room_.notify_one();
        return value;
    }
    void end() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        filled_.notify_all();
    }

private:
    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable filled_;
    std::condition_variable room_;
    std::deque<int> queue_;
    bool ended_ = false;
};

void ours_alone(benchmark::State& state) {
    coex::channel<int> channel;
    const auto tx = channel.sender();
    for (auto _ : state) {
        tx.send(1);
        benchmark::DoNotOptimize(channel.wait_receive());
    }
}
BENCHMARK(ours_alone)->Name("channel_without_contention/ours");

void mutex_alone(benchmark::State& state) {
    mutex_queue queue(SIZE_MAX);
    for (auto _ : state) {
        queue.send(1);
        benchmark::DoNotOptimize(queue.receive());
    }
}
BENCHMARK(mutex_alone)->Name("channel_without_contention/mutex_queue");

template <class Send>
std::vector<std::thread> send_from(int threads, Send send) {
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t) {
        all.emplace_back([send, threads]() mutable {
            for (int i = 0; i < values / threads; ++i) send(i);
        });
    }
    return all;
}

void ours(benchmark::State& state, int senders, std::size_t capacity) {
    for (auto _ : state) {
        coex::channel<int> channel(capacity);
        auto threads = send_from(senders, [tx = channel.sender()](int i) { tx.send(i); });
        long sum = 0;
        for (const int value : channel) sum += value;
        benchmark::DoNotOptimize(sum);
        for (std::thread& each : threads) each.join();
    }
    state.SetItemsProcessed(state.iterations() * values);
}

void mutex_and_condition(benchmark::State& state, int senders, std::size_t capacity) {
    for (auto _ : state) {
        mutex_queue queue(capacity);
        auto threads = send_from(senders, [&queue](int i) { queue.send(i); });
        std::thread ending([&] {
            for (std::thread& each : threads) each.join();
            queue.end();
        });
        long sum = 0;
        while (const auto value = queue.receive()) sum += *value;
        benchmark::DoNotOptimize(sum);
        ending.join();
    }
    state.SetItemsProcessed(state.iterations() * values);
}

BENCHMARK_CAPTURE(ours, a, 1, SIZE_MAX)->Name("channel_1_sender/ours")->UseRealTime();
BENCHMARK_CAPTURE(mutex_and_condition, a, 1, SIZE_MAX)->Name("channel_1_sender/mutex_queue")->UseRealTime();
BENCHMARK_CAPTURE(ours, b, 4, SIZE_MAX)->Name("channel_4_senders/ours")->UseRealTime();
BENCHMARK_CAPTURE(mutex_and_condition, b, 4, SIZE_MAX)->Name("channel_4_senders/mutex_queue")->UseRealTime();
BENCHMARK_CAPTURE(ours, c, 1, 64)->Name("channel_of_64/ours")->UseRealTime();
BENCHMARK_CAPTURE(mutex_and_condition, c, 1, 64)->Name("channel_of_64/mutex_queue")->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
